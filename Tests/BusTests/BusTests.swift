import Bus
import Conversation
import Foundation
import Logging
import Storage
import Synchronization
import TestKit
import Testing

struct BusTests {
    private let brand = BrandID(rawValue: "salon")
    private let instance = InstanceID(rawValue: "salon-whatsapp")
    private struct Refused: Error {}

    /// Runs a publisher until `count` events were seen.
    private func published(_ store: Store, _ bus: EmbeddedBus, until count: Int, _ work: () async throws -> Void) async throws -> [BusEvent]
    {
        let seen = Mutex<[BusEvent]>([])
        let (arrivals, arrival) = AsyncStream<Int>.makeStream(bufferingPolicy: .unbounded)
        bus.subscribe { event in
            let total = seen.withLock { events in
                events.append(event)
                return events.count
            }
            arrival.yield(total)
        }
        let publisher = OutboxPublisher(
            store: store, bus: bus, brands: { [brand] }, retry: RetryPolicy(attempts: .max, backoff: [0.01]), jitter: FixedJitter(),
            logger: Logger(label: "test"))
        let task = Task { try await publisher.run() }
        try await work()
        for await total in arrivals where total >= count { break }
        task.cancel()
        return seen.withLock { $0 }
    }

    @Test func eventsLeaveInOrderUnderStableIds() async throws {
        try await TemporaryStore.with { store in
            let events = try await published(store, EmbeddedBus(), until: 5) {
                for number in 0..<5 {
                    try await store.brand(brand).write {
                        try $0.record(.messageReceived, instance: instance, data: ["n": .integer(Int64(number))])
                    }
                }
            }
            #expect(events.compactMap { $0.data["n"]?.integer } == [0, 1, 2, 3, 4])
            #expect(Set(events.map(\.id)).count == 5)
            let first = try #require(events.first)
            #expect(first.subject == "switchboard.salon.message.received")
            #expect(first.json["specversion"] == "1.0" && first.json["source"] == "/brands/salon/instances/salon-whatsapp")
        }
    }

