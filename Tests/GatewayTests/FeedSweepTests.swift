import Conversation
import Foundation
import Logging
import Storage
import Synchronization
import TestKit
import Testing

@testable import Gateway

struct FeedSweepTests {
    private struct Wires: PeerNetwork {
        let sent = Sent()
        func send(_ signal: PeerSignal) { sent.signals.withLock { $0.append(signal) } }
    }

    private final class Sent: Sendable {
        let signals = Mutex<[PeerSignal]>([])
    }

    /// Counts what a subscriber was told.
    private final class Rings: Sendable {
        private let counts = Mutex<[FeedSignal: Int]>([:])
        func ring(_ signal: FeedSignal) { counts.withLock { $0[signal, default: 0] += 1 } }
        subscript(_ signal: FeedSignal) -> Int { counts.withLock { $0[signal] ?? 0 } }
    }

    private let visitor = Visitor(
        brand: PageWorld.salon.brand, instance: PageWorld.salon.id, user: UserID(UniqueID(high: 1, low: 1)),
        identifier: Identifier(kind: .guest, value: "g"))

    private func withTwo(_ body: (ControlledClock, WrappedDatabase, [Store]) async throws -> Void) async throws {
        let clock = ControlledClock()
        let path = NSTemporaryDirectory() + "switchboard-sweep-\(UUID().uuidString).sqlite"
        let database = WrappedDatabase(try SQLiteDatabase(path: path), isShared: true)
        try await body(clock, database, ["a", "b"].map { Store(database: database, clock: clock, ids: CountingIDs(), node: $0) })
        await database.close()
        for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + suffix) }
    }

    private func write(_ store: Store, at visitor: Visitor? = nil) async throws {
        let address = visitor ?? self.visitor
        try await store.brand(address.brand).write {
            _ = try $0.appendFeed(.update, body: ["n": 1], instance: address.instance, user: address.user)
        }
    }

    private func sweep(_ store: Store, _ feeds: LiveFeeds) -> FeedSweep {
        FeedSweep(store: store, feeds: feeds, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    @Test func whatAnotherNodeWroteIsFoundOnceWhenItsSignalWasLost() async throws {
        try await withTwo { (clock, _, stores) async throws in
            let feeds = LiveFeeds(store: stores[1])
            let sweep = sweep(stores[1], feeds)
            let rings = Rings()
            let subscription = feeds.subscribe(to: visitor) { rings.ring($0) }
            await sweep.look()
            #expect(rings[.changed] == 0)
            try await write(stores[0])
            clock.advance(by: .seconds(2))
            await sweep.look()
            #expect(rings[.changed] == 1)
            await sweep.look()
            #expect(rings[.changed] == 1, "of one event nobody is told twice")
            try await write(stores[0])
            var other = visitor
            other.user = UserID(UniqueID(high: 1, low: 2))
            try await write(stores[0], at: other)
            await sweep.look()
            #expect(rings[.changed] == 2)
            subscription.cancel()
        }
    }

    @Test func whatWasWrittenWhileTheStoreWasAwayIsFoundAfterwards() async throws {
        try await withTwo { (clock, database, stores) async throws in
            let feeds = LiveFeeds(store: stores[1])
            let sweep = sweep(stores[1], feeds)
            let rings = Rings()
            let subscription = feeds.subscribe(to: visitor) { rings.ring($0) }
            await sweep.look()
            try await write(stores[0])
            database.isAway = true
            for _ in 0..<40 {
                clock.advance(by: .seconds(2))
                await sweep.look()
            }
            #expect(rings[.changed] == 0)
            database.isAway = false
            await sweep.look()
            #expect(rings[.changed] == 1)
            subscription.cancel()
        }
    }

    @Test func signalsOfOtherNodesRingAndOnesOwnAreSent() async throws {
        try await withTwo { (_, _, stores) async throws in
            let wires = Wires()
            stores[0].connect(wires)
            let (own, others) = (LiveFeeds(store: stores[0]), LiveFeeds(store: stores[1]))
            let (here, there) = (Rings(), Rings())
            let subscriptions = [own.subscribe(to: visitor) { here.ring($0) }, others.subscribe(to: visitor) { there.ring($0) }]
            try await write(stores[0])
            own.typing(instance: PageWorld.salon, user: visitor.user)
            #expect(here[.changed] == 1 && here[.typing] == 1 && there[.changed] == 0)
            let signals = wires.sent.signals.withLock { $0 }
            #expect(
                signals == [
                    .feed(visitor.brand, visitor.instance, visitor.user), .typing(visitor.brand, visitor.instance, visitor.user),
                ])
            for signal in signals { stores[1].hear(try #require(PeerSignal(text: signal.text))) }
            #expect(there[.changed] == 1 && there[.typing] == 1)
            #expect(wires.sent.signals.withLock { $0.count } == 2, "what was heard is not told again")
            for subscription in subscriptions { subscription.cancel() }
        }
    }
}
