import Conversation
import Foundation
import Storage
import Synchronization
import TestKit
import Testing

struct FeedTests {
    private let brand = BrandID(rawValue: "salon")
    private let instance = InstanceID(rawValue: "salon-web")
    private let channel = ChannelName(rawValue: "web")

    private func body(_ number: Int) -> JSONValue { ["n": .integer(Int64(number))] }

    @Test func eachConversationCountsFromOne() async throws {
        try await TemporaryStore.with { store in
            let (first, second) = (UserID(UniqueID(high: 1, low: 1)), UserID(UniqueID(high: 1, low: 2)))
            let numbers = try await store.brand(brand).write { transaction in
                try [first, second, first].map { try transaction.appendFeed(.update, body: body(0), instance: instance, user: $0) }
            }
            #expect(numbers == [1, 1, 2])
            let elsewhere = InstanceID(rawValue: "salon-app")
            try await store.brand(brand).write { _ = try $0.appendFeed(.update, body: body(0), instance: elsewhere, user: first) }
            try await store.brand(BrandID(rawValue: "jobs")).write {
                _ = try $0.appendFeed(.update, body: body(0), instance: instance, user: first)
            }
            #expect(try await store.brand(brand).read { try $0.newestFeedSequence(instance: instance, user: first) } == 2)
            #expect(try await store.brand(brand).read { try $0.newestFeedSequence(instance: elsewhere, user: first) } == 1)
            let nobody = UserID(UniqueID(high: 9, low: 9))
            #expect(try await store.brand(brand).read { try $0.newestFeedSequence(instance: instance, user: nobody) } == 0)
        }
    }

