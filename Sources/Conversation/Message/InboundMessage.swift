/// Where an event was addressed to: together the three select one instance, or none.
package struct InstanceAddress: Hashable, Sendable, CustomStringConvertible {
    package var channel: ChannelName
    /// The app whose secret signed the webhook. Whoever holds one app's secret cannot speak for a number of another app.
    package var app: String
    /// The provider's name for the receiving account, such as a `phone_number_id`.
    package var account: String

    package init(channel: ChannelName, app: String, account: String) {
        self.channel = channel
        self.app = app
        self.account = account
    }
    package var description: String { "\(channel)/\(app)/\(account)" }
}

/// One message from a customer, in the form in which everything behind the channels knows it.
package struct InboundMessage: Sendable, Hashable {
    /// The provider's id; a message is processed once per (brand, instance, this).
    package var providerID: String
    package var sender: Sender
    package var content: Content
    /// The provider's time of sending.
    package var sentAt: Timestamp
    package var context: MessageContext
    /// The raw JSON, kept only when normalizing lost something.
    package var raw: String?

    package init(
        providerID: String, sender: Sender, content: Content, sentAt: Timestamp, context: MessageContext = .init(), raw: String? = nil
    ) {
        self.providerID = providerID
        self.sender = sender
        self.content = content
        self.sentAt = sentAt
        self.context = context
        self.raw = raw
    }
}

/// What a message refers to.
package struct MessageContext: Sendable, Hashable {
    /// The provider's id of the message that this one answers.
    package var replyTo: String?
    package var isForwarded: Bool
    /// The advertisement a conversation started from, as the provider tells it.
    package var referral: JSONValue?
    package var groupID: String?
    /// The platform says that the person behind the number may have changed.
    package var identityChanged: Bool

    package init(
        replyTo: String? = nil, isForwarded: Bool = false, referral: JSONValue? = nil, groupID: String? = nil, identityChanged: Bool = false
    ) {
        self.replyTo = replyTo
        self.isForwarded = isForwarded
        self.referral = referral
        self.groupID = groupID
        self.identityChanged = identityChanged
    }

    package var json: JSONValue {
        var fields: [String: JSONValue] = [:]
        if let replyTo { fields["reply_to"] = .string(replyTo) }
        if isForwarded { fields["forwarded"] = true }
        if let referral { fields["referral"] = referral }
        if let groupID { fields["group_id"] = .string(groupID) }
        if identityChanged { fields["identity_changed"] = true }
        return .object(fields)
    }
}

/// What became of a message we sent.
package struct StatusUpdate: Sendable, Hashable {
    package var providerMessageID: String
    /// The reference we sent along (`biz_opaque_callback_data` on WhatsApp): our message id.
    package var reference: String?
    package var status: DeliveryStatus
    package var at: Timestamp
    package var errors: [JSONValue]
    package var pricing: JSONValue?

    package init(
        providerMessageID: String, reference: String? = nil, status: DeliveryStatus, at: Timestamp, errors: [JSONValue] = [],
        pricing: JSONValue? = nil
    ) {
        self.providerMessageID = providerMessageID
        self.reference = reference
        self.status = status
        self.at = at
        self.errors = errors
        self.pricing = pricing
    }
}

/// The course of an outbound message. Statuses only move forward: sent < delivered < read < played; failed only before delivered.
package enum DeliveryStatus: Sendable, Hashable {
    case sent, delivered, read, played, failed
    /// One that Meta may add tomorrow: counted, never a reason to move.
    case other(String)

    package init(_ name: String) {
        switch name {
        case "sent": self = .sent
        case "delivered": self = .delivered
        case "read": self = .read
        case "played": self = .played
        case "failed": self = .failed
        default: self = .other(name)
        }
    }

    package var name: String {
        switch self {
        case .sent: "sent"
        case .delivered: "delivered"
        case .read: "read"
        case .played: "played"
        case .failed: "failed"
        case .other(let name): name
        }
    }

    /// 0 for unknown ones. Failed stands between sent and delivered: it may follow sent, and delivered may correct it.
    package var rank: Int {
        switch self {
        case .sent: 10
        case .failed: 20
        case .delivered: 30
        case .read: 40
        case .played: 50
        case .other: 0
        }
    }
}
