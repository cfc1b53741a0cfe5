import Conversation
import Storage
import TestKit
import Testing

/// What keeps a session from ending.
struct OpenWorkTests {
    private let brand = BrandID(rawValue: "salon")
    private let instance = InstanceID(rawValue: "salon-whatsapp")
    private let elsewhere = InstanceID(rawValue: "salon-web")

    private func user(_ transaction: BrandTransaction, phone: String = "+12125550100") throws -> UserID {
        try transaction.resolveUser(
            channel: ChannelName(rawValue: "whatsapp"), sender: Sender(identifiers: [Identifier(kind: .phone, value: phone)]),
            tier: "verified", verified: true)
    }

    private func enqueue(_ kind: Lane.Kind, _ user: UserID, at time: Timestamp, _ transaction: BrandTransaction) throws {
        let lane = Lane(brand: brand, instance: instance, user: user, kind: kind)
        try transaction.enqueue(
            NewTask(
                id: QueueTaskID(transaction.newID()), lane: lane.key, pool: kind == .turn ? .turn : .delivery, kind: "test", payload: .null,
                runAt: time))
    }

    @Test(arguments: [Lane.Kind.delivery, .turn]) func whatIsQueuedOrParkedIsOpenUntilItIsDone(kind: Lane.Kind) async throws {
        let clock = ControlledClock()
        try await TemporaryStore.with(clock: clock) { store in
            try await store.brand(brand).write { transaction in
                let (one, other) = (try user(transaction), try user(transaction, phone: "+12125550101"))
                #expect(try !transaction.hasOpenWork(one, instance: instance))
                try enqueue(kind, one, at: transaction.now, transaction)
                #expect(try transaction.hasOpenWork(one, instance: instance))
                #expect(try !transaction.hasOpenWork(one, instance: elsewhere))
                #expect(try !transaction.hasOpenWork(other, instance: instance))
                let pool: LanePool = kind == .turn ? .turn : .delivery
                let lease = try #require(try transaction.claimLanes(pool: pool, limit: 1, until: transaction.now + .seconds(30)).first)
                let task = try #require(try transaction.takeNext(lease))
                #expect(try transaction.hasOpenWork(one, instance: instance), "in a worker's hands")
                try transaction.park(task, in: lease, until: transaction.now + .seconds(3600))
                #expect(try transaction.hasOpenWork(one, instance: instance), "parked")
                try transaction.remove(task, from: lease)
                #expect(try !transaction.hasOpenWork(one, instance: instance))
            }
        }
    }
}
