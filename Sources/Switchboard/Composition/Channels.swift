import Conversation
import Web
import WhatsApp

/// Every channel of this installation: one line each.
enum Channels {
    static let descriptors: [ChannelDescriptor] = [WhatsAppChannel.descriptor, WebChannel.descriptor]

    static func make(_ parts: Parts) -> [any Channel] {
        [
            WhatsAppChannel(
                apps: parts.apps[WhatsAppChannel.descriptor.name] ?? [], intake: parts.intake, http: parts.http,
                authenticator: parts.authenticator),
            WebChannel(
                instances: parts.instances, visitors: parts.visitors, feed: parts.feed, intake: parts.intake, tokens: parts.tokens,
                clock: parts.clock, brands: { parts.brands($0).map { PageBrand(name: $0.name, locale: $0.locale) } },
                maxStreams: parts.maxStreams),
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
        /// A brand that runs now.
        var brands: @Sendable (BrandID) -> BrandConfiguration?
        /// Streams that a channel may keep open at once.
        var maxStreams: Int
    }
}
