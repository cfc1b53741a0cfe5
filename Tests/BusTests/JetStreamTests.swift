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
}
