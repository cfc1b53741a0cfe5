import Conversation
import Storage
import Synchronization
import TestKit
import Testing

struct HandoverStoreTests {
    private let brand = BrandID(rawValue: "salon")
    private let instance = InstanceID(rawValue: "salon-web")
    private let user = UserID(UniqueID(high: 1, low: 1))

    private func record(_ transaction: BrandTransaction, desk: String? = "front", mutes: Bool = true) -> HandoverRecord {
        HandoverRecord(
            id: HandoverID(transaction.newID()), instance: instance, user: user, session: SessionID(UniqueID(high: 2, low: 2)),
            reason: .userRequest, priority: .high, channel: .ticket, mutes: mutes, payload: ["summary": "s"], desk: desk,
            createdAt: transaction.now)
    }

    @Test func aCustomerHasOneOpenHandoverAtAnInstance() async throws {
        try await TemporaryStore.with { store in
            try await store.brand(brand).write { transaction in
                var first = record(transaction)
                #expect(try transaction.insertHandover(first))
                #expect(try !transaction.insertHandover(record(transaction)))
                #expect(try transaction.isMuted(instance: instance, user: user))
                #expect(try transaction.hasOpenWork(user, instance: instance), "a session must not end before it")
                first.state = .closed
                first.mutes = false
                try transaction.updateHandover(first)
                #expect(try !transaction.isMuted(instance: instance, user: user))
                #expect(try transaction.insertHandover(record(transaction, mutes: false)))
                #expect(try !transaction.isMuted(instance: instance, user: user), "a callback mutes nobody")
            }
            let jobs = try await store.brand(BrandID(rawValue: "jobs")).read { try $0.handovers(state: nil, after: nil, limit: 10) }
            #expect(jobs.isEmpty)
        }
    }

    @Test func whatIsStoredIsReadBack() async throws {
        try await TemporaryStore.with(clock: ControlledClock()) { store in
            try await store.brand(brand).write { transaction in
                var handover = record(transaction)
                _ = try transaction.insertHandover(handover)
                handover.ticket = DeskTicket(id: "7", url: "http://desk.invalid/7")
                handover.deskState = .open
                handover.cursor = "c1"
                handover.pollAt = transaction.now
                handover.results = [["action": "a"]]
                handover.answeredBy = "front desk"
                try transaction.updateHandover(handover)
                let read = try #require(try transaction.handover(desk: "front", ticket: "7"))
                #expect(read.id == handover.id && read.ticket == handover.ticket && read.cursor == "c1")
                #expect(read.results == handover.results && read.answeredBy == "front desk" && read.deskState == .open)
                #expect(try transaction.handoversToPoll(desk: "front", limit: 5).map(\.id) == [handover.id])
                #expect(try transaction.handoversToPoll(desk: "other", limit: 5).isEmpty)
                #expect(try transaction.handovers(state: .closed, after: nil, limit: 5).isEmpty)
                #expect(try transaction.waitingHandovers() == 1)
            }
        }
    }

    @Test func anEventCountsOnceForItsTicket() async throws {
        try await TemporaryStore.with { store in
            try await store.brand(brand).write { transaction in
                let handover = record(transaction)
                _ = try transaction.insertHandover(handover)
                let event = DeskEventRecord(
                    id: "e1", kind: "reply", text: "hi", author: nil, isAutomatic: false, at: transaction.now, recordedAt: transaction.now,
                    outcome: "said")
                #expect(try transaction.insertEvent(event, of: handover.id, desk: "front", ticket: "7"))
                #expect(try !transaction.insertEvent(event, of: handover.id, desk: "front", ticket: "7"))
                #expect(try transaction.insertEvent(event, of: handover.id, desk: "front", ticket: "8"))
                #expect(try transaction.knowsEvent("e1", desk: "front", ticket: "7"))
                #expect(try !transaction.knowsEvent("e1", desk: "back", ticket: "7"))
                #expect(try transaction.events(of: handover.id, limit: 10).count == 2)
            }
        }
    }

    @Test func entriesKeepTheirOrderAndState() async throws {
        try await TemporaryStore.with { store in
            try await store.brand(brand).write { transaction in
                let id = record(transaction).id
                let file = TicketAttachment(url: "https://x.invalid/1", name: "1", mimeType: "image/png")
                for number in 1...3 {
                    let entry = TicketEntry(
                        id: transaction.newID(), author: .customer, text: "\(number)", attachments: [file], at: transaction.now)
                    try transaction.insertEntry(HandoverEntry(entry, .queued), of: id)
                    try transaction.insertEntry(HandoverEntry(entry, .queued), of: id)
                }
                let all = try transaction.entries(of: id, limit: 2)
                #expect(all.map(\.entry.text) == ["2", "3"] && all.first?.entry.attachments == [file])
                try transaction.setEntry(all[0].entry.id, of: id, .kept)
                #expect(try transaction.keptEntries(of: id).map(\.entry.text) == ["2"])
            }
        }
    }

    @Test func newsIsToldAfterTheCommitAndNeverOfWhatWasUndone() async throws {
        try await TemporaryStore.with { store in
            let heard = Mutex<[HandoverNews.Kind]>([])
            store.onHandovers { _, news in heard.withLock { $0 += news.map(\.kind) } }
            struct Undone: Error {}
            await #expect(throws: Undone.self) {
                try await store.brand(brand).write { transaction in
                    _ = try transaction.insertHandover(record(transaction))
                    throw Undone()
                }
            }
            #expect(heard.withLock { $0 }.isEmpty)
            try await store.brand(brand).write { _ = try $0.insertHandover(record($0)) }
            #expect(heard.withLock { $0 } == [.opened])
        }
    }
}
