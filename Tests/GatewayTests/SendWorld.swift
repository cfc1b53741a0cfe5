import Conversation
import Logging
import Signing
import Storage
import TestKit

@testable import Gateway

/// A brand with a page, a customer who is known there, and a desk that takes what the brand wants sent.
struct SendWorld {
    let clock: ControlledClock
    let store: Store
    let registry: Registry
    let channel: PageChannel
    let desk: SendDesk
    let inbox: CommandInbox
    let user: UserID

    static let brand = BrandID(rawValue: "salon")
    static let stopped = BrandID(rawValue: "jobs")
    static let instance = InstanceConfiguration(
        id: InstanceID(rawValue: "salon-web"), brand: brand, channel: PageChannel.descriptorOfPages.name, acceptGuests: true,
        sessionTimeout: .seconds(1800))
    static let phone = "+15550001111"

    var brand: BrandStore { store.brand(Self.brand) }
    var lane: Lane { Lane(brand: Self.brand, instance: Self.instance.id, user: user) }

    static func with<Result>(_ policies: Policies = Policies(), _ body: (SendWorld) async throws -> Result) async throws -> Result {
        let clock = ControlledClock()
        return try await TemporaryStore.with(clock: clock) { store in
            let registry = Registry(clock: clock)
            registry.replace(brands: [try runtime(policies)], descriptors: [PageChannel.descriptorOfPages])
            let channel = PageChannel()
            registry.add(channel: channel)
            return try await body(try await SendWorld(clock, store, registry, channel))
        }
    }

    private init(_ clock: ControlledClock, _ store: Store, _ registry: Registry, _ channel: PageChannel) async throws {
        (self.clock, self.store, self.registry, self.channel) = (clock, store, registry, channel)
        desk = SendDesk(store: store, registry: registry, metrics: GatewayMetrics())
        inbox = CommandInbox(
            store: store, registry: registry, desk: desk, isStopped: { $0 == Self.stopped }, logger: Logger(label: "test"))
        user = try await store.brand(Self.brand).write { transaction in
            let sender = Sender(identifiers: [Identifier(kind: .phone, value: Self.phone)], profileName: "Customer")
            return try transaction.resolveUser(channel: Self.instance.channel, sender: sender, tier: "visitor", verified: true)
        }
    }

    /// The configuration is loaded anew, with another instance at the page.
    func loads(instance id: String) throws {
        let more = InstanceConfiguration(
            id: InstanceID(rawValue: id), brand: Self.brand, channel: Self.instance.channel, acceptGuests: true)
        registry.replace(brands: [try Self.runtime(Policies(), more)], descriptors: [PageChannel.descriptorOfPages])
    }

    private static func runtime(_ policies: Policies, _ more: InstanceConfiguration...) throws -> BrandRuntime {
        let secret = Secret("whsec_" + Base64.encode(Array(repeating: 7, count: 32)))
        let configuration = BrandConfiguration(
            id: brand, name: "Salon", api: BrandAPI(baseURL: "http://salon.invalid", signingSecrets: [secret]), tiers: ["visitor"],
            instances: [
                instance,
                InstanceConfiguration(
                    id: InstanceID(rawValue: "salon-mail"), brand: brand, channel: ChannelName(rawValue: "mail"), acceptGuests: true),
            ] + more, policies: policies)
        return try BrandRuntime.bare(configuration, policy: try PolicyEngine(configuration))
    }

    func command(_ text: String = "Your order is ready.", _ category: SendCommand.Category = .service) -> SendCommand {
        SendCommand(instance: Self.instance.id, recipient: .user(user), content: .text(text), category: category)
    }

    func send(_ command: SendCommand, key: String? = nil, body: [UInt8]? = nil) async throws -> SendDesk.Answer {
        try await desk.send(command, brand: Self.brand, key: key, body: body, by: .api)
    }

    /// The code of the refusal that must come.
    func refusal(_ command: SendCommand, key: String? = nil, body: [UInt8]? = nil) async throws -> String? {
        guard case .refused(let refusal) = try await send(command, key: key, body: body) else { return nil }
        return refusal.code
    }

    /// A customer who is known at the page by this name.
    func newcomer(_ identifier: Identifier) async throws -> UserID {
        try await brand.write {
            try $0.resolveUser(
                channel: Self.instance.channel, sender: Sender(identifiers: [identifier]), tier: "visitor", verified: true)
        }
    }

    /// What stands in the store for the customer, oldest first.
    func outbound() async throws -> [MessageRecord] {
        try await brand.read { [user] transaction in
            guard let session = try transaction.activeSession(instance: Self.instance.id, user: user) else { return [] }
            return try transaction.messages(session: session.id, after: nil, limit: 100).filter { !$0.isInbound }
        }
    }

    func waiting(_ kind: Lane.Kind = .turn) async throws -> Int {
        var lane = lane
        lane.kind = kind
        return try await brand.read { [key = lane.key] in try $0.pendingTasks(in: key) }
    }

    func letters() async throws -> [DeadLetterRecord] { try await brand.read { try $0.deadLetters(after: nil, limit: 50) } }
}
