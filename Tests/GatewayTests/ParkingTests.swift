import Conversation
import HTTPCalls
import Logging
import Signing
import Storage
import Synchronization
import TestKit
import Testing

@testable import Gateway

/// A brand that is away for a time.
private final class AwayBrand: HTTPClient {
    let clock: ControlledClock
    let back: Timestamp
    let calls = Mutex<[(at: Timestamp, subject: String?)]>([])

    init(clock: ControlledClock, awayFor time: Duration) {
        self.clock = clock
        back = clock.now + time
    }

    func call(_ call: HTTPCall) async -> HTTPResult {
        let now = clock.now
        calls.withLock { $0.append((now, call.subject)) }
        if now < back { return .answer(HTTPAnswer(status: 503)) }
        return .answer(HTTPAnswer(status: 201, body: Array(#"{"id":"bk-1"}"#.utf8)))
    }
}

@Suite struct ParkingTests {
    private static let brand = BrandID(rawValue: "salon")
    private static let secret = Secret("whsec_" + Base64.encode(Array(repeating: 7, count: 32)))

    private struct World {
        let store: Store
        let clock: ControlledClock
        let remote: AwayBrand
        let circuits: CircuitBreakers
        let registry: Registry
        var actions: [ActionID] = []

        func records() async throws -> [ActionRecord] {
            let actions = actions
            return try await store.brand(brand).read { transaction in try actions.compactMap { try transaction.action($0) } }
        }
    }

    private static func runtime(retention: Duration = .seconds(86_400)) throws -> BrandRuntime {
        let action = ActionDefinition(
            canonicalName: "book_service", displayName: "Book a service", request: RequestTemplate(method: "POST", path: "/bookings"),
            result: ["booking_id": "/id"], safety: .idempotent, notDoneStatuses: [503])
        let configuration = BrandConfiguration(
            id: brand, name: "Salon",
            api: BrandAPI(baseURL: "http://salon.invalid", signingSecrets: [secret], keyRetention: retention), actions: [action])
        return try BrandRuntime.bare(configuration)
    }

    /// Queues a decided booking of another customer.
    private static func queue(_ number: UInt8, in store: Store) async throws -> ActionID {
        try await store.brand(brand).write { transaction in
            let instance = InstanceID(rawValue: "salon-whatsapp")
            let sender = Sender(identifiers: [Identifier(kind: .phone, value: "+121255501\(10 + number)")])
            let user = try transaction.resolveUser(
                channel: ChannelName(rawValue: "whatsapp"), sender: sender, tier: "guest", verified: true)
            let session = try transaction.openSession(instance: instance, user: user)
            let id = ActionID(transaction.newID())
            let decision = ActionDecision(
                id: id, taskID: transaction.newID(), intentID: IntentID(transaction.newID()), canonicalAction: "book_service", params: [:],
                method: "POST", target: "/bookings", body: Array(#"{"service_id":"s1"}"#.utf8), idempotencyKey: [number],
                fingerprint: [number], priority: .normal)
            _ = try transaction.insertAction(decision, session: session, instance: instance, user: user)
            try transaction.enqueue(
                NewTask(
                    id: QueueTaskID(id.value), lane: ActionRecord.lane(of: id), pool: .action, kind: "action",
                    payload: ["action": .string(id.description)], runAt: transaction.now))
            return id
        }
    }

    /// Lets time pass until `isOver`, at most ten minutes of it.
    private static func run(
        awayFor: Duration, park: Duration, actions count: UInt8 = 14, _ check: (World) async throws -> Void
    ) async throws {
        let clock = ControlledClock()
        try await TemporaryStore.with(clock: clock) { store in
            let registry = Registry(clock: clock)
            registry.replace(brands: [try runtime()], descriptors: [])
            let remote = AwayBrand(clock: clock, awayFor: awayFor)
            let circuits = CircuitBreakers(remote, clock: clock)
            let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            let parking = Parking(
                store: store, circuits: circuits, park: park, brands: { [brand] }, metrics: GatewayMetrics(), logger: quiet)
            let handler = ActionHandler(
                registry: registry, http: circuits, parking: parking, jitter: FixedJitter(), jitterFraction: 0.1,
                metrics: GatewayMetrics(), logger: quiet)
            let dispatcher = TaskDispatcher(store: store, pool: .action, handler: handler, logger: quiet)
            var world = World(store: store, clock: clock, remote: remote, circuits: circuits, registry: registry)
            for number in 0..<count { world.actions.append(try await queue(number, in: store)) }
            let ready = world
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await dispatcher.run() }
                group.addTask { try await parking.run() }
                let latest = clock.now + .seconds(600)
                while clock.now < latest, try await ready.records().contains(where: { $0.state == .queued }) {
                    // All that runs sleeps: then nothing but time can move it.
                    if clock.sleepers >= 3, dispatcher.busyLanes == 0 { clock.advance(by: .milliseconds(500)) }
                    await Task.yield()
                }
                group.cancelAll()
            }
            try await check(ready)
        }
    }

    @Test func whileABrandIsAwayItsWorkWaitsAndThenAllOfItIsDone() async throws {
        try await Self.run(awayFor: .seconds(120), park: .seconds(1800)) { world in
            let records = try await world.records()
            #expect(records.count == 14 && records.allSatisfy { $0.state == .done })
            #expect(try await world.store.brand(Self.brand).read { try $0.openDeadLetters() } == 0)
            let calls = world.remote.calls.withLock { $0 }
            let away = calls.filter { $0.at < world.remote.back }
            // The first ten calls opened the circuit, all at the same time; from then on there is one in five seconds.
            let probes = away.filter { $0.at > away[0].at }
            #expect(away.count - probes.count >= 10 && probes.count <= 24 && probes.count >= 12, "\(probes.count) probes")
            for (earlier, later) in zip(away[..<1] + probes, probes) {
                #expect(later.at - earlier.at >= .seconds(5), "\((later.at - earlier.at).seconds) s between two probes")
            }
            let after = calls.dropFirst(away.count)
            let counts = Dictionary(grouping: after, by: { $0.at }).mapValues(\.count)
            #expect((counts.values.max() ?? 0) <= 9, "what comes back is not run over: \(counts.values)")
            #expect(world.circuits.nextProbe(of: "brand:salon") == nil)
            #expect(try await world.store.brand(Self.brand).read { try $0.parkedLanes(pool: .action) } == 0)
        }
    }

    @Test func refusalsCostNoAttempt() async throws {
        try await Self.run(awayFor: .seconds(120), park: .seconds(1800)) { world in
            let calls = world.remote.calls.withLock { $0 }
            for action in world.actions {
                let made = calls.filter { $0.subject == action.description }.count
                let recorded = try await world.store.brand(Self.brand).read { try $0.attempts(of: action.value) }
                #expect(recorded.count == made && recorded.last?.outcome == "done")
            }
        }
    }

    @Test func customersHearOnceThatItTakesLonger() async throws {
        try await Self.run(awayFor: .seconds(60), park: .seconds(1800)) { world in
            let records = try await world.records()
            for record in records {
                let lane = Lane(brand: Self.brand, instance: record.instance, user: record.user).key
                let told = try await world.store.brand(Self.brand).read { try $0.tasks(in: lane).map { $0.payload["state"]?["is"] } }
                #expect(told.last == "done")
                #expect((1...2).contains(told.filter { $0 == "retrying" }.count), "\(told)")
            }
        }
    }

    @Test func whatWaitedTooLongIsGivenUpAndTold() async throws {
        try await Self.run(awayFor: .seconds(9000), park: .seconds(90)) { world in
            let records = try await world.records()
            #expect(records.allSatisfy { $0.state == .failed && !$0.mayHaveTakenEffect })
            let letters = try await world.store.brand(Self.brand).read { try $0.deadLetters(after: nil, limit: 100) }
            #expect(letters.count == 14 && letters.allSatisfy { $0.kind == "action" && $0.reason == "not_done" })
            #expect(letters.allSatisfy { $0.createdAt - (world.remote.back + .seconds(-9000)) >= .seconds(90) })
            for record in records {
                let lane = Lane(brand: Self.brand, instance: record.instance, user: record.user).key
                let told = try await world.store.brand(Self.brand).read { try $0.tasks(in: lane).map { $0.payload["state"]?["is"] } }
                #expect(told.last == "not_done")
            }
        }
    }

    @Test func aLateRedriveWarns() async throws {
        try await Self.run(awayFor: .seconds(9000), park: .seconds(90)) { world in
            let desk = DeadLetterDesk(store: world.store, registry: world.registry)
            let letters = try await desk.list(brand: Self.brand, after: nil, limit: 2).map(\.letter.id)
            #expect(try await desk.redrive(try #require(letters.first), brand: Self.brand) == .done)
            world.clock.advance(by: .seconds(25 * 3600))
            guard case .doneButLate(let warning) = try await desk.redrive(try #require(letters.last), brand: Self.brand) else {
                Issue.record("no warning")
                return
            }
            #expect(warning.contains("book_service") && warning.contains("24") && warning.contains("key_retention_h"))
        }
    }
}
