import Brain
import Conversation
import Logging
import Signing
import Storage
import Synchronization
import TestKit
import Testing

@testable import Gateway

/// A ticket system that does what a test says. It keeps tickets by reference and refuses to hold two for one.
final class ScriptedDesk: TicketDesk {
    struct State {
        var tickets: [HandoverID: DeskTicket] = [:]
        var drafts: [TicketDraft] = []
        var entries: [TicketEntry] = []
        var closed: [String] = []
        var finds = 0
        /// What the next calls of any kind answer; each is used once.
        var failures: [DeskError] = []
        /// The ticket is made, and the answer lost, as often.
        var losesAnswers = 0
        /// Every call fails with it as long as it stands.
        var outage: DeskError?
        var changes: [DeskEvent] = []
        /// So many times a ticket that is there is not found.
        var hiddenFinds = 0
        /// Looks wait for it, after they read.
        var isHeld = false
        var waits = 0
    }

    let state = Mutex(State())
    let capabilities: DeskCapabilities

    init(callsUs: Bool = true) { capabilities = DeskCapabilities(callsUs: callsUs, deduplicatesEntries: true) }

    private func call<Value: Sendable>(_ work: (inout State) -> Value) throws(DeskError) -> Value {
        let result = state.withLock { state -> Result<Value, DeskError> in
            if let outage = state.outage { return .failure(outage) }
            if !state.failures.isEmpty { return .failure(state.failures.removeFirst()) }
            return .success(work(&state))
        }
        return try result.get()
    }

    func find(_ reference: HandoverID) async throws(DeskError) -> DeskTicket? {
        try call {
            $0.finds += 1
            if $0.hiddenFinds > 0, $0.tickets[reference] != nil {
                $0.hiddenFinds -= 1
                return nil
            }
            return $0.tickets[reference]
        }
    }

    func open(_ draft: TicketDraft) async throws(DeskError) -> DeskTicket {
        let (ticket, isLost) = try call { state in
            let ticket = DeskTicket(id: "t-\(state.drafts.count + 1)")
            state.drafts.append(draft)
            state.tickets[draft.reference] = ticket
            if state.losesAnswers > 0 {
                state.losesAnswers -= 1
                return (ticket, true)
            }
            return (ticket, false)
        }
        if isLost { throw DeskError(.unknown, "the answer was lost") }
        return ticket
    }

    func add(_ entry: TicketEntry, to ticket: DeskTicket) async throws(DeskError) { try call { $0.entries.append(entry) } }
    func contains(_ entry: UniqueID, in ticket: DeskTicket) async throws(DeskError) -> Bool? {
        try call { state in state.entries.contains { $0.id == entry } }
    }
    func close(_ ticket: DeskTicket, reason: String) async throws(DeskError) { try call { $0.closed.append(ticket.id) } }
    func changes(of ticket: DeskTicket, since cursor: String?) async throws(DeskError) -> DeskChanges {
        let changes = try call { state in
            let from = cursor.flatMap { Int($0) } ?? 0
            state.waits += 1
            return DeskChanges(events: Array(state.changes.dropFirst(from)), cursor: "\(state.changes.count)")
        }
        while state.withLock({ $0.isHeld }) { await Task.yield() }
        return changes
    }
    func events(in request: ChannelRequest, now: Timestamp) throws(DeskError) -> [DeskEvent] {
        guard request.headers("x-proof") == ["good"] else { throw DeskError(.unproven, "no proof") }
        return state.withLock { $0.changes }
    }

    var drafts: [TicketDraft] { state.withLock { $0.drafts } }
    var entries: [TicketEntry] { state.withLock { $0.entries } }
}

/// Reads what it is told to: "person" asks for one, everything else is not understood.
private struct TinyClassifier: IntentClassifying {
    func classify(_ request: ClassificationRequest) async -> [DetectedIntent] {
        if request.text == "person" {
            return [DetectedIntent(type: .help, confidence: 1, signal: "human", text: request.text, source: .pattern)]
        }
        return [DetectedIntent(type: .greeting, confidence: 1, text: request.text, source: .pattern)]
    }
}

/// One brand with one page and a desk, and a customer who writes.
final class HandoverWorld: Sendable {
    let clock: ControlledClock
    let store: Store
    let registry: Registry
    let desk: ScriptedDesk
    let channel: PageChannel
    let inbox: DeskInbox
    let people: HandoverDesk
    private let settings: HandoverConfiguration
    let watch: HandoverWatch
    private let handlers: [(LanePool, any TaskHandler)]
    private let who: Mutex<(user: UserID, session: SessionID)>

    static let brand = BrandID(rawValue: "salon")
    static let instance = InstanceConfiguration(
        id: InstanceID(rawValue: "salon-web"), brand: brand, channel: ChannelName(rawValue: "page"), acceptGuests: true)

    var user: UserID { who.withLock { $0.user } }
    var session: SessionID { who.withLock { $0.session } }
    var brand: BrandStore { store.brand(Self.brand) }

