/// Where channels hand in what they verified. Returns only after everything is durable.
package protocol Intake: Sendable {
    /// Throws when it could not be stored; then the channel answers 503.
    func accept(_ webhook: VerifiedWebhook) async throws -> IntakeReceipt
}

/// One delivery of a provider whose signature was good.
package struct VerifiedWebhook: Sendable {
    package var channel: ChannelName
    package var app: String
    package var items: [WebhookItem]

    package init(channel: ChannelName, app: String, items: [WebhookItem]) {
        self.channel = channel
        self.app = app
        self.items = items
    }
}

package enum WebhookItem: Sendable {
    /// With what to keep raw, as a whole delivery of its own, when no running brand has the address.
    case message(InboundMessage, InstanceAddress, raw: @Sendable () -> [UInt8])
    case status(StatusUpdate, InstanceAddress, raw: @Sendable () -> [UInt8])
    /// A field event of the platform (template paused, account update …), kept as it came.
    case field(name: String, body: [UInt8], InstanceAddress?)
    /// Known and not worth keeping.
    case ignored(reason: String)
    /// Cannot be read; kept raw. The address is nil when not even that could be read.
    case unreadable(reason: String, body: [UInt8], InstanceAddress?)
}

package struct IntakeReceipt: Sendable, Hashable {
    package var accepted = 0
    package var duplicates = 0
    package var ignored = 0
    package var quarantined = 0
    /// The stored messages in the order of the delivery; a duplicate's is the one that was there before.
    package var messages: [MessageID] = []

    package init(accepted: Int = 0, duplicates: Int = 0, ignored: Int = 0, quarantined: Int = 0) {
        self.accepted = accepted
        self.duplicates = duplicates
        self.ignored = ignored
        self.quarantined = quarantined
    }
}
