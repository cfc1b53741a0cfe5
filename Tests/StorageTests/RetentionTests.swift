import Conversation
import Storage
import TestKit
import Testing

struct RetentionTests {
    private let brand = BrandID(rawValue: "salon")
    private let instance = InstanceID(rawValue: "salon-web")

    /// A handover with an entry and an event, closed or not.
    private func handover(_ number: UInt64, isClosed: Bool, _ transaction: BrandTransaction) throws -> HandoverID {
        var record = HandoverRecord(
            id: HandoverID(transaction.newID()), instance: instance, user: UserID(UniqueID(high: 1, low: number)),
            session: SessionID(UniqueID(high: 2, low: number)), reason: .userRequest, priority: .high, channel: .ticket, mutes: true,
            payload: [:], desk: "front", createdAt: transaction.now)
        _ = try transaction.insertHandover(record)
        let entry = TicketEntry(id: transaction.newID(), author: .customer, text: "hello", at: transaction.now)
        try transaction.insertEntry(HandoverEntry(entry, .added), of: record.id)
        let event = DeskEventRecord(
            id: "e1", kind: "reply", text: "hi", author: nil, isAutomatic: false, at: transaction.now, recordedAt: transaction.now,
            outcome: "said")
        _ = try transaction.insertEvent(event, of: record.id, desk: "front", ticket: "\(number)")
        if isClosed { (record.state, record.closedAt) = (.closed, transaction.now) }
        try transaction.updateHandover(record)
        return record.id
    }

    @Test func whatIsClosedForLongIsForgottenWithAllThatWasSaidInItAndWhatIsOpenStays() async throws {
        let clock = ControlledClock()
        try await TemporaryStore.with(clock: clock) { store in
            let (old, open) = try await store.brand(brand).write { transaction in
                (try (0..<5).map { try handover($0, isClosed: true, transaction) }, try handover(9, isClosed: false, transaction))
            }
            clock.advance(by: .seconds(60 * 86_400))
            let young = try await store.brand(brand).write { try handover(10, isClosed: true, $0) }
            clock.advance(by: .seconds(31 * 86_400))
            try await store.brand(brand).write { transaction in
                // Two at a time: nobody waits for a large step.
                #expect(try transaction.forgetOld(limit: 16) == 16)
                #expect(try transaction.handovers(state: .closed, after: nil, limit: 10).count == 4)
                while try transaction.forgetOld(limit: 16) == 16 {}
                #expect(Set(try transaction.handovers(state: nil, after: nil, limit: 10).map(\.id)) == [young, open])
                for id in old {
                    #expect(try transaction.entries(of: id, limit: 5).isEmpty && transaction.events(of: id, limit: 5).isEmpty)
                }
                for id in [young, open] {
                    #expect(try transaction.entries(of: id, limit: 5).count == 1 && transaction.events(of: id, limit: 5).count == 1)
                }
            }
        }
    }

    @Test func usageIsKeptForMoreThanAYearAndNotesForThreeMonths() async throws {
        let clock = ControlledClock()
        try await TemporaryStore.with(clock: clock) { store in
            let session = SessionID(UniqueID(high: 5, low: 1))
            try await store.brand(brand).write { transaction in
                _ = try transaction.insertUsage(SomeUsage.call(1, at: transaction.now), costNanos: nil)
                let notes = SessionNotes(
                    summary: "s", topics: [], source: .model, firstMessageAt: nil, lastMessageAt: nil, lastActionAt: nil,
                    lastMessage: MessageID(UniqueID(high: 6, low: 1)), madeAt: transaction.now)
                _ = try transaction.storeNotes(notes, of: session)
            }
            clock.advance(by: .seconds(399 * 86_400))
            try await store.brand(brand).write { transaction in
                #expect(try transaction.forgetOld(limit: 100) == 1)
                let notes = try transaction.notes(of: session)
                #expect(notes == nil)
                #expect(try transaction.usage(in: SomeUsage.allTime).calls == 1)
            }
            clock.advance(by: .seconds(2 * 86_400))
            try await store.brand(brand).write { transaction in
                let forgotten = try transaction.forgetOld(limit: 100)
                let calls = try transaction.usage(in: SomeUsage.allTime).calls
                #expect(forgotten == 1 && calls == 0)
            }
        }
    }

    @Test func keysOfRequestsAreKnownForThirtyDaysAndGoThenPieceByPiece() async throws {
        let clock = ControlledClock()
        try await TemporaryStore.with(clock: clock) { store in
            func ask(_ key: String, of brand: BrandID) async throws -> Bool {
                try await store.brand(brand).write { transaction in
                    guard case .new = try transaction.claimRequest(key: key, bodyHash: [1]) else { return false }
                    try transaction.storeAnswer(key: key, status: 202, body: [2])
                    return true
                }
            }
            for number in 0..<25 { #expect(try await ask("old-\(number)", of: brand)) }
            #expect(try await ask("old-0", of: BrandID(rawValue: "jobs")))
            clock.advance(by: .seconds(86_400))
            #expect(try await ask("young", of: brand))
            clock.advance(by: .seconds(29 * 86_400))
            #expect(try await store.brand(brand).write { try $0.forgetOld(limit: 10) } == 0)
            #expect(try await !ask("old-0", of: brand))
            clock.advance(by: .seconds(1))
            var pieces: [Int] = []
            repeat { pieces.append(try await store.brand(brand).write { try $0.forgetOld(limit: 10) }) } while pieces.last == 10
            #expect(pieces == [10, 10, 5])
            #expect(try await ask("old-0", of: brand))
            #expect(try await !ask("young", of: brand))
            #expect(try await !ask("old-0", of: BrandID(rawValue: "jobs")), "of the other brand nothing went")
        }
    }

    @Test func callsThatWereNotMadeAreOnRecordAndNoCalls() async throws {
        try await TemporaryStore.with { store in
            try await store.brand(SomeUsage.salon).write { transaction in
                for (number, failure) in [ModelFailure.Kind.paused, .busy, .overBudget, .timeout].enumerated() {
                    _ = try transaction.insertUsage(
                        SomeUsage.call(UInt64(number), input: 0, output: 0, price: nil, failure: failure), costNanos: nil)
                }
                let sums = try transaction.usage(in: SomeUsage.allTime)
                #expect(sums.calls == 1 && sums.failedCalls == 1)
            }
        }
    }
}
