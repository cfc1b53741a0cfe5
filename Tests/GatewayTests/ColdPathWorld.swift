import Conversation
import Logging
import Signing
import Storage
import Synchronization
import TestKit
import Testing

@testable import Gateway

/// A model that answers what a test says, and remembers what it was asked.
final class ScriptedModel: LanguageModel {
    private let asked = Mutex<[ModelPrompt]>([])
    private let answer: @Sendable (ModelPrompt) async -> ModelResult
    private let functions: Set<ModelFunction>

    init(serving functions: Set<ModelFunction> = [.summary], _ answer: @escaping @Sendable (ModelPrompt) async -> ModelResult) {
        self.functions = functions
        self.answer = answer
    }

    var prompts: [ModelPrompt] { asked.withLock { $0 } }
    func serves(_ function: ModelFunction) -> Bool { functions.contains(function) }
    func complete(_ prompt: ModelPrompt) async -> ModelResult {
        asked.withLock { $0.append(prompt) }
        return await answer(prompt)
    }
}

/// One session of one brand, and the work that follows its turns.
struct ColdPathWorld {
    static let brand = BrandID(rawValue: "salon")
    static let instance = InstanceConfiguration(
        id: InstanceID(rawValue: "salon-web"), brand: brand, channel: ChannelName(rawValue: "page"), acceptGuests: true)
    static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    let store: Store
    let registry: Registry
    let session: SessionID
    let user: UserID

    static func with(_ model: ScriptedModel? = nil, _ body: (ColdPathWorld) async throws -> Void) async throws {
        try await TemporaryStore.with { store in
            let registry = Registry(clock: store.clock)
            registry.replace(brands: [try runtime(model)], descriptors: [PageChannel.descriptorOfPages])
            registry.add(channel: PageChannel())
            let (user, session) = try await store.brand(brand).write { transaction in
                let user = try transaction.resolveUser(
                    channel: instance.channel, sender: Sender(identifiers: [Identifier(kind: .phone, value: "+12125550100")]),
                    tier: "verified", verified: true)
                return (user, try transaction.openSession(instance: instance.id, user: user))
            }
            try await body(ColdPathWorld(store: store, registry: registry, session: session, user: user))
        }
    }

    static func configuration(hasModel: Bool) -> BrandConfiguration {
        let action = ActionDefinition(
            canonicalName: "book_service", displayName: "Book a service", category: "Booking",
            request: RequestTemplate(method: "POST", path: "/bookings"))
        let llm = ModelConfiguration(baseURL: "http://model.invalid/v1", functions: [.summary: ModelSettings(model: "small")])
        return BrandConfiguration(
            id: brand, name: "Salon",
            api: BrandAPI(
                baseURL: "http://salon.invalid", signingSecrets: [Secret("whsec_" + Base64.encode(Array(repeating: 7, count: 32)))]),
            instances: [instance], actions: [action], llm: hasModel ? llm : nil)
    }

    private static func runtime(_ model: ScriptedModel?) throws -> BrandRuntime {
        try runtime(configuration(hasModel: model != nil), model)
    }

    static func runtime(_ configuration: BrandConfiguration, _ model: ScriptedModel? = nil) throws -> BrandRuntime {
        return try BrandRuntime.bare(configuration, model: model)
    }

    var brandStore: BrandStore { store.brand(Self.brand) }

    /// Adds a message of the customer; its id.
    @discardableResult func say(_ text: String) async throws -> MessageID {
        try await brandStore.write { transaction in
            let id = MessageID(transaction.newID())
            let message = InboundMessage(
                providerID: "page.\(id)", sender: Sender(identifiers: [Identifier(kind: .phone, value: "+12125550100")]),
                content: .text(text), sentAt: transaction.now)
            _ = try transaction.insertInbound(
                message, content: message.content.canonicalText, id: id, session: session, instance: Self.instance.id, user: user)
            return id
        }
    }

    /// Adds a reply of ours.
    func reply(_ text: String) async throws {
        try await brandStore.write { transaction in
            try transaction.insertOutbound(
                id: MessageID(transaction.newID()), session: session, instance: Self.instance.id, user: user, content: .text(text),
                narrative: .null, inReplyTo: nil, turn: nil)
        }
    }

    /// A conversation long enough to be worth a summary: more than 150 tokens.
    func talk(turns: Int = 12) async throws {
        for turn in 0..<turns {
            try await say("I would like to have a haircut on Tuesday afternoon, turn \(turn) of our talk")
            try await reply("At what time would you like to come on Tuesday? We have time from nine to six.")
        }
    }

    func noted(_ status: IntentLedgerEntry.Status, service: String) async throws {
        try await brandStore.write { transaction in
            let entity = Entity(
                name: "service", kind: .choice, value: "s1", raw: service, label: service)
            try transaction.store(
                IntentLedgerEntry(
                    id: IntentID(transaction.newID()), intentType: .action, canonicalIntent: "book_service", matchType: .exact,
                    confidence: 1, turn: 1, entities: ["service": entity], status: status, source: "pattern"), session: session)
        }
    }

    /// Puts a task into the cold lane and lets a dispatcher of its own work until the lane is empty.
    func noteAndWait() async throws {
        _ = try await brandStore.write { try $0.enqueueCold(ColdTask.notes, session: session, after: .zero) }
        try await work()
    }

    func work() async throws {
        let dispatcher = TaskDispatcher(
            store: store, pool: .cold, options: .init(retry: RetryPolicy(attempts: 2, backoff: [0.01])),
            handler: ColdPathHandler(registry: registry, logger: Self.quiet), jitter: FixedJitter(), logger: Self.quiet)
        let running = Task { try await dispatcher.run() }
        while try await pending() > 0 { await Task.yield() }
        running.cancel()
        try await running.value
    }

    func pending() async throws -> Int {
        try await brandStore.read { try $0.pendingTasks(in: BrandTransaction.coldLane(of: session)) }
    }

    func notes() async throws -> SessionNotes? { try await brandStore.read { try $0.notes(of: session) } }

    func material() async throws -> SummaryMaterial? {
        try await brandStore.read { transaction in
            try transaction.session(session).flatMap { try SummaryMaterial.load($0, in: transaction) }
        }
    }
}
