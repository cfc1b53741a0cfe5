import Conversation
import Logging
import Synchronization
import TestKit
import Testing

@testable import Storage

/// Rows that nobody can read, and work that nobody can end, must not keep anything else waiting.
struct QueuePoisonTests {
    private let brand = BrandID(rawValue: "salon")

    private struct Unforgiving: TaskHandler {
        struct Broken: Error {}
        let done: AsyncStream<QueueTask>.Continuation

        func handle(_ context: TaskContext) async throws {
            guard context.task.kind == "test" else { throw StageError(stage: .action, retryable: false, cause: "unknown kind") }
            let task = context.task
            try await context.finish { _ in }
            done.yield(task)
        }

        func giveUp(_ task: QueueTask, lane: String, error: any Error, in transaction: BrandTransaction) throws { throw Broken() }
    }

    /// More poison than fits a claim, in front of good work: within a lane and in lanes of its own.
    @Test func aPageFullOfPoisonDoesNotHideTheGoodWorkBehindIt() async throws {
        let clock = ControlledClock()
        try await TemporaryStore.with(clock: clock) { store in
            let kinds = ["unreadable payload", "unknown kind"]
            for number in 1...300 {
                _ = try await store.put(UInt64(number), lane: "action:\(number)", pool: .action)
                _ = try await store.put(UInt64(1000 + number), lane: "action:same", pool: .action)
            }
            try await store.spoil(
                "UPDATE tasks SET payload = '{\"n\":' WHERE task_id IN (SELECT task_id FROM tasks WHERE lane <> 'x')",
                database: store.database)
            try await store.spoil("UPDATE tasks SET payload = '{}', kind = 'strange' WHERE lane LIKE 'action:1%'", database: store.database)
            clock.advance(by: .milliseconds(5))
            _ = try await store.put(5000, lane: "action:same", pool: .action)
            _ = try await store.put(5001, lane: "action:good", pool: .action)
            let (done, ends) = AsyncStream.makeStream(of: QueueTask.self)
            let dispatcher = TaskDispatcher(
                store: store, pool: .action, options: .init(perBrand: 8, total: 8), handler: Unforgiving(done: ends),
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
            let running = Task { try await dispatcher.run() }
            var good: Set<JSONValue> = []
            for await task in done {
                good.insert(task.payload["n"] ?? .null)
                if good.count == 2 { break }
            }
            #expect(good == [5000, 5001] && kinds.count == 2)
            while try await store.brand(brand).read({ try $0.openDeadLetters() }) < 600 { await Task.yield() }
            running.cancel()
            try await running.value
            let letters = try await store.brand(brand).read { try $0.deadLetters(after: nil, limit: 1000) }
            #expect(letters.count == 600)
            #expect(letters.filter { $0.reason == "unreadable" && $0.task.isNull }.count == 489)
            #expect(letters.filter { $0.reason == "failed" && $0.task["kind"] == "strange" }.count == 111)
            #expect(try await store.brand(brand).read { try !$0.hasPending(lane: "action:same") })
        }
    }

    @Test func whatCannotBeReadIsShownAsItIs() async throws {
        try await TemporaryStore.with { store in
            _ = try await store.put(1)
            try await store.spoil("UPDATE tasks SET payload = 'not json'", database: store.database)
            let claim = try await store.claim()
            #expect(claim.work.isEmpty && claim.lanes == 1)
            let letter = try #require(try await store.brand(brand).read { try $0.deadLetters(after: nil, limit: 9) }.first)
            #expect(letter.kind == "turn" && letter.reason == "unreadable" && letter.detail["lane"] == "turn:a")
            #expect(letter.detail["task"]?.array?.last == "not json")
            #expect(try await store.claim().lanes == 0)
        }
    }
}
