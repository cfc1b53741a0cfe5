import Conversation
import WhatsApp

/// Every channel of this installation: one line each.
enum Channels {
    static let descriptors: [ChannelDescriptor] = [WhatsAppChannel.descriptor]

    static func make(_ parts: Parts) -> [any Channel] {
        [
            WhatsAppChannel(
                apps: parts.apps[WhatsAppChannel.descriptor.name] ?? [], intake: parts.intake, http: parts.http,
                authenticator: parts.authenticator)
        ]
    }

    /// What a channel may be given.
    struct Parts {
        var apps: [ChannelName: [ChannelApp]]
        var intake: any Intake
        var http: any HTTPClient
        var authenticator: any Authenticator
        var visitors: any Visitors
        var feed: any ConversationFeed
        var tokens: any TokenReader
        var clock: any WallClock
        /// An instance that runs now.
        var instances: @Sendable (InstanceID) -> InstanceConfiguration?
    }
}
