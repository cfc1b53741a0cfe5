import Conversation
import Logging
import Signing
import Storage
import TestKit
import Testing

@testable import Gateway

@Suite struct ActionRetryTests {
    private static let brand = BrandID(rawValue: "salon")
    private static let secret = Secret("whsec_" + Base64.encode(Array(repeating: 7, count: 32)))
    private static let refused = HTTPResult.answer(HTTPAnswer(status: 503))

    private static func runtime(_ safety: Safety = .idempotent) throws -> BrandRuntime {
        let action = ActionDefinition(
            canonicalName: "book_service", displayName: "Book a service", request: RequestTemplate(method: "POST", path: "/bookings"),
            result: ["booking_id": "/id"], safety: safety, notDoneStatuses: [503])
        let configuration = BrandConfiguration(
            id: brand, name: "Salon", api: BrandAPI(baseURL: "http://salon.invalid", signingSecrets: [secret]), actions: [action])
        return try BrandRuntime.bare(configuration)
    }

    /// Queues one decided booking; its id.
    private static func queue(in store: Store) async throws -> ActionID {
        try await store.brand(brand).write { transaction in
            let instance = InstanceID(rawValue: "salon-whatsapp")
            let sender = Sender(identifiers: [Identifier(kind: .phone, value: "+12125550100")])
            let channel = ChannelName(rawValue: "whatsapp")
            let user = try transaction.resolveUser(channel: channel, sender: sender, tier: "guest", verified: true)
            let session = try transaction.openSession(instance: instance, user: user)
            let id = ActionID(transaction.newID())
            let decision = ActionDecision(
                id: id, taskID: transaction.newID(), intentID: IntentID(transaction.newID()), canonicalAction: "book_service", params: [:],
                method: "POST", target: "/bookings", body: Array(#"{"service_id":"s1"}"#.utf8), idempotencyKey: [1, 2, 3],
                fingerprint: [4, 5, 6], priority: .normal)
            _ = try transaction.insertAction(decision, session: session, instance: instance, user: user)
            try transaction.enqueue(
                NewTask(
                    id: QueueTaskID(id.value), lane: ActionRecord.lane(of: id), pool: .action, kind: "action",
                    payload: ["action": .string(id.description)], runAt: transaction.now))
            return id
        }
    }

    /// Runs a dispatcher and moves the clock by seconds whenever all of it sleeps, until the action is settled.
    private static func settle(
        _ answers: [HTTPResult], _ check: (ScriptedBrand, ActionRecord, [AttemptRecord]) throws -> Void
    ) async throws {
        try await settle(answers, safety: .idempotent) { brand, record, attempts, _, _ in try check(brand, record, attempts) }
    }

    private static func settle(
        _ answers: [HTTPResult], safety: Safety,
        _ check: (ScriptedBrand, ActionRecord, [AttemptRecord], Store, Registry) async throws -> Void
    ) async throws {
        let clock = ControlledClock()
        try await TemporaryStore.with(clock: clock) { store in
            let registry = Registry(clock: clock)
            registry.replace(brands: [try runtime(safety)], descriptors: [])
            let http = ScriptedBrand(answers, clock: clock)
            let handler = ActionHandler(
                registry: registry, http: http, jitter: FixedJitter(), jitterFraction: 0.1, metrics: GatewayMetrics(),
                logger: Logger(label: "test"))
            let dispatcher = TaskDispatcher(store: store, pool: .action, handler: handler, logger: Logger(label: "test"))
            let id = try await queue(in: store)
            let (record, attempts) = try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await dispatcher.run() }
                var record = try await store.brand(brand).read { try $0.action(id) }
                while record?.state == .queued {
                    // The dispatcher sleeps with its renewal and its sweep: then nothing but time can move it.
                    if clock.sleepers >= 2, dispatcher.busyLanes == 0 { clock.advance(by: .milliseconds(500)) }
                    await Task.yield()
                    record = try await store.brand(brand).read { try $0.action(id) }
                }
                group.cancelAll()
                return (record, try await store.brand(brand).read { try $0.attempts(of: id.value) })
            }
            try await check(http, try #require(record), attempts, store, registry)
        }
    }

    private static func waits(_ brand: ScriptedBrand) -> [Double] {
        zip(brand.calls.dropFirst(), brand.calls).map { ($0.at - $1.at).seconds }
    }

    @Test func theFifthAttemptComesAfterTwoFourEightAndSixteenSeconds() async throws {
        try await Self.settle(Array(repeating: Self.refused, count: 4)) { brand, record, attempts in
            #expect(record.state == .done)
            #expect(attempts.map(\.outcome) == ["not_sent", "not_sent", "not_sent", "not_sent", "done"])
            for (wait, wanted) in zip(Self.waits(brand), [2.0, 4, 8, 16]) {
                // Never earlier; later only by the steps of this test's clock.
                #expect(wait >= wanted && wait <= wanted + 2, "waited \(wait) s instead of \(wanted)")
            }
            #expect(brand.calls.count == 5)
        }
    }

    @Test func everyAttemptSendsTheSameBytesUnderTheSameKey() async throws {
        let lost = HTTPResult.failed(HTTPFailure(kind: .reset, mayHaveBeenSent: true, detail: "reset"))
        try await Self.settle([Self.refused, lost]) { brand, record, attempts in
            #expect(record.state == .done)
            #expect(attempts.map(\.outcome) == ["not_sent", "unknown", "done"])
            #expect(Set(brand.calls.map { $0.call.body }).count == 1)
            func header(_ name: String) -> [String] {
                brand.calls.compactMap { sent in sent.call.headers.first { $0.name == name }?.value }
            }
            #expect(header("Idempotency-Key").count == 3 && Set(header("Idempotency-Key")).count == 1)
            #expect(Set(header("webhook-id")).count == 1)
            #expect(Set(header("webhook-signature")).count == 3)
        }
    }

