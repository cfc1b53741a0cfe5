import Conversation
import Logging
import Synchronization
import TestKit
import Testing

@testable import Storage

/// A store whose commits take effect while their answers get lost, as often as it is told to.
private final class ForgetfulDatabase: Database {
    private let inner: any Database
    private let lost = Mutex(0)
    private let refused = Mutex(0)

    init(_ inner: any Database) { self.inner = inner }

    var dialect: Dialect { inner.dialect }

    func loseAnswers(_ count: Int) { lost.withLock { $0 = count } }

    /// Writes that fail from now on, without any effect and for no reason that passes.
    func refuse(_ count: Int) { refused.withLock { $0 = count } }

    func write<Result: Sendable>(_ scope: Scope, _ unit: @escaping @Sendable (any Connection) throws -> Result) async throws -> Result {
        let isRefused = refused.withLock { left in
            guard left > 0 else { return false }
            left -= 1
            return true
        }
        if isRefused { throw StorageError.failed(code: 10, "disk I/O error") }
        let result = try await inner.write(scope, unit)
        let isLost = lost.withLock { left in
            guard left > 0 else { return false }
            left -= 1
            return true
        }
        if isLost { throw StorageError.unavailable("the answer to the commit was lost") }
        return result
    }

    func read<Result: Sendable>(_ scope: Scope, _ unit: @escaping @Sendable (any Connection) throws -> Result) async throws -> Result {
        try await inner.read(scope, unit)
    }

    func close() async { await inner.close() }
}

/// A claim that took effect without its claimer hearing of it.
struct LostAnswerTests {
    private let brand = BrandID(rawValue: "salon")

    private struct Noting: TaskHandler {
        let attempts: AsyncStream<QueueTask>.Continuation
        let gate: AsyncStream<Void>

        func handle(_ context: TaskContext) async throws {
            attempts.yield(context.task)
            for await _ in gate { break }
            try await context.finish { _ in }
        }

        func giveUp(_ task: QueueTask, lane: String, error: any Error, in transaction: BrandTransaction) throws {}
    }

    private struct World {
        let store: Store
        /// Another node's, whose answers arrive.
        let other: Store
        let database: ForgetfulDatabase
        let clock: ControlledClock
    }

    private func with(_ body: (World) async throws -> Void) async throws {
        let test = try await TestDatabase.make()
        let (clock, database) = (ControlledClock(), ForgetfulDatabase(test.database))
        let world = World(
            store: Store(database: database, clock: clock, ids: CountingIDs(from: 1000), node: "node-1"),
            other: Store(database: test.database, clock: clock, ids: CountingIDs(from: 2000), node: "node-2"), database: database,
            clock: clock)
        do { try await body(world) } catch {
            try await test.remove()
            throw error
        }
        try await test.remove()
    }

