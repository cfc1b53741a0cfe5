import Conversation
import TestKit
import Testing

@testable import Storage

struct QueueOperationTests {
    private let brand = BrandID(rawValue: "salon")
    private func id(_ number: UInt64) -> QueueTaskID { QueueTaskID(UniqueID(high: 1, low: number)) }

    @Test func oneKeyIsOneTask() async throws {
        try await TemporaryStore.with { store in
            #expect(try await store.put(1, uniqueKey: "reminder:7"))
            #expect(try await !store.put(2, uniqueKey: "reminder:7"))
            #expect(try await store.put(3, uniqueKey: "reminder:8"))
            #expect(try await store.put(4, uniqueKey: "reminder:7", brand: BrandID(rawValue: "jobs")))
            let queue = TaskQueue(store: store)
            #expect(try await queue.tasks(in: "turn:a", brand: brand).map(\.id) == [id(1), id(3)])
            let first = try #require(try await store.claim().work.first)
            try await store.brand(brand).write {
                try $0.remove(first.task, from: first.lease)
                try $0.release(first.lease)
            }
            #expect(try await store.put(5, uniqueKey: "reminder:7"), "the key is free when its task has ended")
        }
    }

    @Test func looksAtALaneWithoutTakingAnything() async throws {
        try await TemporaryStore.with(clock: ControlledClock()) { store in
            let queue = TaskQueue(store: store)
            #expect(try await queue.peek(lane: "turn:a", brand: brand) == nil)
            _ = try await store.put(1)
            _ = try await store.put(2, priority: .high)
            _ = try await store.put(3, priority: .low)
            _ = try await store.put(4, priority: .interrupt, after: .seconds(60))
            let next = try #require(try await queue.peek(lane: "turn:a", brand: brand))
            #expect(next.id == id(2) && next.state == .pending && next.attempts == 0 && next.node == "test")
            #expect(try await queue.tasks(in: "turn:a", brand: brand).map(\.id) == [id(4), id(2), id(1), id(3)])
            #expect(try await queue.tasks(in: "turn:a", atOrAbove: .high, brand: brand).map(\.id) == [id(4), id(2)])
            #expect(try await queue.hasPending(lane: "turn:a", atOrAbove: .interrupt, brand: brand))
            #expect(try await !queue.hasPending(lane: "turn:b", brand: brand))
            #expect(try await !queue.hasPending(lane: "turn:a", brand: BrandID(rawValue: "jobs")))
            let taken = try await queue.dequeue(.turn, brand: brand)
            #expect(taken.map(\.task.id) == [id(2)])
            #expect(try await queue.tasks(in: "turn:a", atOrAbove: .high, brand: brand).map(\.state) == [.pending, .processing])
        }
    }

    private func isInterrupted(_ number: UInt64, _ store: Store) async throws -> Bool {
        let task = id(number)
        return try await store.brand(brand).read { try $0.isInterrupted(task, lane: "turn:a") }
    }

    private func parked(_ store: Store) async throws -> Int { try await store.brand(brand).read { try $0.parkedLanes(pool: .action) } }

    @Test func onlyWhatNobodyHasBegunIsTakenBack() async throws {
        try await TemporaryStore.with { store in
            let queue = TaskQueue(store: store)
            _ = try await store.put(1)
            _ = try await store.put(2)
            let held = try #require(try await queue.dequeue(.turn, brand: brand).first)
            #expect(try await queue.cancel(id(2), lane: "turn:a", brand: brand) == .cancelled)
            #expect(try await queue.cancel(id(2), lane: "turn:a", brand: brand) == .notFound)
            #expect(try await !isInterrupted(1, store))
            #expect(try await queue.cancel(id(1), lane: "turn:a", brand: brand) == .requested)
            #expect(try await isInterrupted(1, store))
            #expect(try await queue.tasks(in: "turn:a", brand: brand).map(\.isCancelRequested) == [true])
            #expect(held.task.id == id(1))
        }
    }

    @Test func aTaskSeesTheInterruptBehindIt() async throws {
        try await TemporaryStore.with { store in
            _ = try await store.put(1)
            _ = try await store.claim()
            _ = try await store.put(2, priority: .high)
            #expect(try await !isInterrupted(1, store))
            _ = try await store.put(3, priority: .interrupt)
            #expect(try await isInterrupted(1, store))
            #expect(try await !isInterrupted(3, store), "an interrupt does not interrupt itself")
        }
    }