    @Test func fiveFailuresAreTheLast() async throws {
        try await Self.settle(Array(repeating: Self.refused, count: 9)) { brand, record, attempts in
            #expect(record.state == .failed)
            #expect(brand.calls.count == 5)
            #expect(attempts.last?.outcome == "not_done")
        }
    }

    private static func unsendable(_ kind: HTTPFailure.Kind) -> HTTPResult {
        .failed(HTTPFailure(kind: kind, mayHaveBeenSent: false, detail: "10.0.0.1 is not a public address and no rule opens it"))
    }

    @Test(arguments: [HTTPFailure.Kind.forbiddenAddress, .invalidRequest])
    func whatCanNeverBeSentFailsAtOnce(kind: HTTPFailure.Kind) async throws {
        try await Self.settle([Self.unsendable(kind)]) { brand, record, attempts in
            #expect(record.state == .failed && !record.mayHaveTakenEffect)
            #expect(brand.calls.count == 1)
            #expect(attempts.map(\.outcome) == ["not_done"])
            #expect(attempts.first?.detail?.contains(kind.rawValue) == true)
        }
    }

    @Test func whatCannotBeSentAgainAfterALostAnswerStaysUnknown() async throws {
        let lost = HTTPResult.failed(HTTPFailure(kind: .reset, mayHaveBeenSent: true, detail: "reset"))
        try await Self.settle([lost, Self.unsendable(.forbiddenAddress)]) { brand, record, _ in
            #expect(record.state == .unknown && record.mayHaveTakenEffect)
            #expect(brand.calls.count == 2)
        }
    }

    // MARK: Driven again

    private static let lost = HTTPResult.failed(HTTPFailure(kind: .reset, mayHaveBeenSent: true, detail: "reset"))

    @Test func whatMustNotBeRepeatedIsNotDrivenAgain() async throws {
        try await Self.settle([Self.lost], safety: .unsafe) { brand, record, _, store, registry in
            #expect(record.state == .unknown && brand.calls.count == 1)
            let desk = DeadLetterDesk(store: store, registry: registry)
            let letters = try await desk.list(brand: Self.brand, after: nil, limit: 10)
            let first = try #require(letters.first)
            #expect(letters.count == 1 && !first.isRedrivable)
            for _ in 1...2 {
                guard case .notRedrivable(let why) = try await desk.redrive(first.letter.id, brand: Self.brand) else {
                    Issue.record("it was accepted")
                    return
                }
                #expect(why.contains("book_service") && why.contains("unsafe"))
            }
            let (after, action, waiting) = try await store.brand(Self.brand).read { transaction in
                (
                    try transaction.deadLetters(after: nil, limit: 10), try transaction.action(record.id),
                    try transaction.pendingTasks(in: ActionRecord.lane(of: record.id))
                )
            }
            #expect(after.map(\.state) == ["open"] && action?.state == .unknown && waiting == 0)
        }
    }

    @Test func whatWasNotDoneIsDrivenAgainWhateverItsSafety() async throws {
        try await Self.settle(Array(repeating: Self.refused, count: 5), safety: .unsafe) { _, record, _, store, registry in
            #expect(record.state == .failed)
            let desk = DeadLetterDesk(store: store, registry: registry)
            let first = try #require(try await desk.list(brand: Self.brand, after: nil, limit: 10).first)
            #expect(first.isRedrivable)
            #expect(try await desk.redrive(first.letter.id, brand: Self.brand) == .done)
            #expect(try await desk.redrive(first.letter.id, brand: Self.brand) == .alreadyEnded("redriven"))
        }
    }

    @Test func anActionThatLeftTheConfigurationIsNotDrivenAgain() async throws {
        try await Self.settle(Array(repeating: Self.refused, count: 5), safety: .idempotent) { _, _, _, store, registry in
            let desk = DeadLetterDesk(store: store, registry: registry)
            let first = try #require(try await desk.list(brand: Self.brand, after: nil, limit: 10).first)
            var gone = try Self.runtime()
            gone = BrandRuntime(
                configuration: BrandConfiguration(id: Self.brand, name: "Salon", api: gone.configuration.api), classifier: gone.classifier,
                brain: gone.brain, webhooks: gone.webhooks, signer: gone.signer)
            registry.replace(brands: [gone], descriptors: [])
            guard case .notRedrivable(let why) = try await desk.redrive(first.letter.id, brand: Self.brand) else {
                Issue.record("it was accepted")
                return
            }
            #expect(why.contains("no longer configured"))
            #expect(try await desk.find(first.letter.id, brand: Self.brand)?.letter.state == "open")
        }
    }

    @Test func aRefusalAfterALostAnswerLeavesItUnknown() async throws {
        let lost = HTTPResult.failed(HTTPFailure(kind: .timeout, mayHaveBeenSent: true, detail: "timeout"))
        try await Self.settle([lost, .answer(HTTPAnswer(status: 422))]) { _, record, _ in
            #expect(record.state == .unknown)
            #expect(record.mayHaveTakenEffect)
        }
    }

    @Test func theBrandsOwnWishIsKeptWhenItIsLonger() async throws {
        let busy = HTTPResult.answer(HTTPAnswer(status: 429, headers: [(name: "retry-after", value: "20")]))
        try await Self.settle([busy]) { brand, record, _ in
            #expect(record.state == .done)
            #expect((Self.waits(brand).first ?? 0) >= 20)
        }
    }
}
