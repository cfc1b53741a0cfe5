import Conversation
import Gateway
import Signing
import Storage
import Synchronization
import TestKit

/// A channel like a web page: it keeps a feed, proves nothing, and may be asked to send twice.
final class PageChannel: Channel {
    static let descriptorOfPages = ChannelDescriptor(
        name: ChannelName(rawValue: "page"), appSettings: [], instanceSettings: [], address: { _ in nil })

    let capabilities: ChannelCapabilities
    private let outcomes: Mutex<[SendOutcome]>
    private let sends = Mutex(0)
    private let refused = Mutex<ChannelError?>(nil)

    init(keepsFeed: Bool = true, outcomes: [SendOutcome] = []) {
        capabilities = ChannelCapabilities(
            maxTextLength: 4000, maxButtons: 10, maxListRows: 10, provesIdentity: false, isRepeatable: keepsFeed, keepsFeed: keepsFeed)
        self.outcomes = Mutex(outcomes)
    }

    var sent: Int { sends.withLock { $0 } }
    var descriptor: ChannelDescriptor { Self.descriptorOfPages }
    var routes: [ChannelRoute] { [] }
    func items(replaying body: [UInt8], app: String, account: String?) -> [WebhookItem] { [] }
    func render(_ content: OutboundContent) -> [OutboundContent] { [content] }
    func refusal(of content: OutboundContent, lastInboundAt: Timestamp?, now: Timestamp) -> ChannelError? { refused.withLock { $0 } }
    /// Nothing may be sent from now on.
    func refuse(_ error: ChannelError) { refused.withLock { $0 = error } }
    func signalReading(providerMessageID: String, instance: InstanceConfiguration) async {}
    func send(_ message: OutboundPart, permit: SendPermit) async -> SendOutcome {
        sends.withLock { $0 += 1 }
        return outcomes.withLock { $0.isEmpty ? nil : $0.removeFirst() } ?? .sent(providerMessageID: message.reference.description)
    }
}

struct NoClassifier: IntentClassifying {
    func classify(_ request: ClassificationRequest) async -> [DetectedIntent] { [] }
}

struct NoSlots: SlotExtracting {
    func extract(_ request: SlotRequest) -> [String: Entity] { [:] }
}

/// Two brands with two pages each.
struct PageWorld {
    let clock: ControlledClock
    let store: Store
    let registry: Registry
    let channel: PageChannel
    let desk: VisitorDesk

    static func with<Result>(channel: PageChannel = PageChannel(), _ body: (PageWorld) async throws -> Result) async throws -> Result {
        let clock = ControlledClock()
        return try await TemporaryStore.with(clock: clock) { store in
            let registry = Registry(clock: clock)
            registry.replace(brands: [try runtime("salon"), try runtime("jobs")], descriptors: [PageChannel.descriptorOfPages])
            registry.add(channel: channel)
            return try await body(
                PageWorld(
                    clock: clock, store: store, registry: registry, channel: channel, desk: VisitorDesk(store: store, registry: registry)))
        }
    }

    static func instance(_ brand: String, _ name: String) -> InstanceConfiguration {
        InstanceConfiguration(
            id: InstanceID(rawValue: "\(brand)-\(name)"), brand: BrandID(rawValue: brand), channel: ChannelName(rawValue: "page"),
            acceptGuests: true)
    }

    static let salon = instance("salon", "web")
    static let salonApp = instance("salon", "app")
    static let jobs = instance("jobs", "web")

    private static func runtime(_ brand: String) throws -> BrandRuntime {
        let secret = Secret("whsec_" + Base64.encode(Array(repeating: 7, count: 32)))
        let configuration = BrandConfiguration(
            id: BrandID(rawValue: brand), name: brand, api: BrandAPI(baseURL: "http://\(brand).invalid", signingSecrets: [secret]),
            tiers: ["visitor", "member", "premium"], instances: [instance(brand, "web"), instance(brand, "app")])
        return try BrandRuntime.bare(configuration)
    }

    func guest(_ secret: String? = nil, at instance: InstanceConfiguration = salon) async throws -> Visit {
        try await desk.open(VisitRequest(proof: .guest(resumeSecret: secret)), at: instance)
    }

    func member(_ identifiers: [Identifier], name: String? = nil, at instance: InstanceConfiguration = salon) async throws -> Visit {
        try await desk.open(VisitRequest(proof: .signedIn(Sender(identifiers: identifiers, profileName: name))), at: instance)
    }

    func visitor(_ visit: Visit, at instance: InstanceConfiguration = salon) async throws -> Visitor? {
        try await desk.visitor(token: visit.token, at: instance)
    }

    func brand(_ instance: InstanceConfiguration = salon) -> BrandStore { store.brand(instance.brand) }
}