    @Test func aPausedBrandTakesNothingNewAndLosesNothing() async throws {
        try await TemporaryStore.with { store in
            let queue = TaskQueue(store: store)
            _ = try await store.put(1)
            _ = try await store.put(2)
            let held = try #require(try await store.claim().work.first)
            #expect(try await queue.pause(brand))
            #expect(try await !queue.pause(brand))
            #expect(try await queue.pausedAt(brand) != nil)
            let next = try await store.brand(brand).write { transaction in
                try transaction.fence(held.lease)
                try transaction.remove(held.task, from: held.lease)
                let next = try transaction.takeNext(held.lease)
                try transaction.release(held.lease)
                return next
            }
            #expect(next == nil)
            _ = try await store.put(3, lane: "turn:b")
            #expect(try await store.claim(limit: 9).work.isEmpty)
            let other = BrandID(rawValue: "jobs")
            _ = try await store.put(4, brand: other)
            #expect(try await store.claim(brand: other).work.count == 1, "another brand goes on")
            let woken = queue.subscribe(.turn)
            #expect(try await queue.resume(brand))
            #expect(try await !queue.resume(brand))
            var wakes = woken.makeAsyncIterator()
            #expect(await wakes.next() == brand)
            #expect(Set(try await store.claim(limit: 9).work.map(\.task.id)) == [id(2), id(3)])
        }
    }

    @Test func aPausedLaneWaitsWithItsRetryInFront() async throws {
        let clock = ControlledClock()
        try await TemporaryStore.with(clock: clock) { store in
            _ = try await store.put(1, lane: "action:1", pool: .action)
            _ = try await store.put(2, lane: "action:2", pool: .action)
            try await store.brand(brand).write { try $0.pause(lane: "action:1", pool: .action) }
            let other = try #require(try await store.claim(.action, limit: 9).work.first)
            #expect(other.task.id == id(2))
            #expect(try await store.brandsReady(in: .action).isEmpty, "a paused lane wakes nobody")
            _ = try await store.put(3, lane: "action:1", pool: .action, priority: .interrupt)
            #expect(try await store.claim(.action, limit: 9).work.isEmpty)
            #expect(try await store.brand(brand).write { try $0.resume(lane: "action:1") })
            #expect(try await !store.brand(brand).write { try $0.resume(lane: "action:1") })
            let held = try #require(try await store.claim(.action, limit: 9).work.first)
            #expect(held.task.id == id(3))
            try await store.brand(brand).write { transaction in
                try transaction.pause(lane: "action:1", pool: .action)
                try transaction.postpone(held.task, in: held.lease, until: transaction.now + .seconds(5), holdingLane: true)
            }
            clock.advance(by: .seconds(10))
            #expect(try await store.claim(.action, limit: 9).work.isEmpty)
            try await store.brand(brand).write { _ = try $0.resume(lane: "action:1") }
            #expect(try await store.claim(.action, limit: 9).work.map(\.task.id) == [id(3)])
        }
    }

    @Test func aPausedLaneThatIsEmptyStaysPaused() async throws {
        try await TemporaryStore.with { store in
            _ = try await store.put(1, lane: "action:1", pool: .action)
            let held = try #require(try await store.claim(.action).work.first)
            try await store.brand(brand).write { transaction in
                try transaction.pause(lane: "action:1", pool: .action)
                try transaction.remove(held.task, from: held.lease)
                try transaction.release(held.lease)
            }
            _ = try await store.put(2, lane: "action:1", pool: .action)
            #expect(try await store.claim(.action, limit: 9).work.isEmpty)
        }
    }

    @Test func brandsWithWorkAreFoundInAllDatabases() async throws {
        let clock = ControlledClock()
        let other = try await TestDatabase.make()
        try await TemporaryStore.with(clock: clock) { store in
            let spread = Store(
                database: store.database, elsewhere: [BrandID(rawValue: "jobs"): other.database], clock: clock, ids: CountingIDs(),
                node: "test")
            _ = try await spread.put(1)
            _ = try await spread.put(2, after: .seconds(60), brand: BrandID(rawValue: "jobs"))
            _ = try await spread.put(3, lane: "action:3", pool: .action, brand: BrandID(rawValue: "cafe"))
            #expect(try await spread.brandsWithWork().map(\.rawValue) == ["cafe", "jobs", "salon"])
            #expect(try await store.brandsWithWork().map(\.rawValue) == ["cafe", "salon"])
            #expect(try await spread.brandsReady(in: .turn).map(\.rawValue) == ["salon"])
            clock.advance(by: .seconds(61))
            #expect(try await spread.brandsReady(in: .turn).map(\.rawValue) == ["jobs", "salon"])
        }
        try await other.remove()
    }

    @Test(arguments: [1, 7, 8, 9, 64, 65, 150]) func aClaimTakesEachReadyLaneOnceWithItsFirstTask(lanes: Int) async throws {
        try await TemporaryStore.with { store in
            for number in 0..<lanes {
                _ = try await store.put(UInt64(number + 1), lane: "action:\(number)", pool: .action)
                _ = try await store.put(UInt64(number + 1001), lane: "action:\(number)", pool: .action)
            }
            let claim = try await store.claim(.action, limit: 500)
            #expect(claim.lanes == lanes && Set(claim.work.map(\.lease.lane)).count == lanes)
            #expect(Set(claim.work.map(\.task.id)) == Set((1...lanes).map { id(UInt64($0)) }))
            #expect(claim.work.allSatisfy { $0.task.attempts == 1 && !$0.task.wasInterrupted })
            #expect(try await store.claim(.action, limit: 500).work.isEmpty)
        }
    }