    private init(_ store: Store, _ clock: ControlledClock, _ handover: HandoverConfiguration, _ desk: ScriptedDesk) async throws {
        self.store = store
        self.clock = clock
        self.desk = desk
        settings = handover
        channel = PageChannel()
        registry = Registry(clock: store.clock)
        registry.replace(brands: [try Self.runtime(handover, desk)], descriptors: [PageChannel.descriptorOfPages])
        registry.add(channel: channel)
        inbox = DeskInbox(store: store, registry: registry)
        people = HandoverDesk(store: store, registry: registry)
        let logger = Logger(label: "test")
        watch = HandoverWatch(store: store, registry: registry, inbox: inbox, logger: logger)
        let reading = ReadingSignals(clock: store.clock)
        let turns = TurnHandler(
            registry: registry, schemas: SchemaFetcher(store: store, http: NoHTTP()), limiter: RateLimiter(), reading: reading,
            metrics: GatewayMetrics(), logger: logger)
        let deliveries = DeliveryHandler(
            registry: registry, policy: SendPolicy(), reading: reading, unknownReply: .seconds(45), backoff: Backoff(RetryPolicy()),
            jitter: FixedJitter(), metrics: GatewayMetrics(), logger: logger)
        handlers = [
            (.turn, turns), (.delivery, deliveries), (.desk, DeskHandler(registry: registry, jitter: FixedJitter(), logger: logger)),
        ]
        let opened = try await store.brand(Self.brand).write { transaction in
            let sender = Sender(identifiers: [Identifier(kind: .guest, value: "g1")], profileName: "Customer")
            let user = try transaction.resolveUser(
                channel: Self.instance.channel, sender: sender, tier: "visitor", verified: false)
            return (user: user, session: try transaction.openSession(instance: Self.instance.id, user: user))
        }
        who = Mutex(opened)
    }

    /// The brand's configuration is loaded anew, with these instances.
    func runs(instances: [InstanceConfiguration]) throws {
        registry.replace(
            brands: [try Self.runtime(settings, desk, instances: instances)], descriptors: [PageChannel.descriptorOfPages])
    }

    static func with<Result>(
        _ handover: HandoverConfiguration = .init(), desk: ScriptedDesk = ScriptedDesk(), storeAhead: Duration? = nil,
        _ body: (HandoverWorld) async throws -> Result
    ) async throws -> Result {
        let clock = ControlledClock()
        guard let storeAhead else {
            return try await TemporaryStore.with(clock: clock) { try await body(HandoverWorld($0, clock, handover, desk)) }
        }
        let test = try await TestDatabase.make()
        let shared = WrappedDatabase(test.database, isShared: true, clock: ShiftedClock(clock: clock, by: storeAhead))
        let store = Store(database: shared, clock: clock, ids: SystemIDs(clock: clock), node: "test")
        do {
            let result = try await body(HandoverWorld(store, clock, handover, desk))
            try await test.remove()
            return result
        } catch {
            try await test.remove()
            throw error
        }
    }

    private struct ShiftedClock: WallClock {
        let clock: ControlledClock
        let by: Duration
        var now: Timestamp { clock.now + by }
        func sleep(until deadline: Timestamp) async throws { try await clock.sleep(until: deadline + (.zero - by)) }
    }

    /// With a desk that gets every handover.
    static func ticketed(
        callsUs: Bool = true, nobody: Duration = .seconds(1800), storeAhead: Duration? = nil,
        _ body: (HandoverWorld) async throws -> Void
    ) async throws {
        let settings = DeskConfiguration(id: "front", kind: .webhook, baseURL: "http://desk.invalid", pollInterval: .seconds(15))
        try await with(
            HandoverConfiguration(desk: settings, channel: .ticket, nobodyAvailable: nobody), desk: ScriptedDesk(callsUs: callsUs),
            storeAhead: storeAhead, body)
    }

    private static func runtime(
        _ handover: HandoverConfiguration, _ desk: ScriptedDesk, instances: [InstanceConfiguration] = [instance]
    ) throws -> BrandRuntime {
        let secret = Secret("whsec_" + Base64.encode(Array(repeating: 7, count: 32)))
        let configuration = BrandConfiguration(
            id: brand, name: "Salon", api: BrandAPI(baseURL: "http://salon.invalid", signingSecrets: [secret]), tiers: ["visitor"],
            instances: instances,
            actions: [
                ActionDefinition(
                    canonicalName: "book_service", displayName: "Book a service",
                    request: RequestTemplate(method: "POST", path: "/bookings"))
            ], handover: handover)
        let signer = try IdempotencySigner(secret: secret)
        return BrandRuntime(
            configuration: configuration, classifier: TinyClassifier(),
            brain: Brain(
                configuration: configuration, slots: NoSlots(), signer: signer, ids: SystemIDs(clock: SystemClock()),
                inlineWait: .seconds(5), matches: { _, _ in false }),
            webhooks: try StandardWebhooks(secrets: [secret]), signer: signer, desk: handover.desk == nil ? nil : desk,
            sensitiveTopic: { text in handover.sensitiveTopics.first { text.contains($0) } })
    }

    // MARK: What happens

