import Conversation
import Logging
import Synchronization
import TestKit
import Testing

@testable import Storage

/// Does what a test says, and tells it of each attempt.
private struct ScriptedHandler: TaskHandler {
    let attempts: AsyncStream<QueueTask>.Continuation
    var givenUp: AsyncStream<QueueTask>.Continuation?
    let script: @Sendable (TaskContext) async throws -> Void

    func handle(_ context: TaskContext) async throws {
        attempts.yield(context.task)
        try await script(context)
    }

    func giveUp(_ task: QueueTask, lane: String, error: any Error, in transaction: BrandTransaction) throws { givenUp?.yield(task) }
}

struct DispatcherTests {
    private let brand = BrandID(rawValue: "salon")

    private func enqueue(_ store: Store, _ number: UInt64, pool: LanePool = .action) async throws {
        try await store.brand(brand).write { transaction in
            try transaction.enqueue(
                NewTask(
                    id: QueueTaskID(UniqueID(high: 1, low: number)), lane: "action:\(number)", pool: pool, kind: "test",
                    payload: ["n": .integer(Int64(number))], runAt: transaction.now))
        }
    }

    /// Runs a dispatcher over a store while `body` watches the attempts.
    private func run(
        clock: any WallClock, _ options: TaskDispatcher.Options, jitter: any JitterSource = FixedJitter(),
        givenUp: AsyncStream<QueueTask>.Continuation? = nil,
        script: @escaping @Sendable (TaskContext) async throws -> Void,
        _ body: (Store, inout AsyncStream<QueueTask>.Iterator) async throws -> Void
    ) async throws {
        try await TemporaryStore.with(clock: clock) { store in
            let (attempts, continuation) = AsyncStream.makeStream(of: QueueTask.self)
            let dispatcher = TaskDispatcher(
                store: store, pool: .action, options: options,
                handler: ScriptedHandler(attempts: continuation, givenUp: givenUp, script: script),
                jitter: jitter, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
            let running = Task { try await dispatcher.run() }
            var iterator = attempts.makeAsyncIterator()
            try await body(store, &iterator)
            running.cancel()
            try await running.value
        }
    }

    private struct Broken: Error {}

    @Test(arguments: [true, false]) func anAttemptThatFailedAfterItActedIsFoundInterrupted(acts: Bool) async throws {
        let options = TaskDispatcher.Options(retry: RetryPolicy(attempts: 3, backoff: [0.01]))
        try await run(clock: SystemClock(), options) { context in
            if context.task.attempts == 1 {
                if acts { context.willAct() }
                throw Broken()
            }
            try await context.finish { _ in }
        } _: { store, attempts in
            try await enqueue(store, 1)
            #expect(await attempts.next()?.wasInterrupted == false)
            let second = await attempts.next()
            #expect(second?.attempts == 2 && second?.wasInterrupted == acts)
        }
    }

    @Test(arguments: [true, false]) func whatIsGivenUpIsKnownToHaveActedOnItsLastAttempt(acts: Bool) async throws {
        let options = TaskDispatcher.Options(retry: RetryPolicy(attempts: 1))
        let (givenUp, continuation) = AsyncStream.makeStream(of: QueueTask.self)
        try await run(clock: SystemClock(), options, givenUp: continuation) { context in
            if acts { context.willAct() }
            throw Broken()
        } _: { store, _ in
            try await enqueue(store, 1)
            var tasks = givenUp.makeAsyncIterator()
            let last = await tasks.next()
            #expect(last?.attempts == 1 && last?.wasInterrupted == acts)
        }
    }

    @Test func chanceLengthensTheWaitOfAFailedTask() async throws {
        let clock = ControlledClock()
        let times = Mutex<[Timestamp]>([])
        let options = TaskDispatcher.Options(retry: RetryPolicy(attempts: 2, backoff: [2]), jitterFraction: 0.5)
        try await run(clock: clock, options, jitter: FixedJitter(1)) { context in
            times.withLock { $0.append(clock.now) }
            if context.task.attempts == 1 { throw Broken() }
            try await context.finish { _ in }
        } _: { store, _ in
            try await enqueue(store, 1)
            while times.withLock({ $0.count }) < 2 {
                // Renewal and sweep asleep: nothing but time moves it.
                if clock.sleepers >= 2 { clock.advance(by: .milliseconds(100)) }
                await Task.yield()
            }
            let seen = times.withLock { $0 }
            #expect(seen[1] - seen[0] >= .seconds(3))
        }
    }

    /// A process that stood still for longer than its lease, or could not write for so long, goes on with what it holds.
    @Test func aLeaseThatRanOutIsNotTakenOverByItsOwnHolder() async throws {
        let clock = ControlledClock()
        let (gate, opener) = AsyncStream.makeStream(of: Void.self)
        let stored = AsyncStream.makeStream(of: Bool.self)
        try await run(clock: clock, TaskDispatcher.Options(lease: .seconds(30))) { context in
            if context.task.payload["n"] == 1 { for await _ in gate { break } }
            do {
                try await context.finish { _ in }
                stored.continuation.yield(true)
            } catch {
                stored.continuation.yield(false)
                throw error
            }
        } _: { store, attempts in
            try await enqueue(store, 1)
            #expect(await attempts.next()?.payload["n"] == 1)
            clock.advance(by: .seconds(100))
            // Makes the dispatcher claim whatever can be claimed.
            try await enqueue(store, 2)
            #expect(await attempts.next()?.payload["n"] == 2)
            var results = stored.stream.makeAsyncIterator()
            #expect(await results.next() == true)
            opener.yield()
            #expect(await results.next() == true)
        }
    }

    /// Another process, over the same tables.
    private func other(_ node: String, than store: Store) -> Store {
        Store(database: store.database, clock: store.clock, ids: store.ids, node: node)
    }

    /// As many processes as said took the task, one after the other, and died of it: their leases are over.
    private func crash(_ store: Store, times: Int) async throws {
        for number in 0..<times {
            let dead = other("dead-\(number)", than: store)
            let claim = try await dead.brand(brand).write { try $0.claim(pool: .action, limit: 1, until: $0.now) }
            #expect(claim.work.count == 1)
        }
    }

    private func dispatcher(_ store: Store, _ pool: LanePool, _ handler: ScriptedHandler) -> TaskDispatcher {
        TaskDispatcher(
            store: store, pool: pool, options: .init(retry: RetryPolicy(attempts: 9, backoff: [0.01])), handler: handler,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    /// Leases are void at the start only where one process opens the store.
    @Test func aTaskThatWasThereAtTwoCrashesRunsWhileNothingElseDoes() async throws {
        try await TemporaryStore.with(.sqlite) { store in
            try await enqueue(store, 1)
            try await crash(store, times: 2)
            let (attempts, continuation) = AsyncStream.makeStream(of: QueueTask.self)
            let (gate, opener) = AsyncStream.makeStream(of: Void.self)
            let (ended, ends) = AsyncStream.makeStream(of: Void.self)
            let told = Mutex<[String]>([])
            let handler = ScriptedHandler(attempts: continuation) { context in
                let number = context.task.payload["n"]?.integer ?? 0
                told.withLock { $0.append("begin \(number)") }
                if number == 2 { for await _ in gate { break } }
                for _ in 0..<100 { await Task.yield() }
                told.withLock { $0.append("end \(number)") }
                try await context.finish { _ in }
                ends.yield()
            }
            var begun = attempts.makeAsyncIterator()
            try await enqueue(store, 2, pool: .turn)
            let (turns, actions) = (dispatcher(store, .turn, handler), dispatcher(store, .action, handler))
            let others = Task { try await turns.run() }
            #expect(await begun.next()?.payload["n"] == 2)
            let suspect = Task { try await actions.run() }
            while actions.busyLanes == 0 { await Task.yield() }
            for _ in 0..<1000 { await Task.yield() }
            try await enqueue(store, 3, pool: .turn)
            opener.yield()
            var all = ended.makeAsyncIterator()
            for _ in 0..<3 { _ = await all.next() }
            let order = told.withLock { $0 }
            let start = try #require(order.firstIndex(of: "begin 1"))
            #expect(order[start + 1] == "end 1")
            let end = try #require(order.firstIndex(of: "end 2"))
            #expect(end < start)
            for running in [others, suspect] {
                running.cancel()
                try await running.value
            }
        }
    }

    /// Only what killed the process while nothing else ran is given up; an attempt that merely failed is not held against it.
    /// Leases are void at the start only where one process opens the store.
    @Test func aCrashWhileAloneIsTheLast() async throws {
        try await TemporaryStore.with(.sqlite) { store in
            try await enqueue(store, 1)
            try await crash(store, times: 4)
            let (attempts, continuation) = AsyncStream.makeStream(of: QueueTask.self)
            let (givenUp, letters) = AsyncStream.makeStream(of: QueueTask.self)
            let calls = Mutex(0)
            let handler = ScriptedHandler(attempts: continuation, givenUp: letters) { context in
                if context.task.payload["n"] == 2 { return try await context.finish { _ in } }
                if calls.withLock({ count in
                    count += 1
                    return count
                }) == 1 {
                    throw Broken()
                }
                // This process died of it, as far as another one can see: the lease is over, that one takes the lane, and dies too.
                try await store.brand(brand).write { _ = try $0.renew(context.lease, until: $0.now) }
                try await crash(store, times: 1)
                // Makes the dispatcher look again.
                try await enqueue(store, 2)
                throw CancellationError()
            }
            let actions = dispatcher(store, .action, handler)
            let running = Task { try await actions.run() }
            var begun = attempts.makeAsyncIterator()
            #expect(await begun.next()?.crashes == 2)
            #expect(await begun.next()?.crashes == 2)
            var given = givenUp.makeAsyncIterator()
            #expect(await given.next()?.wasInterrupted == true)
            #expect(calls.withLock { $0 } == 2)
            running.cancel()
            try await running.value
        }
    }
}