    /// A dispatcher of turns, what its worker is given, and what lets the worker go on, once each.
    private func dispatching(
        _ store: Store
    ) -> (dispatcher: TaskDispatcher, attempts: AsyncStream<QueueTask>, opener: AsyncStream<Void>.Continuation) {
        let (attempts, attempt) = AsyncStream.makeStream(of: QueueTask.self)
        let (gate, opener) = AsyncStream.makeStream(of: Void.self)
        let dispatcher = TaskDispatcher(
            store: store, pool: .turn, handler: Noting(attempts: attempt, gate: gate),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        return (dispatcher, attempts, opener)
    }

    /// Time passes only while the dispatcher waits for it: with its renewal and its next look asleep.
    private func pass(_ duration: Duration, _ clock: ControlledClock) async {
        while clock.sleepers < 2 { await Task.yield() }
        clock.advance(by: duration)
    }

    /// After a second the lane is free again, and what stood in it is found as if nobody had ever taken it: a send that was never begun
    /// is not one whose end nobody knows. `away` is longer than a lease in one case.
    @Test(arguments: [Duration.seconds(2), .seconds(90)]) func aClaimWhoseAnswerWasLostIsTakenBack(away: Duration) async throws {
        try await with { world in
            let (store, clock) = (world.store, world.clock)
            _ = try await world.other.put(1)
            let (dispatcher, attempts, opener) = dispatching(store)
            var found = attempts.makeAsyncIterator()
            world.database.loseAnswers(1)
            let running = Task { try await dispatcher.run() }
            await pass(away, clock)
            let task = try #require(await found.next())
            #expect(task.attempts == 1 && !task.wasInterrupted && task.crashes == 0)
            opener.yield()
            running.cancel()
            try await running.value
        }
    }

    /// What really runs is not taken from its worker.
    @Test func whatIsBeingWorkedOnStays() async throws {
        try await with { world in
            let (store, clock) = (world.store, world.clock)
            _ = try await world.other.put(1, lane: "turn:a")
            let (dispatcher, attempts, opener) = dispatching(store)
            var found = attempts.makeAsyncIterator()
            let running = Task { try await dispatcher.run() }
            #expect(await found.next()?.payload["n"] == 1)
            let lease = try #require(dispatcher.state.withLock { $0.active.first })
            while clock.sleepers < 2 { await Task.yield() }
            // The claim of the second task is lost, the next one finds it.
            world.database.loseAnswers(1)
            _ = try await world.other.put(2, lane: "turn:b")
            store.hear(.ready(brand, .turn))
            while dispatcher.state.withLock({ !$0.hasDoubts }) { await Task.yield() }
            await pass(.seconds(2), clock)
            let second = await found.next()
            #expect(second?.payload["n"] == 2 && second?.attempts == 1)
            try await store.brand(brand).write { try $0.fence(lease) }
            opener.yield()
            opener.yield()
            running.cancel()
            try await running.value
        }
    }

    /// Its end could not be stored, so it may have acted: looking back for claims that got lost does not undo it.
    @Test func whatCouldNotBeEndedIsFoundInterrupted() async throws {
        try await with { world in
            let (store, clock) = (world.store, world.clock)
            _ = try await world.other.put(1, lane: "turn:a")
            let (dispatcher, attempts, opener) = dispatching(store)
            var found = attempts.makeAsyncIterator()
            let running = Task { try await dispatcher.run() }
            #expect(await found.next()?.attempts == 1)
            while clock.sleepers < 2 { await Task.yield() }
            world.database.refuse(2)
            opener.yield()
            while dispatcher.busyLanes > 0 { await Task.yield() }
            // A claim is lost, and the next one looks back.
            world.database.loseAnswers(1)
            _ = try await world.other.put(2, lane: "turn:b")
            store.hear(.ready(brand, .turn))
            while dispatcher.state.withLock({ !$0.hasDoubts }) { await Task.yield() }
            await pass(.seconds(2), clock)
            #expect(await found.next()?.payload["n"] == 2)
            opener.yield()
            while dispatcher.busyLanes > 0 { await Task.yield() }
            await pass(.seconds(90), clock)
            let again = try #require(await found.next())
            #expect(again.payload["n"] == 1)
            #expect(again.wasInterrupted && again.attempts == 2 && again.crashes == 0)
            opener.yield()
            running.cancel()
            try await running.value
        }
    }

    /// An attempt before the lost one had been interrupted: that stays known.
    @Test func whatWasInterruptedBeforeStaysSo() async throws {
        try await with { world in
            let (store, clock) = (world.store, world.clock)
            _ = try await store.put(1)
            let first = try #require(try await store.claim().work.first)
            try await store.brand(brand).write {
                try $0.postpone(first.task, in: first.lease, until: $0.now + .seconds(1), holdingLane: true, mayHaveActed: true)
            }
            clock.advance(by: .seconds(1))
            _ = try await store.claim()
            let count = try await store.brand(brand).write { try $0.giveBackUnknown(pool: .turn, but: []) }
            let again = try #require(try await store.claim().work.first)
            #expect(count == 1 && again.task.wasInterrupted && again.task.attempts == 2 && again.task.crashes == 0)
        }
    }

    /// A lane that its own node takes over tells of no crash: the process lives.
    @Test func aLaneTakenOverByItsOwnNodeCountsNoCrash() async throws {
        try await with { world in
            let (store, clock) = (world.store, world.clock)
            _ = try await store.put(1)
            _ = try await store.claim()
            clock.advance(by: .seconds(31))
            let again = try #require(try await store.claim().work.first)
            #expect(again.task.wasInterrupted && again.task.attempts == 2 && again.task.crashes == 0)
        }
    }

    /// The commit that ended a task took the next one of its lane, nobody heard of it, and the process ends: the next one never began.
    @Test func whatWasTakenUnknowinglyAtAShutdownWasNeverBegun() async throws {
        try await with { world in
            let (store, clock) = (world.store, world.clock)
            for number in 1...2 { _ = try await world.other.put(UInt64(number)) }
            let (dispatcher, attempts, opener) = dispatching(store)
            var found = attempts.makeAsyncIterator()
            let running = Task { try await dispatcher.run() }
            #expect(await found.next()?.payload["n"] == 1)
            while clock.sleepers < 2 { await Task.yield() }
            world.database.loseAnswers(1)
            opener.yield()
            // It waits to ask again.
            while clock.sleepers < 3 { await Task.yield() }
            running.cancel()
            try await running.value
            let left = try #require(try await world.other.claim().work.first)
            #expect(left.task.payload["n"] == 2)
            #expect(!left.task.wasInterrupted && left.task.attempts == 1 && left.task.crashes == 0)
        }
    }

    /// The same when asking again fails for good.
    @Test func whatWasTakenUnknowinglyBeforeAFailureWasNeverBegun() async throws {
        try await with { world in
            let (store, clock) = (world.store, world.clock)
            for number in 1...2 { _ = try await world.other.put(UInt64(number)) }
            let (dispatcher, attempts, opener) = dispatching(store)
            var found = attempts.makeAsyncIterator()
            let running = Task { try await dispatcher.run() }
            #expect(await found.next()?.payload["n"] == 1)
            while clock.sleepers < 2 { await Task.yield() }
            world.database.loseAnswers(1)
            opener.yield()
            while clock.sleepers < 3 { await Task.yield() }
            world.database.refuse(1)
            clock.advance(by: .milliseconds(100))
            let next = try #require(await found.next())
            #expect(next.payload["n"] == 2 && !next.wasInterrupted && next.attempts == 1)
            opener.yield()
            running.cancel()
            try await running.value
        }
    }
}
