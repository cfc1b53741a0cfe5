import Bus
package import Conversation
import Logging
import Storage
import Synchronization
import Testing

/// Where buses differ, as data. Everything else is the same on all of them.
package struct BusTraits: Sendable, CustomStringConvertible {
    package var name: String
    /// An event that is published twice is there once.
    package var knowsIDs: Bool
    /// Bytes above which an event is refused for good; nil when there is no such bound.
    package var largestEvent: Int?

    package init(name: String, knowsIDs: Bool, largestEvent: Int?) {
        self.name = name
        self.knowsIDs = knowsIDs
        self.largestEvent = largestEvent
    }

    package var description: String {
        "\(name): an id that comes twice is \(knowsIDs ? "one event" : "two, who listens drops the second"), "
            + (largestEvent.map { "events above \($0) bytes are refused" } ?? "events of any size are taken")
    }
}

/// A bus with all that a test must be able to do to it.
package protocol BusUnderTest: Sendable {
    var traits: BusTraits { get }
    var bus: any EventBus { get }
    /// What others have got from it, each as a CloudEvent, in the order in which it came.
    func received() async throws -> [JSONValue]
    /// Takes nothing any more, until `comeBack`.
    func leave() async throws
    func comeBack() async throws
    /// Has lost what it had.
    func loseEverything() async throws
    func close() async
}