    @Test func anEventOfAFailedTransactionIsNeverPublished() async throws {
        try await TemporaryStore.with { store in
            let events = try await published(store, EmbeddedBus(), until: 1) {
                await #expect(throws: Refused.self) {
                    try await store.brand(brand).write { transaction in
                        try transaction.record(.messageReceived, instance: instance, data: ["n": 0])
                        throw Refused()
                    }
                }
                try await store.brand(brand).write { try $0.record(.messageReceived, instance: instance, data: ["n": 1]) }
            }
            #expect(events.map(\.data) == [["n": 1]])
        }
    }

    @Test func whatASubscriberRefusedIsOfferedAgain() async throws {
        try await TemporaryStore.with { store in
            let bus = EmbeddedBus()
            let refusals = Mutex(1)
            bus.subscribe { _ in
                let refuses = refusals.withLock { left in
                    defer { left -= 1 }
                    return left > 0
                }
                if refuses { throw Refused() }
            }
            let events = try await published(store, bus, until: 2) {
                for number in 0..<2 {
                    try await store.brand(brand).write { try $0.record(.update, instance: instance, data: ["n": .integer(Int64(number))]) }
                }
            }
            #expect(events.compactMap { $0.data["n"]?.integer } == [0, 1])
        }
    }

    /// Runs a publisher that stands still unless a test moves the clock.
    private func publishing(
        _ clock: ControlledClock, _ bus: EmbeddedBus, _ body: (Store) async throws -> Void
    ) async throws {
        try await TemporaryStore.with(clock: clock) { store in
            let publisher = OutboxPublisher(
                store: store, bus: bus, brands: { [] }, retry: RetryPolicy(attempts: .max, backoff: [1, 4]), jitter: FixedJitter(),
                logger: Logger(label: "test"))
            let task = Task { try await publisher.run() }
            try await body(store)
            task.cancel()
            try await task.value
        }
    }

    @Test func aRefusedEventIsOfferedAgainInTimeAndNeedsNoOther() async throws {
        let clock = ControlledClock()
        let bus = EmbeddedBus()
        let offered = Mutex<[Timestamp]>([])
        bus.subscribe { _ in
            let count = offered.withLock { times in
                times.append(clock.now)
                return times.count
            }
            if count <= 3 { throw Refused() }
        }
        try await publishing(clock, bus) { store in
            try await store.brand(brand).write { try $0.record(.update, instance: instance, data: .null) }
            while offered.withLock({ $0.count }) < 4 {
                if clock.sleepers > 0 { clock.advance(by: .milliseconds(500)) }
                await Task.yield()
            }
            let times = offered.withLock { $0 }
            for (wait, wanted) in zip(zip(times.dropFirst(), times).map { ($0 - $1).seconds }, [1.0, 4, 4]) {
                #expect(wait >= wanted, "waited \(wait) s instead of \(wanted)")
            }
        }
    }

    @Test func aFloodOfOneBrandLosesNoWakeOfAnother() async throws {
        let bus = EmbeddedBus()
        let (gate, opener) = AsyncStream.makeStream(of: Void.self)
        let (seen, arrival) = AsyncStream.makeStream(of: BrandID.self, bufferingPolicy: .unbounded)
        let first = Mutex(true)
        bus.subscribe { event in
            let isFirst = first.withLock { isFirst in
                defer { isFirst = false }
                return isFirst
            }
            if isFirst { for await _ in gate { break } }
            arrival.yield(event.brand)
        }
        let quiet = BrandID(rawValue: "jobs")
        try await publishing(ControlledClock(), bus) { store in
            // Held up in the bus while the wakes gather: one of the quiet brand, then many of the loud one.
            try await store.brand(brand).write { try $0.record(.update, instance: instance, data: .null) }
            try await store.brand(quiet).write { try $0.record(.update, instance: instance, data: .null) }
            for _ in 0..<400 { try await store.brand(brand).write { try $0.record(.update, instance: instance, data: .null) } }
            opener.yield()
            var others = 0
            for await brand in seen {
                if brand == quiet { break }
                others += 1
                guard others < 401 else { break }
            }
            #expect(others < 401, "the quiet brand came after all of the loud one's, or never")
        }
    }

    @Test func oneNodeAtATimePublishesForABrand() async throws {
        let clock = ControlledClock()
        let path = NSTemporaryDirectory() + "switchboard-claims-\(UUID().uuidString).sqlite"
        let database = try SQLiteDatabase(path: path)
        let one = Store(database: database, clock: clock, ids: SystemIDs(clock: clock), node: "one")
        let other = Store(database: database, clock: clock, ids: SystemIDs(clock: clock), node: "other")
        func claim(_ store: Store) async throws -> Bool {
            try await store.brand(brand).write { try $0.claimOutbox(until: $0.now + .seconds(60)) }
        }
        #expect(try await claim(one))
        #expect(try await claim(one), "who holds it may go on")
        #expect(try await claim(other) == false)
        try await other.brand(brand).write { try $0.releaseOutbox() }
        #expect(try await claim(other) == false, "nobody gives back what another holds")
        try await one.brand(brand).write { try $0.releaseOutbox() }
        #expect(try await claim(other))
        #expect(try await claim(one) == false)
        clock.advance(by: .seconds(61))
        #expect(try await claim(one), "a node that died holds it for a minute")
        await one.close()
        for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + suffix) }
    }

    @Test func whatIsPublishedAgainIsWhatWasPublishedInThatTime() async throws {
        let clock = ControlledClock()
        try await TemporaryStore.with(clock: clock, ids: SystemIDs(clock: clock)) { store in
            func record(_ numbers: Range<Int>) async throws {
                try await store.brand(brand).write { transaction in
                    for number in numbers { try transaction.record(.update, instance: instance, data: ["n": .integer(Int64(number))]) }
                }
            }
            func waiting() async throws -> [Int64] {
                try await store.brand(brand).read { try $0.waitingEvents(limit: 5000).compactMap { $0.data["n"]?.integer } }
            }
            try await record(0..<3)
            clock.advance(by: .seconds(3600))
            let since = clock.now
            try await record(3..<1203)
            try await store.brand(brand).write { transaction in
                try transaction.markPublished(try transaction.waitingEvents(limit: 1000).map(\.id))
            }
            #expect(try await waiting() == Array(1000..<1203))
            let desk = OutboxDesk(store: store)
            let end = UniqueID.first(at: clock.now + .milliseconds(1))
            let step = try await desk.publishAgain(brand, after: .first(at: since), upTo: end)
            #expect(step.count == 997 && step.next == nil)
            #expect(try await waiting() == Array(3..<1203))
            #expect(try await desk.waiting(brand, upTo: end) == 1200)
            #expect(try await desk.publishAgain(BrandID(rawValue: "jobs"), after: .first(at: since), upTo: end).count == 0)
        }
    }

    @Test func whatWaitsIsNeverForgotten() async throws {
        let clock = ControlledClock()
        try await TemporaryStore.with(clock: clock, ids: SystemIDs(clock: clock)) { store in
            let outbox = store.brand(brand)
            for _ in 0..<5 {
                try await outbox.write { try $0.record(.update, instance: instance, data: .null) }
                clock.advance(by: .seconds(86_400))
            }
            try await outbox.write { try $0.markPublished(try $0.waitingEvents(limit: 4).map(\.id)) }
            #expect(try await outbox.write { try $0.forgetEvents(before: $0.now + .seconds(-3 * 86_400), limit: 1) } == 1)
            #expect(try await outbox.write { try $0.forgetEvents(before: $0.now + .seconds(-3 * 86_400), limit: 10) } == 1)
            clock.advance(by: .seconds(30 * 86_400))
            #expect(try await outbox.write { try $0.forgetEvents(before: $0.now, limit: 10) } == 2)
            #expect(try await outbox.read { try $0.countWaitingEvents() } == 1)
        }
    }
}