    @Test func numbersHaveNoGapsWhoeverWritesAtOnce() async throws {
        try await TemporaryStore.with { store in
            let user = UserID(UniqueID(high: 1, low: 1))
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<200 {
                    group.addTask {
                        try await store.brand(brand).write {
                            _ = try $0.appendFeed(.update, body: body(number), instance: instance, user: user)
                        }
                    }
                }
                try await group.waitForAll()
            }
            let page = try await store.brand(brand).read { try $0.feed(instance: instance, user: user, after: 0, limit: 1000) }
            #expect(page.isComplete && page.events.map(\.sequence) == Array(1...200))
            #expect(Set(page.events.compactMap { $0.body["n"]?.integer }).count == 200)
        }
    }

    @Test func theRingKeepsTheNewestAndSaysWhatIsGone() async throws {
        try await TemporaryStore.with { store in
            let user = UserID(UniqueID(high: 1, low: 1))
            let kept = BrandTransaction.feedRing
            try await store.brand(brand).write { transaction in
                for number in 1...(kept + 20) {
                    try transaction.appendFeed(.message, body: body(number), instance: instance, user: user)
                }
            }
            func page(_ after: Int64, _ limit: Int) async throws -> FeedPage {
                try await store.brand(brand).read { try $0.feed(instance: instance, user: user, after: after, limit: limit) }
            }
            let whole = try await page(20, 1000)
            #expect(whole.isComplete && whole.events.map(\.sequence) == Array(21...Int64(kept + 20)))
            #expect(whole.events.allSatisfy { $0.body["n"]?.integer == $0.sequence && $0.kind == .message })
            for gone: Int64 in [0, 19] { #expect(try await !page(gone, 10).isComplete) }
            #expect(try await page(100, 3).events.map(\.sequence) == [101, 102, 103])
            let end = try await page(Int64(kept + 20), 10)
            #expect(end.isComplete && end.events.isEmpty)
            // A number that this store never gave.
            #expect(try await !page(Int64(kept + 21), 10).isComplete)
            let empty = try await store.brand(brand).read {
                try $0.feed(instance: instance, user: UserID(UniqueID(high: 9, low: 9)), after: 0, limit: 10)
            }
            #expect(empty.isComplete && empty.events.isEmpty)
        }
    }

    @Test func listenersHearOfCommitsOnly() async throws {
        struct Undone: Error {}
        try await TemporaryStore.with { store in
            let heard = Mutex<[String]>([])
            store.onFeed { brand, instance, user in heard.withLock { $0.append("\(brand) \(instance) \(user)") } }
            let user = UserID(UniqueID(high: 1, low: 1))
            try await store.brand(brand).write { transaction in
                for number in 1...3 { try transaction.appendFeed(.update, body: body(number), instance: instance, user: user) }
            }
            #expect(heard.withLock { $0 } == ["salon salon-web \(user)"])
            await #expect(throws: Undone.self) {
                try await store.brand(brand).write { transaction in
                    try transaction.appendFeed(.update, body: body(4), instance: instance, user: user)
                    throw Undone()
                }
            }
            _ = try await store.brand(brand).write { try $0.openSession(instance: instance, user: user) }
            #expect(heard.withLock { $0.count } == 1)
            #expect(try await store.brand(brand).read { try $0.newestFeedSequence(instance: instance, user: user) } == 3)
        }
    }

    @Test func messagesOfAllSessionsStandInTheirOrder() async throws {
        let clock = ControlledClock()
        try await TemporaryStore.with(clock: clock) { store in
            let user = try await store.brand(brand).write { try $0.addGuest(channel: channel, tier: "guest") }
            func inbound(_ text: String, _ user: UserID) async throws -> MessageID {
                try await store.brand(brand).write { transaction in
                    let running = try transaction.activeSession(instance: instance, user: user)?.id
                    let session = try running ?? transaction.openSession(instance: instance, user: user)
                    let id = MessageID(transaction.newID())
                    let message = InboundMessage(
                        providerID: text, sender: Sender(identifiers: []), content: .text(text), sentAt: transaction.now)
                    _ = try transaction.insertInbound(
                        message, content: CanonicalJSON.text(message.content.json), id: id, session: session, instance: instance, user: user
                    )
                    return id
                }
            }
            func outbound(_ text: String, isSent: Bool) async throws -> MessageID {
                try await store.brand(brand).write { transaction in
                    let session = try #require(try transaction.activeSession(instance: instance, user: user)?.id)
                    let id = MessageID(transaction.newID())
                    try transaction.insertOutbound(
                        id: id, session: session, instance: instance, user: user, content: .text(text), narrative: .null, inReplyTo: nil,
                        turn: nil)
                    if isSent { try transaction.markSent(id, providerID: text) }
                    return id
                }
            }
            let first = try await inbound("one", user)
            let second = try await outbound("two", isSent: true)
            _ = try await outbound("waiting", isSent: false)
            try await store.brand(brand).write { transaction in
                try transaction.endSession(try #require(try transaction.activeSession(instance: instance, user: user)?.id))
            }
            let third = try await inbound("three", user)
            _ = try await inbound("another's", try await store.brand(brand).write { try $0.addGuest(channel: channel, tier: "guest") })
            func page(_ after: MessageID?, _ limit: Int) async throws -> [FeedMessage] {
                try await store.brand(brand).read { try $0.conversation(instance: instance, user: user, after: after, limit: limit) }
            }
            let all = try await page(nil, 10)
            #expect(all.map(\.id) == [first, second, third] && all.map(\.isInbound) == [true, false, true])
            #expect(all.map { $0.content["text"] } == ["one", "two", "three"])
            #expect(try await page(nil, 2).map(\.id) == [second, third])
            #expect(try await page(first, 1).map(\.id) == [second])
            #expect(try await page(second, 10).map(\.id) == [third])
            #expect(try await page(third, 10).isEmpty)
        }
    }

    @Test func aStoreOfTheFirstVersionGetsTheNewTables() async throws {
        let path = NSTemporaryDirectory() + "switchboard-upgrade-\(UUID().uuidString).sqlite"
        let new = try SQLiteDatabase(path: path)
        try await new.write(.installation) { connection in
            let tables = [
                "feed", "visits", "resume_secrets", "handovers", "handover_entries", "desk_events", "usage", "session_notes",
                "outbox_claims",
            ]
            for table in tables {
                try connection.run(SQL("DROP TABLE \(table)"), [])
            }
            try connection.run(SQL("ALTER TABLE events DROP COLUMN refusal"), [])
            try connection.run(SQL("DROP INDEX sessions_of_conversation"), [])
            try connection.run(SQL("DELETE FROM migrations WHERE version > 1"), [])
        }
        await new.close()
        let store = Store(database: try SQLiteDatabase(path: path), clock: ControlledClock(), ids: CountingIDs(), node: "test")
        let user = UserID(UniqueID(high: 1, low: 1))
        #expect(
            try await store.brand(brand).write { try $0.appendFeed(.handover, body: ["state": "open"], instance: instance, user: user) }
                == 1)
        await store.close()
        for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + suffix) }
    }
}