/// What every `EventBus` must do together with the outbox. Each bus's tests run all of it on a fresh one.
package struct BusContract: Sendable {
    private let make: @Sendable () async throws -> any BusUnderTest

    package init(_ make: @escaping @Sendable () async throws -> any BusUnderTest) { self.make = make }

    package static let all: [@Sendable (BusContract) async throws -> Void] = [
        { try await $0.eventsArriveInTheirOrder() }, { try await $0.anIDThatComesTwice() }, { try await $0.whileItIsAwayEventsWait() },
        { try await $0.whatItLostIsPublishedAgain() }, { try await $0.anEventTooLargeStopsNobody() },
        { try await $0.aFloodOfOneBrandKeepsNoOtherWaiting() }, { try await $0.twoPublishersKeepTheOrder() },
        { try await $0.tenThousandEventsArrive() },
    ]

    private static let brands = ["salon", "jobs", "studio"].map { BrandID(rawValue: $0) }
    private static var brand: BrandID { brands[0] }
    private static let instance = InstanceID(rawValue: "salon-whatsapp")

    // MARK: The contract

    private func eventsArriveInTheirOrder() async throws {
        try await with { world in
            for kind in BusEvent.Kind.allCases { try await world.record(kind, ["n": 0], Self.brand) }
            try await world.drain()
            let arrived = try await world.arrived(Self.brand)
            #expect(arrived.map { $0["type"]?.string } == BusEvent.Kind.allCases.map(\.rawValue))
            for event in arrived {
                #expect(event["specversion"] == "1.0" && event["source"] == "/brands/salon/instances/salon-whatsapp")
                #expect(event["datacontenttype"] == "application/json" && event["data"] == ["n": 0])
                #expect(event["time"]?.string.flatMap { Timestamp($0) } != nil)
            }
        }
    }

    private func anIDThatComesTwice() async throws {
        try await with { world in
            try await world.record(.update, ["n": 1], Self.brand)
            try await world.drain()
            #expect(try await world.publishAgain(Self.brand) == 1)
            try await world.drain()
            let ids = try await world.received().compactMap { $0["id"]?.string }
            #expect(Set(ids).count == 1)
            #expect(ids.count == (world.traits.knowsIDs ? 1 : 2))
        }
    }

    private func whileItIsAwayEventsWait() async throws {
        try await with { world in
            try await world.recordNumbers(0..<10, Self.brand)
            try await world.drain()
            try await world.under.leave()
            try await world.recordNumbers(10..<300, Self.brand)
            let waiting = try await world.waiting(Self.brand)
            #expect(waiting == 290)
            try await world.under.comeBack()
            try await world.recordNumbers(300..<310, Self.brand)
            try await world.drain()
            #expect(try await world.numbers(Self.brand) == Array(0..<310))
        }
    }

    private func whatItLostIsPublishedAgain() async throws {
        try await with { world in
            try await world.recordNumbers(0..<600, Self.brand)
            try await world.drain()
            let before = try await world.ids(Self.brand)
            try await world.under.loseEverything()
            #expect(try await world.publishAgain(Self.brand) == 600)
            try await world.drain()
            #expect(try await world.numbers(Self.brand) == Array(0..<600))
            #expect(try await world.ids(Self.brand) == before)
        }
    }

    private func anEventTooLargeStopsNobody() async throws {
        try await with { world in
            guard let limit = world.traits.largestEvent else { return }
            try await world.recordNumbers(0..<3, Self.brand)
            try await world.record(.messageReceived, ["content": .string(String(repeating: "x", count: limit))], Self.brand)
            try await world.recordNumbers(3..<6, Self.brand)
            try await world.drain()
            #expect(try await world.arrived(Self.brand).compactMap { $0["data"]?["n"]?.integer } == [0, 1, 2, 3, 4, 5])
            let letters = try await world.store.brand(Self.brand).read { try $0.deadLetters(after: nil, limit: 10) }
            #expect(letters.count == 1)
            #expect(letters.first?.kind == "event" && letters.first?.state == "open")
            #expect(letters.first?.detail["error"]?.string?.contains("max_payload") == true, "\(letters)")
        }
    }

    private func aFloodOfOneBrandKeepsNoOtherWaiting() async throws {
        try await with { world in
            try await world.under.leave()
            try await world.recordNumbers(0..<2000, Self.brand)
            try await world.recordNumbers(0..<1, Self.brands[1])
            try await world.under.comeBack()
            try await world.drain()
            let brands = try await world.received().compactMap { $0["source"]?.string }
            let first = try #require(brands.firstIndex { $0.hasPrefix("/brands/jobs/") })
            #expect(first <= 2 * 256, "the quiet brand came after \(first) events of the loud one")
        }
    }

    private func twoPublishersKeepTheOrder() async throws {
        try await with(publishers: 2) { world in
            try await world.recordNumbers(0..<1000, Self.brand)
            try await world.drain()
            var seen: Set<Int64> = []
            let firsts = try await world.arrived(Self.brand).compactMap { $0["data"]?["n"]?.integer }.filter { seen.insert($0).inserted }
            #expect(firsts == (0..<1000).map { Int64($0) })
        }
    }

    private func tenThousandEventsArrive() async throws {
        try await with { world in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for brand in Self.brands { group.addTask { try await world.recordNumbers(0..<3334, brand) } }
                try await group.waitForAll()
            }
            try await world.drain()
            for brand in Self.brands { #expect(try await world.numbers(brand) == Array(0..<3334)) }
        }
    }

    // MARK: The world of one test

    private func with(publishers: Int = 1, _ body: (World) async throws -> Void) async throws {
        let under = try await make()
        print("bus contract: \(under.traits)")
        do {
            try await TemporaryStore.with { store in
                let world = World(under: under, store: store)
                let tasks = (0..<publishers).map { _ in world.publish() }
                do {
                    try await body(world)
                } catch {
                    for task in tasks { task.cancel() }
                    throw error
                }
                for task in tasks {
                    task.cancel()
                    try await task.value
                }
            }
        } catch {
            await under.close()
            throw error
        }
        await under.close()
    }

    private struct World: Sendable {
        let under: any BusUnderTest
        let store: Store

        var traits: BusTraits { under.traits }

        func publish() -> Task<Void, any Error> {
            let publisher = OutboxPublisher(
                store: store, bus: under.bus, brands: { BusContract.brands }, retry: RetryPolicy(attempts: .max, backoff: [0.01]),
                jitter: FixedJitter(), logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
            return Task { try await publisher.run() }
        }

        func record(_ kind: BusEvent.Kind, _ data: JSONValue, _ brand: BrandID) async throws {
            try await store.brand(brand).write { try $0.record(kind, instance: BusContract.instance, data: data) }
        }

        func recordNumbers(_ numbers: Range<Int>, _ brand: BrandID) async throws {
            for start in stride(from: numbers.lowerBound, to: numbers.upperBound, by: 50) {
                try await store.brand(brand).write { transaction in
                    for number in start..<min(start + 50, numbers.upperBound) {
                        try transaction.record(.update, instance: BusContract.instance, data: ["n": .integer(Int64(number))])
                    }
                }
            }
        }

        func waiting(_ brand: BrandID) async throws -> Int { try await store.brand(brand).read { try $0.countWaitingEvents() } }

        /// Returns when nothing waits in the outbox. Looks again and again: what a real server does can signal nobody here.
        func drain() async throws {
            let deadline = ContinuousClock.now + .seconds(60)
            for brand in BusContract.brands {
                while try await waiting(brand) > 0 {
                    try #require(ContinuousClock.now < deadline, "events of \(brand) are not published")
                    try await Task.sleep(for: .milliseconds(2))
                }
            }
        }

        /// Has everything published once more; returns how many events that were.
        func publishAgain(_ brand: BrandID) async throws -> Int {
            let end = UniqueID(high: .max, low: .max)
            var (total, last) = (0, UniqueID(high: 0, low: 0))
            while true {
                let from = last
                guard let step = try await store.brand(brand).write({ try $0.publishAgain(after: from, upTo: end, limit: 100) }) else {
                    return total
                }
                (total, last) = (total + step.count, step.last)
            }
        }

        func received() async throws -> [JSONValue] { try await under.received() }

        /// Of one brand; what a bus gives twice by its nature counts once.
        func arrived(_ brand: BrandID) async throws -> [JSONValue] {
            var seen: Set<String> = []
            return try await received().filter { event in
                guard event["source"]?.string?.hasPrefix("/brands/\(brand)/") == true else { return false }
                return traits.knowsIDs || seen.insert(event["id"]?.string ?? "").inserted
            }
        }

        func numbers(_ brand: BrandID) async throws -> [Int] {
            try await arrived(brand).compactMap { $0["data"]?["n"]?.integer.map { Int($0) } }
        }
        func ids(_ brand: BrandID) async throws -> [String] { try await arrived(brand).compactMap { $0["id"]?.string } }
    }
}