    @Test func aClaimPrefersWhatIsUrgentAndTakesNoMoreThanItMay() async throws {
        try await TemporaryStore.with { store in
            for (number, priority) in [Priority.low, .normal, .high, .interrupt, .normal].enumerated() {
                _ = try await store.put(UInt64(number + 1), lane: "action:\(number)", pool: .action, priority: priority)
            }
            #expect(Set(try await store.claim(.action, limit: 3).work.map(\.task.priority)) == [.interrupt, .high, .normal])
            #expect(Set(try await store.claim(.action, limit: 3).work.map(\.task.priority)) == [.normal, .low])
        }
    }

    @Test func parkedWorkCostsNoAttemptAndComesBackInPieces() async throws {
        let clock = ControlledClock()
        try await TemporaryStore.with(clock: clock) { store in
            for number in 1...5 { _ = try await store.put(UInt64(number), lane: "action:\(number)", pool: .action) }
            for (lease, task) in try await store.claim(.action, limit: 9).work {
                try await store.brand(brand).write {
                    try $0.fence(lease)
                    try $0.awaitReturn(task, in: lease, latest: $0.now + .seconds(1800), mayHaveActed: false)
                }
            }
            #expect(try await parked(store) == 5)
            let since = clock.now
            clock.advance(by: .seconds(60))
            #expect(try await store.claim(.action, limit: 9).work.isEmpty)
            #expect(try await store.brand(brand).write { try $0.wakeParked(pool: .action, limit: 2) } == 2)
            let woken = try await store.claim(.action, limit: 9).work
            #expect(woken.count == 2 && woken.allSatisfy { $0.task.attempts == 1 && $0.task.parkedSince == since && $0.task.crashes == 0 })
            #expect(try await parked(store) == 3)
            let (again, done) = (try #require(woken.first), try #require(woken.last))
            try await store.brand(brand).write {
                try $0.remove(done.task, from: done.lease)
                try $0.release(done.lease)
            }
            try await store.brand(brand).write {
                try $0.awaitReturn(again.task, in: again.lease, latest: since + .seconds(1800), mayHaveActed: true)
            }
            clock.advance(by: .seconds(1740))
            let last = try await store.claim(.action, limit: 9).work
            #expect(last.count == 4, "at the latest, all come back by themselves")
            #expect(last.filter(\.task.wasInterrupted).map(\.task.id) == [again.task.id])
        }
    }

    /// Nothing is left that waits for the remote system: neither does its lane, and it is no probe's turn.
    @Test func aParkedTaskThatIsCancelledTakesItsLaneAlong() async throws {
        try await TemporaryStore.with(clock: ControlledClock()) { store in
            _ = try await store.put(1, lane: "action:a", pool: .action)
            for (lease, task) in try await store.claim(.action).work {
                try await store.brand(brand).write {
                    try $0.awaitReturn(task, in: lease, latest: $0.now + .seconds(1800), mayHaveActed: false)
                }
            }
            #expect(try await parked(store) == 1)
            let id = QueueTaskID(UniqueID(high: 1, low: 1))
            #expect(try await store.brand(brand).write { try $0.cancel(id, lane: "action:a") } == .cancelled)
            #expect(try await parked(store) == 0)
            #expect(try await store.brand(brand).write { try $0.wakeParked(pool: .action, limit: 9) } == 0)
            let lanes = try await store.database.read(.installation) { try $0.rows(SQL("SELECT 1 FROM lanes"), []).count }
            #expect(lanes == 0)
        }
    }

    /// A lane that waits for the second try of its first task goes on when that one is taken back, and waits on when a later one is.
    @Test(arguments: [1, 2]) func aLaneGoesOnWithoutTheTaskThatItWaitedFor(cancelled: UInt64) async throws {
        try await TemporaryStore.with(clock: ControlledClock()) { store in
            for number in 1...3 { _ = try await store.put(UInt64(number)) }
            let first = try #require(try await store.claim().work.first)
            try await store.brand(brand).write {
                try $0.postpone(first.task, in: first.lease, until: $0.now + .seconds(60), holdingLane: true)
            }
            #expect(try await store.claim().work.isEmpty)
            let id = QueueTaskID(UniqueID(high: 1, low: cancelled))
            #expect(try await store.brand(brand).write { try $0.cancel(id, lane: "turn:a") } == .cancelled)
            #expect(try await store.claim().work.map { $0.task.payload["n"] } == (cancelled == 1 ? [2] : []))
        }
    }
}
