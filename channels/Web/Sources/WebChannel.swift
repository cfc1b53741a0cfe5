package import Conversation

/// The web: people who write on a page of the brand or in its native app. REST in, server-sent events out.
package struct WebChannel: Channel {
    /// Under which the channel stands in configuration and addresses.
    package static let name = ChannelName(rawValue: "web")

    /// What an instance of a brand may and must say. There are no apps: an instance is addressed by its own id.
    package static let descriptor = ChannelDescriptor(
        name: WebChannel.name,
        appSettings: [],
        instanceSettings: [
            SettingRule("origins", .formed(originForm), required: true), SettingRule("app_keys", .secrets),
            SettingRule(
                "jwt",
                .group([
                    SettingRule("hs256_secret", .secret), SettingRule("public_key", .text), SettingRule("alg", .text),
                    SettingRule("issuer", .text),
                ])),
            SettingRule("messages_per_minute", .integer), SettingRule("opens_per_minute", .integer),
        ],
        address: { $0.channel == WebChannel.name ? WebChannel.address(of: $0.id) : nil })

    private static let originForm = SettingForm(
        "the origin of a page", remedy: "write scheme, host and port only: https://shop.example, or http://localhost:* for any port",
        accepts: OriginRules.isRule)

    let instances: @Sendable (InstanceID) -> InstanceConfiguration?
    let brands: @Sendable (BrandID) -> PageBrand?
    let visitors: any Visitors
    let feed: any ConversationFeed
    let intake: any Intake
    let tokens: any TokenReader
    let clock: any WallClock
    let limits: RequestLimits
    let streams: StreamRegistry
    let heartBeat: HeartBeat
    let pages = Pages()

    /// `instances` finds what runs now; those of other channels are passed over. `brands` says what stands on a
    /// brand's chat page; of an unknown one its id does. `maxStreams` is for all instances together, `maxStreamsPerVisitor` for one user at one instance.
    package init(
        instances: @escaping @Sendable (InstanceID) -> InstanceConfiguration?, visitors: any Visitors, feed: any ConversationFeed,
        intake: any Intake, tokens: any TokenReader, clock: any WallClock,
        brands: @escaping @Sendable (BrandID) -> PageBrand? = { _ in nil },
        maxStreams: Int = 20_000, maxStreamsPerVisitor: Int = 5
    ) {
        self.instances = instances
        self.brands = brands
        self.visitors = visitors
        self.feed = feed
        self.intake = intake
        self.tokens = tokens
        self.clock = clock
        limits = RequestLimits(clock: clock)
        streams = StreamRegistry(limit: maxStreams, perVisitor: maxStreamsPerVisitor)
        heartBeat = HeartBeat(clock: clock, interval: EventStream.interval)
    }

    /// The same for every value of this type.
    package var descriptor: ChannelDescriptor { Self.descriptor }

    /// Who writes is proved when a visit opens, not by the message: its user is there before it. Sending puts nothing on a wire, so it may
    /// be repeated.
    package var capabilities: ChannelCapabilities {
        ChannelCapabilities(
            maxTextLength: Self.maxText, maxButtons: Self.maxButtons, maxListRows: .max, provesIdentity: false, isRepeatable: true,
            keepsFeed: true)
    }

    /// Characters of one message, both ways.
    static let maxText = 4096
    /// More options than these are shown as a list.
    static let maxButtons = 3

    static func address(of instance: InstanceID) -> InstanceAddress {
        InstanceAddress(channel: name, app: name.rawValue, account: instance.rawValue)
    }

    /// The running instance of that id, if it is one of this channel.
    func instance(named text: String?) -> InstanceConfiguration? {
        guard let id = text.flatMap(InstanceID.init(validating:)), let instance = instances(id), instance.channel == Self.name else {
            return nil
        }
        return instance
    }
}
