import Conversation
import Storage
import TestKit
import Testing

struct QueueTests {
    private let brand = BrandID(rawValue: "salon")

    private func task(_ number: UInt64, lane: String = "turn:a", priority: Priority = .normal, at: Timestamp) -> NewTask {
        NewTask(
            id: QueueTaskID(UniqueID(high: 1, low: number)), lane: lane, pool: .turn, kind: "test", payload: ["n": .integer(Int64(number))],
            priority: priority, runAt: at)
    }

    private func take(_ store: Store) async throws -> (LaneLease, QueueTask)? {
        try await store.brand(brand).write { transaction in
            guard let lease = try transaction.claimLanes(pool: .turn, limit: 1, until: transaction.now + .seconds(30)).first,
                let task = try transaction.takeNext(lease)
            else { return nil }
            return (lease, task)
        }
    }

    @Test func aLaneIsHeldByOneWorkerAndKeepsItsOrder() async throws {
        let clock = ControlledClock()
        try await TemporaryStore.with(clock: clock) { store in
            try await store.brand(brand).write { transaction in
                for number in 1...3 { try transaction.enqueue(task(UInt64(number), at: transaction.now)) }
            }
            let first = try #require(try await take(store))
            #expect(first.1.payload["n"] == 1 && first.1.attempts == 1)
            #expect(try await take(store) == nil)
            let second = try await store.brand(brand).write { transaction in
                try transaction.remove(first.1, from: first.0)
                return try transaction.takeNext(first.0)
            }
            #expect(second?.payload["n"] == 2)
        }
    }

    @Test func anInterruptOvertakesWithinItsLane() async throws {
        let clock = ControlledClock()
        try await TemporaryStore.with(clock: clock) { store in
            try await store.brand(brand).write { transaction in
                try transaction.enqueue(task(1, at: transaction.now))
                try transaction.enqueue(task(2, priority: .interrupt, at: transaction.now))
            }
            #expect(try await take(store)?.1.payload["n"] == 2)
        }
    }

    @Test func anExpiredLeaseIsTakenOverAndTheOldHolderShutOut() async throws {
        let clock = ControlledClock()
        try await TemporaryStore.with(clock: clock) { store in
            try await store.brand(brand).write { try $0.enqueue(task(1, at: $0.now)) }
            let old = try #require(try await take(store))
            clock.advance(by: .seconds(31))
            let new = try #require(try await take(store))
            #expect(new.1.wasInterrupted && new.1.attempts == 2 && new.0.epoch == old.0.epoch + 1)
            await #expect(throws: QueueError.self) { try await store.brand(brand).write { try $0.fence(old.0) } }
            try await store.brand(brand).write { try $0.fence(new.0) }
            let renewed = try await store.brand(brand).write { try $0.renew(old.0, until: $0.now + .seconds(30)) }
            #expect(!renewed)
        }
    }

    @Test func aRetryHoldsItsLaneAndATimerDoesNot() async throws {
        let clock = ControlledClock()
        try await TemporaryStore.with(clock: clock) { store in
            try await store.brand(brand).write { transaction in
                try transaction.enqueue(task(1, at: transaction.now))
                try transaction.enqueue(task(2, lane: "turn:b", at: transaction.now + .seconds(5)))
            }
            let held = try #require(try await take(store))
            try await store.brand(brand).write { transaction in
                try transaction.postpone(held.1, in: held.0, until: transaction.now + .seconds(10), holdingLane: true)
                try transaction.enqueue(task(3, at: transaction.now))
                try transaction.enqueue(task(4, lane: "turn:b", at: transaction.now))
            }
            #expect(try await take(store)?.1.payload["n"] == 4)
            #expect(try await take(store) == nil)
            clock.advance(by: .seconds(10))
            #expect(try await take(store)?.1.payload["n"] == 1)
        }
    }

    @Test func givingBackCostsNoAttempt() async throws {
        let clock = ControlledClock()
        try await TemporaryStore.with(clock: clock) { store in
            try await store.brand(brand).write { try $0.enqueue(task(1, at: $0.now)) }
            let first = try #require(try await take(store))
            try await store.brand(brand).write { try $0.giveBack(first.1, first.0) }
            let again = try #require(try await take(store))
            #expect(again.1.attempts == 1 && !again.1.wasInterrupted)
        }
    }

    /// Leases are void at the start only where one process opens the store.
    @Test func leasesOfADeadProcessAreVoidAndCountACrash() async throws {
        let clock = ControlledClock()
        try await TemporaryStore.with(.sqlite, clock: clock) { store in
            try await store.brand(brand).write { try $0.enqueue(task(1, at: $0.now)) }
            _ = try await take(store)
            #expect(try await store.voidLeases() == 1)
            let again = try #require(try await take(store))
            #expect(again.1.crashes == 1 && again.1.wasInterrupted)
        }
    }

    @Test func whereOtherNodesMayHoldThemNoLeaseIsVoid() async throws {
        try await TemporaryStore.with(.postgresql) { store in
            try await store.brand(brand).write { try $0.enqueue(task(1, at: $0.now)) }
            _ = try await take(store)
            #expect(try await store.voidLeases() == 0)
            #expect(try await take(store) == nil)
        }
    }

    @Test func brandsDoNotSeeEachOthersTasks() async throws {
        try await TemporaryStore.with { store in
            try await store.brand(brand).write { try $0.enqueue(task(1, at: $0.now)) }
            let foreign = try await store.brand(BrandID(rawValue: "jobs")).write {
                try $0.claimLanes(pool: .turn, limit: 9, until: $0.now).count
            }
            #expect(foreign == 0)
        }
    }
}
