import Bus
import Conversation
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
        let publisher = OutboxPublisher(store: store, bus: bus, brands: { [brand] }, logger: Logger(label: "test"))
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
}
