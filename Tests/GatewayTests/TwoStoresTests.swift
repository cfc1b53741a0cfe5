import Conversation
import Foundation
import Logging
import Storage
import TestKit
import Testing

@testable import Gateway

/// Brands in stores of their own, and a delivery that is for both.
struct TwoStoresTests {
    private struct World {
        let main: WrappedDatabase
        let other: WrappedDatabase
        let store: Store
        let intake: IntakeService
    }

    private let numbers = ["salon": "1001", "jobs": "1002"]

    private func with(_ body: (World) async throws -> Void) async throws {
        let folder = NSTemporaryDirectory() + "switchboard-stores-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let clock = ControlledClock()
        let main = WrappedDatabase(try SQLiteDatabase(path: folder + "/main.sqlite"))
        let other = WrappedDatabase(try SQLiteDatabase(path: folder + "/other.sqlite"))
        let store = Store(database: main, elsewhere: [PageWorld.jobs.brand: other], clock: clock, ids: CountingIDs(), node: "test")
        try await PageWorld.with { world in
            let numbers = numbers
            let descriptor = ChannelDescriptor(
                name: PageChannel.descriptorOfPages.name, appSettings: [], instanceSettings: [],
                address: { instance in
                    guard instance.id.rawValue.hasSuffix("-web"), let number = numbers[instance.brand.rawValue] else { return nil }
                    return InstanceAddress(channel: instance.channel, app: "main", account: number)
                })
            world.registry.replace(brands: world.registry.brands, descriptors: [descriptor])
            let intake = IntakeService(
                store: store, registry: world.registry, metrics: GatewayMetrics(),
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
            try await body(World(main: main, other: other, store: store, intake: intake))
        }
        await store.close()
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// One message for each of these accounts, in one delivery.
    private func delivery(_ ids: [(account: String, id: String)]) -> VerifiedWebhook {
        VerifiedWebhook(
            channel: PageWorld.salon.channel, app: "main",
            items: ids.map { account, id in
                let sender = Sender(identifiers: [Identifier(kind: .guest, value: "somebody")])
                let message = InboundMessage(
                    providerID: id, sender: sender, content: .text("hello"), sentAt: Timestamp(seconds: 1_800_000_000))
                return .message(
                    message, InstanceAddress(channel: PageWorld.salon.channel, app: "main", account: account), raw: { Array(id.utf8) })
            })
    }

    private func count(_ database: WrappedDatabase, _ query: String) async throws -> Int64 {
        try await database.read(.installation) { try $0.rows(SQL(query), []).first?.integer(0) ?? -1 }
    }

    private static let messages = "SELECT count(*) FROM messages"
    private static let waiting = """
        SELECT count(*) FROM lanes JOIN messages ON messages.session_id = lanes.inbox_session AND messages.message_id >= lanes.inbox
        """

    @Test func aBrandsRowsAreInItsOwnStoreAndNowhereElse() async throws {
        try await with { (world) async throws in
            let receipt = try await world.intake.accept(delivery([("1001", "m-1"), ("1002", "m-2"), ("9999", "m-3")]))
            #expect(receipt.accepted == 2 && receipt.quarantined == 1)
            for (database, own) in [(world.main, "salon"), (world.other, "jobs")] {
                for table in ["messages", "users", "sessions", "lanes", "identifiers"] {
                    #expect(try await count(database, "SELECT count(*) FROM \(table)") == 1, "\(table) of \(own)")
                    #expect(try await count(database, "SELECT count(*) FROM \(table) WHERE brand_id <> '\(own)'") == 0, "\(table)")
                }
            }
            #expect(try await count(world.main, "SELECT count(*) FROM unrouted") == 1)
            #expect(try await count(world.other, "SELECT count(*) FROM unrouted") == 0)
        }
    }

    @Test(arguments: [true, false]) func aDeliveryForTwoStoresIsAcknowledgedOnlyWhenBothHaveIt(mainIsAway: Bool) async throws {
        try await with { (world) async throws in
            let away = mainIsAway ? world.main : world.other
            let there = mainIsAway ? world.other : world.main
            let both = delivery([("1001", "m-1"), ("1002", "m-2"), ("1001", "m-3"), ("1002", "m-4")])
            away.isAway = true
            for _ in 0..<3 {
                await #expect(throws: StorageError.self) { try await world.intake.accept(both) }
            }
            #expect(try await count(there, Self.messages) == 2)
            away.isAway = false
            #expect(try await count(away, Self.messages) == 0)
            let receipt = try await world.intake.accept(both)
            #expect(receipt.accepted == 2 && receipt.duplicates == 2 && receipt.messages.count == 4)
            for database in [world.main, world.other] {
                #expect(try await count(database, Self.messages) == 2)
                #expect(try await count(database, Self.waiting) == 2)
            }
            #expect(try await world.intake.accept(both).duplicates == 4)
        }
    }

    @Test func theStoreOfOneBrandThatIsAwayKeepsNobodyElseFromWriting() async throws {
        try await with { (world) async throws in
            world.other.isAway = true
            #expect(try await world.intake.accept(delivery([("1001", "m-1")])).accepted == 1)
            await #expect(throws: StorageError.self) { try await world.intake.accept(delivery([("1002", "m-2")])) }
            #expect(try await count(world.main, Self.messages) == 1)
        }
    }
}
