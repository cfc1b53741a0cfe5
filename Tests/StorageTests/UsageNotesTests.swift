import Conversation
import Storage
import TestKit
import Testing

/// Notes on sessions, and the work that makes them.
struct UsageNotesTests {
    private let brand = BrandID(rawValue: "salon")
    private let session = SessionID(UniqueID(high: 5, low: 1))

    private func notes(_ text: String, knowing message: UInt64) -> SessionNotes {
        SessionNotes(
            summary: text, topics: ["booking", "price \"quoted\""], source: .model, firstMessageAt: Timestamp(seconds: 1),
            lastMessageAt: Timestamp(seconds: 2), lastActionAt: nil, lastMessage: MessageID(UniqueID(high: 6, low: message)),
            madeAt: Timestamp(seconds: 3))
    }

    @Test func whatKnowsLessNeverReplacesWhatKnowsMore() async throws {
        try await TemporaryStore.with { store in
            try await store.brand(brand).write { transaction in
                let none = try (transaction.notes(of: session), transaction.sessionSummary(of: session))
                #expect(none.0 == nil && none.1 == nil)
                #expect(try transaction.storeNotes(notes("second", knowing: 2), of: session))
                #expect(try !transaction.storeNotes(notes("first", knowing: 1), of: session))
                #expect(try transaction.notes(of: session) == notes("second", knowing: 2))
                #expect(try transaction.storeNotes(notes("second again", knowing: 2), of: session))
                #expect(try transaction.sessionSummary(of: session) == "second again")
            }
            #expect(try await store.brand(BrandID(rawValue: "jobs")).read { try $0.notes(of: session) } == nil)
        }
    }

    @Test func oneTaskWaitsForASessionHoweverManyTurnsCome() async throws {
        let clock = ControlledClock()
        try await TemporaryStore.with(clock: clock) { store in
            let lane = BrandTransaction.coldLane(of: session)
            let added = try await store.brand(brand).write { transaction in
                try (0..<10).map { _ in try transaction.enqueueCold("notes", session: session, after: .seconds(2)) }
            }
            #expect(added == [true] + [Bool](repeating: false, count: 9))
            #expect(try await store.brand(brand).write { try $0.claimLanes(pool: .cold, limit: 1, until: $0.now).isEmpty }, "it is early")
            clock.advance(by: .seconds(2))
            try await store.brand(brand).write { transaction in
                let leases = try transaction.claimLanes(pool: .cold, limit: 9, until: transaction.now + .seconds(30))
                let lease = try #require(leases.first)
                #expect(leases.count == 1 && lease.lane == lane)
                let task = try #require(try transaction.takeNext(lease))
                #expect(task.priority == .low && task.payload["session"]?.string == session.description)
                // What comes while one is being done is not seen by it.
                #expect(try transaction.enqueueCold("notes", session: session, after: .zero))
                #expect(try !transaction.enqueueCold("notes", session: session, after: .zero))
                #expect(try transaction.pendingTasks(in: lane) == 2)
                let other = SessionID(UniqueID(high: 5, low: 2))
                #expect(try transaction.enqueueCold("notes", session: other, after: .zero), "every session has a lane of its own")
            }
        }
    }
}
