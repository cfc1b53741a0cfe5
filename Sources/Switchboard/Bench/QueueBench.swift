#if Sandbox
    import Conversation
    import Foundation
    import Logging
    import Storage
    import Synchronization

    /// No-op tasks through the queue of a store: put in one by one, then claimed and ended by a dispatcher, as in the gateway.
    struct QueueBench {
        let database: any Database
        let tasks: Int
        /// Tasks being put in at once, and lanes being worked on at once.
        let width: Int

        private static let brands = (0..<4).map { BrandID(rawValue: "bench-\($0)") }
        private var store: Store {
            let clock = SystemClock()
            return Store(database: database, clock: clock, ids: SystemIDs(clock: clock), node: "bench", eventsAreWanted: { false })
        }

        /// Ends each task at once and counts it.
        private final class Nothing: TaskHandler {
            let done = Atomic<Int>(0)

            func handle(_ context: TaskContext) async throws {
                try await context.finish { _ in }
                done.add(1, ordering: .relaxed)
            }

            func giveUp(_ task: QueueTask, lane: String, error: any Error, in transaction: BrandTransaction) throws {
                throw StageError(stage: .storage, retryable: false, cause: "a no-op failed: \(error)")
            }
        }

        func throughput() async throws -> JSONValue {
            let store = store
            var began = ContinuousClock.now
            try await putIn(store)
            let putIn = (ContinuousClock.now - began).seconds
            let handler = Nothing()
            let dispatcher = TaskDispatcher(
                store: store, pool: .action, options: .init(perBrand: width, total: width), handler: handler, logger: Logger(label: "bench")
            )
            began = ContinuousClock.now
            // Ends with the last task: the benchmark has nothing else to wait for.
            let running = Task { try await dispatcher.run() }
            while handler.done.load(ordering: .relaxed) < tasks {
                guard ContinuousClock.now - began < .seconds(300) else { throw StartProblem("the tasks did not end in time") }
                try await Task.sleep(for: .milliseconds(2))
            }
            let workedOff = (ContinuousClock.now - began).seconds
            running.cancel()
            try await running.value
            return [
                "jobs": .integer(Int64(tasks)), "enqueue_per_s": .number((Double(tasks) / putIn).rounded()),
                "work_per_s": .number((Double(tasks) / workedOff).rounded()),
                "per_s": .number((Double(tasks) / (putIn + workedOff)).rounded()),
            ]
        }

        private func putIn(_ store: Store) async throws {
            let (tasks, width) = (tasks, width)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for first in 0..<width {
                    group.addTask {
                        for number in stride(from: first, to: tasks, by: width) {
                            try await store.brand(Self.brands[number % Self.brands.count]).write {
                                try $0.enqueue(Self.task(lane: "action:\(number)", $0))
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
        }

        private static func task(lane: String, _ transaction: BrandTransaction) -> NewTask {
            NewTask(
                id: QueueTaskID(transaction.newID()), lane: lane, pool: .action, kind: "nothing", payload: .object([:]),
                runAt: transaction.now)
        }
    }

    /// What one operation costs beside many waiting tasks.
    extension QueueBench {
        private static let crowded = BrandID(rawValue: "bench-crowded")
        /// Half of the waiting tasks stand in one lane, the others in lanes of their own.
        private static let deep = "turn:deep"

        /// Medians in microseconds, with as many waiting tasks as said; sizes ascend.
        func medians(at sizes: [Int], samples: Int = 300) async throws -> JSONValue {
            let store = store
            var stand = 0
            var medians: [String: [Double]] = [:]
            for size in sizes {
                try await fill(store, from: stand, to: size)
                stand = size
                // What filling left behind is worked off behind the scenes: a log to fold back, statistics to make.
                try await Task.sleep(for: .seconds(database.dialect.isShared ? 6 : 1))
                for (name, operation) in Self.operations {
                    medians[name, default: []].append(try await Self.median(of: samples) { try await operation(store, $0) })
                }
            }
            return .object(
                medians.mapValues { values in
                    .object([
                        "us": .array(values.map { .number(($0 * 10).rounded() / 10) }),
                        "ratio": .number(((values.last ?? 0) / max(values.first ?? 1, 0.1) * 100).rounded() / 100),
                    ])
                })
        }

        private static let operations: [(String, @Sendable (Store, Int) async throws -> Void)] = [
            ("enqueue", { store, _ in try await store.brand(crowded).write { try $0.enqueue(task(lane: deep, $0)) } }),
            (
                "claim",
                { store, _ in
                    try await store.brand(crowded).write { transaction in
                        let claim = try transaction.claim(pool: .action, limit: 1, until: transaction.now + .seconds(30))
                        for (lease, task) in claim.work { try transaction.giveBack(task, lease) }
                    }
                }
            ),
            (
                "claim in a deep lane",
                { store, _ in
                    try await store.brand(crowded).write { transaction in
                        let claim = try transaction.claim(pool: .turn, limit: 1, until: transaction.now + .seconds(30))
                        for (lease, task) in claim.work { try transaction.giveBack(task, lease) }
                    }
                }
            ),
            (
                "interrupt check",
                { store, _ in
                    let id = QueueTaskID(UniqueID(high: 0, low: 0))
                    _ = try await store.brand(crowded).read { try $0.isInterrupted(id, lane: deep) }
                }
            ),
            ("sweep", { store, _ in _ = try await store.brandsWithWork() }),
        ]

        private func fill(_ store: Store, from: Int, to: Int) async throws {
            let piece = 2000
            for start in stride(from: from, to: to, by: piece) {
                try await store.brand(Self.crowded).write { transaction in
                    for number in start..<min(start + piece, to) {
                        var task = Self.task(lane: number.isMultiple(of: 2) ? Self.deep : "action:\(number)", transaction)
                        if number.isMultiple(of: 2) { task.pool = .turn }
                        try transaction.enqueue(task)
                    }
                }
            }
        }

        private static func median(of samples: Int, _ operation: (Int) async throws -> Void) async throws -> Double {
            var times: [Double] = []
            for number in 0..<samples {
                let began = ContinuousClock.now
                try await operation(number)
                times.append((ContinuousClock.now - began).seconds * 1e6)
            }
            return times.sorted()[samples / 2]
        }
    }
#endif