    /// The customer writes; the message's id.
    @discardableResult func write(_ content: Content) async throws -> MessageID {
        try await brand.write { [user, session] transaction in
            let id = MessageID(transaction.newID())
            let sender = Sender(identifiers: [Identifier(kind: .guest, value: "g1")])
            let message = InboundMessage(providerID: id.description, sender: sender, content: content, sentAt: transaction.now)
            _ = try transaction.insertInbound(
                message, content: content.canonicalText, id: id, session: session, instance: Self.instance.id, user: user)
            try transaction.enqueue(
                NewTask(
                    id: QueueTaskID(id.value), lane: Lane(brand: Self.brand, instance: Self.instance.id, user: user).key, pool: .turn,
                    kind: TurnTask.message, payload: ["message": .string(id.description), "session": .string(session.description)],
                    runAt: transaction.now))
            return id
        }
    }

    @discardableResult func say(_ text: String) async throws -> MessageID { try await write(.text(text)) }

    /// Works until `holds`, which is asked whenever everything sleeps; as long as it does not hold the clock moves by `step` then. Gives up
    /// after two hours of it.
    func work(step: Duration = .seconds(1), until holds: @Sendable (HandoverWorld) async throws -> Bool) async throws {
        let end = store.clock.now + .seconds(7200)
        // A dispatcher that was stopped stays stopped.
        let dispatchers = handlers.map { pool, handler in
            TaskDispatcher(store: store, pool: pool, handler: handler, jitter: FixedJitter(), logger: Logger(label: "test"))
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for dispatcher in dispatchers { group.addTask { try await dispatcher.run() } }
            defer { group.cancelAll() }
            while true {
                // Each dispatcher sleeps with its renewal and its sweep: then nothing but time can move it.
                while clock.sleepers < 2 * dispatchers.count || dispatchers.contains(where: { $0.busyLanes > 0 }) { await Task.yield() }
                if try await holds(self) { return }
                guard store.clock.now < end else { throw Stuck() }
                clock.advance(by: step)
            }
        }
    }

    /// Works until nothing waits in the customer's lanes and in those of tickets; the wait for a person is not counted.
    func settle() async throws {
        try await work { world in
            try await world.brand.read { [user = world.user] transaction in
                let lanes = [Lane.Kind.turn, .delivery].map {
                    Lane(brand: Self.brand, instance: Self.instance.id, user: user, kind: $0).key
                }
                let tickets = try transaction.handovers(state: nil, after: nil, limit: 50).map { DeskTask.lane(of: $0.id) }
                return try (lanes + tickets).allSatisfy { try transaction.pendingTasks(in: $0) == 0 }
            }
        }
    }

    /// What a person does in the ticket system, as its call brings it.
    func happens(_ events: DeskEvent..., proof: String = "good") async throws -> DeskReceipt? {
        desk.state.withLock { $0.changes = events }
        let request = ChannelRequest(parameters: [:], query: [:], headers: { $0 == "x-proof" ? [proof] : [] })
        return try await inbox.receive(request, desk: "front")
    }

    func reply(
        _ text: String, id: String = "e1", ticket: String = "t-1", automatic: Bool = false, after: Duration = .zero
    ) -> DeskEvent {
        DeskEvent(
            id: id, ticket: ticket, kind: .reply(text: text, attachments: []), author: "front desk", isAutomatic: automatic,
            at: store.clock.now + after)
    }

    func event(_ kind: DeskEvent.Kind, id: String, ticket: String = "t-1") -> DeskEvent {
        DeskEvent(id: id, ticket: ticket, kind: kind, at: store.clock.now)
    }

    // MARK: What is to be seen

    /// Texts that went to the customer, oldest first.
    func told() async throws -> [String] {
        try await brand.read { [session] in try $0.messages(session: session, after: nil, limit: 200) }.filter { !$0.isInbound }.map {
            OutboundContent(json: $0.content)?.plainText ?? ""
        }
    }

    func outcome(_ id: MessageID) async throws -> String? {
        try await brand.read { [session] in try $0.message(id, session: session)?.outcome }
    }

    func handovers() async throws -> [HandoverRecord] { try await brand.read { try $0.handovers(state: nil, after: nil, limit: 50) } }

    /// The only one.
    func handover() async throws -> HandoverRecord {
        let all = try await handovers()
        #expect(all.count == 1)
        return try #require(all.first)
    }

    func isMuted() async throws -> Bool { try await brand.read { [user] in try $0.isMuted(instance: Self.instance.id, user: user) } }

    func feed() async throws -> [String] {
        try await brand.read { [user] in try $0.feed(instance: Self.instance.id, user: user, after: 0, limit: 500).events }.filter {
            $0.kind == .handover
        }.compactMap { $0.body["state"]?.string }
    }
}

struct Stuck: Error {}

/// A brand's API that nobody should call.
private struct NoHTTP: HTTPClient {
    func call(_ call: HTTPCall) async -> HTTPResult { .failed(HTTPFailure(kind: .connect, mayHaveBeenSent: false, detail: "no network")) }
}
