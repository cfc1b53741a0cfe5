import Bus
import Conversation
import Foundation
import Logging
import Storage
import Synchronization
import TestKit
import Testing

/// What only the bus on NATS does. What every bus does is in `BusContract`.
struct JetStreamTests {
    private let brand = BrandID(rawValue: "salon")
    private let instance = InstanceID(rawValue: "salon-whatsapp")
    private let ids = SystemIDs()

    private func event(_ number: Int, kind: BusEvent.Kind = .update) -> BusEvent {
        BusEvent(
            id: BusEventID(ids.next()), brand: brand, instance: instance, kind: kind, at: Timestamp(seconds: 1_800_000_000),
            data: ["n": .integer(Int64(number))])
    }

    /// Opens a bus and waits until it is connected.
    private func withBus<Result>(_ url: String, _ body: (JetStreamBus) async throws -> Result) async throws -> Result {
        let bus = JetStreamBus(try BusAddress(url), logger: Logger(label: "test"))
        let (returns, returned) = AsyncStream.makeStream(of: Void.self)
        bus.onReturn { returned.yield() }
        if !bus.isConnected { for await _ in returns { break } }
        do {
            let result = try await body(bus)
            await bus.close()
            return result
        } catch {
            await bus.close()
            throw error
        }
    }

    @Test func anEventIsStoredAsACloudEventUnderItsId() async throws {
        let url = try await NATSServer.shared().freshURL()
        let sent = event(7, kind: .messageReceived)
        let receipt = try await withBus(url) { await $0.publish([sent]) }
        #expect(receipt.settled == 1 && receipt.refused.isEmpty && receipt.failure == nil)
        let stored = try NATSReader.messages(url: url)
        #expect(stored.count == 1)
        let message = try #require(stored.first)
        #expect(message.subject == "switchboard.salon.message.received")
        #expect(message.id == sent.id.description && message.contentType == "application/cloudevents+json")
        #expect(message.body == sent.json)
    }

    @Test func aNodeHearsTheOthersAndNotItself() async throws {
        let url = try await NATSServer.shared().freshURL()
        let (heard, saying) = AsyncStream.makeStream(of: PeerSignal.self)
        let own = Mutex(0)
        try await withBus(url) { first in
            try await withBus(url) { second in
                second.listen { saying.yield($0) }
                first.listen { _ in own.withLock { $0 += 1 } }
                let signals: [PeerSignal] = [
                    .events(brand), .ready(brand, .turn), .feed(brand, instance, UserID(ids.next())),
                    .typing(brand, instance, UserID(ids.next())),
                ]
                for signal in signals { first.send(signal) }
                var arrived: [PeerSignal] = []
                for await signal in heard {
                    arrived.append(signal)
                    if arrived.count == signals.count { break }
                }
                #expect(arrived == signals)
                #expect(own.withLock { $0 } == 0)
            }
        }
    }

    @Test func aBusThatNobodyAnswersIsAwayAndHarmless() async throws {
        let server = try await NATSServer.shared()
        // A port that answers, to nobody of that name.
        let bus = JetStreamBus(try BusAddress("nats://nobody:wrong@127.0.0.1:\(server.port)"), logger: Logger(label: "test"))
        bus.send(.events(brand))
        let receipt = await bus.publish([event(1)])
        #expect(receipt.settled == 0)
        guard case .away = receipt.failure else {
            Issue.record("\(receipt)")
            return
        }
        await bus.close()
        let late = await bus.publish([event(2)])
        #expect(late.settled == 0 && late.failure != nil)
    }

    @Test func aStreamThatIsRemovedIsMadeAnew() async throws {
        let url = try await NATSServer.shared().freshURL()
        try await TemporaryStore.with { store in
            try await withBus(url) { bus in
                let publisher = OutboxPublisher(
                    store: store, bus: bus, brands: { [brand] }, retry: RetryPolicy(attempts: .max, backoff: [0.01]),
                    logger: Logger(label: "test"))
                let task = Task { try await publisher.run() }
                for number in 0..<2 {
                    try await store.brand(brand).write {
                        try $0.record(.update, instance: instance, data: ["n": .integer(Int64(number))])
                    }
                    while try await store.brand(brand).read({ try $0.countWaitingEvents() }) > 0 { await Task.yield() }
                    let stored = try NATSReader.messages(url: url).compactMap { $0.body["data"]?["n"]?.integer }
                    #expect(stored == [Int64(number)])
                    try NATSReader.removeStream(url: url)
                }
                task.cancel()
                try await task.value
            }
        }
    }

    @Test func withOneInFlightEventsAreStoredOneAfterTheOther() async throws {
        let url = try await NATSServer.shared().freshURL("in_flight=1")
        let events = (0..<50).map { event($0) }
        let receipt = try await withBus(url) { await $0.publish(events) }
        #expect(receipt.settled == 50)
        #expect(try NATSReader.messages(url: url).map(\.id) == events.map(\.id.description))
    }

    @Test func aServerThatStandsStillCostsTimeOnly() async throws {
        try await NATSServer.with { server in
            let url = server.freshURL()
            try await withBus(url) { bus in
                #expect(await bus.publish([event(0)]).settled == 1)
                try server.send(signal: SIGSTOP)
                let held = [event(1), event(2)]
                let stuck = await bus.publish(held)
                #expect(stuck.settled == 0 && stuck.failure != nil)
                try server.send(signal: SIGCONT)
                var receipt = BusReceipt()
                while receipt.settled < held.count {
                    receipt = await bus.publish(held)
                    await Task.yield()
                }
                #expect(try NATSReader.messages(url: url).compactMap { $0.body["data"]?["n"]?.integer } == [0, 1, 2])
            }
        }
    }

    @Test(arguments: [
        "nats://", "nats://,", "http://127.0.0.1", "nats:127.0.0.1", "nats://a:1/b", "nats://@", "nats://127.0.0.1?replicas=0",
        "nats://127.0.0.1?replicas=x", "nats://127.0.0.1?unknown=1", "nats://127.0.0.1?in_flight=257", "",
    ]) func anAddressThatCannotBeMeantIsRefused(text: String) {
        #expect(throws: BusAddress.Problem.self) { try BusAddress(text) }
    }

    @Test func anAddressNamesServersAndHidesSecrets() throws {
        let address = try BusAddress("tls://user:pass@a:4222,tls://b:4223?replicas=3&creds=/etc/nats.creds&dedupe_s=7200")
        #expect(address.servers == ["tls://user:pass@a:4222", "tls://user:pass@b:4223"])
        #expect(address.isEncrypted && address.credentialsFile == "/etc/nats.creds")
        #expect(address.settings.replicas == 3 && address.settings.dedupeSeconds == 7200 && address.settings.inFlight == 256)
        #expect(address.description == "tls://a:4222,tls://b:4223")
    }
}
