import Conversation
import Gateway
import Logging
import Storage
import TestKit
import Testing

struct HousekeepingTests {
    private let brand = BrandID(rawValue: "salon")
    private let instance = InstanceID(rawValue: "salon-whatsapp")

    private func keep(_ name: String, _ store: Store) async throws {
        let status = StatusUpdate(providerMessageID: name, status: .delivered, at: store.clock.now)
        guard case .early = try await store.brand(brand).write({ try $0.apply(status, instance: instance) }) else {
            Issue.record("the message was known")
            return
        }
    }

    /// What a message learns when it becomes known under that provider id.
    private func status(of name: String, _ store: Store) async throws -> String? {
        try await store.brand(brand).write { transaction in
            let user = try transaction.resolveUser(
                channel: ChannelName(rawValue: "whatsapp"),
                sender: Sender(identifiers: [Identifier(kind: .phone, value: "+1212555\(name)")]),
                tier: "verified", verified: true)
            let session = try transaction.openSession(instance: instance, user: user)
            let id = MessageID(transaction.newID())
            try transaction.insertOutbound(
                id: id, session: session, instance: instance, user: user, content: .text("x"), narrative: .null, inReplyTo: nil, turn: nil)
            try transaction.markSent(id, providerID: name)
            try transaction.applyEarlyStatus(providerID: name, instance: instance)
            return try transaction.outboundMessage(id)?.status
        }
    }

    @Test func aStatusWaitsSevenDaysForItsMessage() async throws {
        let clock = ControlledClock()
        try await TemporaryStore.with(clock: clock) { store in
            for number in 1000..<1500 { try await keep("\(number)", store) }
            clock.advance(by: .seconds(86_400))
            try await keep("2000", store)
            clock.advance(by: .seconds(6 * 86_400 + 1))
            let housekeeping = Housekeeping(store: store, brands: { [brand] }, logger: Logger(label: "test"))
            let running = Task { try await housekeeping.run() }
            // Asleep until the next hour: this one's work is done.
            while clock.sleepers == 0 { await Task.yield() }
            running.cancel()
            try await running.value
            #expect(try await store.brand(brand).write { try $0.forgetEarlyStatuses(limit: 1000) } == 0)
            #expect(try await status(of: "1499", store) == nil)
            #expect(try await status(of: "2000", store) == "delivered")
        }
    }

    @Test func itGoesOnEveryHour() async throws {
        let clock = ControlledClock()
        try await TemporaryStore.with(clock: clock) { store in
            try await keep("1000", store)
            let housekeeping = Housekeeping(store: store, brands: { [brand] }, logger: Logger(label: "test"))
            let running = Task { try await housekeeping.run() }
            for _ in 0..<(7 * 24 + 1) {
                while clock.sleepers == 0 { await Task.yield() }
                clock.advance(by: .seconds(3600))
            }
            while clock.sleepers == 0 { await Task.yield() }
            running.cancel()
            try await running.value
            #expect(try await store.brand(brand).write { try $0.forgetEarlyStatuses(limit: 10) } == 0)
            #expect(try await status(of: "1000", store) == nil)
        }
    }
}
