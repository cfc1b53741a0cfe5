import Conversation
import TestKit
import Testing

@testable import Desks

@Suite struct RequestTrackerTests {
    @Test func theMarkStaysBehindWhatIsYoung() {
        let now = Timestamp(seconds: 1_000)
        let read: [(id: Int64, at: Timestamp)] = [
            (5, Timestamp(seconds: 800)), (7, Timestamp(seconds: 900)), (9, Timestamp(seconds: 990)), (10, Timestamp(seconds: 995)),
        ]
        let cursor = HistoryCursor().advanced(over: read, now: now)
        #expect(cursor.description == "7:9,10")
        // Number 8 began before 9 and is seen later.
        #expect(cursor.isNew(8) && !cursor.isNew(9) && !cursor.isNew(7) && cursor.isNew(11))
        let whole = [read[1], (8, Timestamp(seconds: 985)), read[2], read[3]]
        #expect(cursor.advanced(over: whole, now: Timestamp(seconds: 2_000)).description == "10")
    }

    @Test func aCursorComesBackAsItWas() throws {
        for text in ["0", "58", "58:60,61"] { #expect(try HistoryCursor(text).description == text) }
        for text in ["", "x", "-1", "5:4", "5:6:7", "5:a", "1;DROP"] {
            #expect(throws: DeskError.self) { try HistoryCursor(text) }
        }
    }

    /// A transaction that becomes visible after one with a higher number is not lost.
    @Test func aReplyThatIsCommittedLateIsTold() async throws {
        let world = try RequestTrackerWorld.make()
        let ticket = try await world.desk.open(Sample.draft())
        let start = try await world.desk.changes(of: ticket, since: nil).cursor
        world.change { $0.lastNumber += 10 }
        let late = world.board.lastNumber - 5
        try await world.desk.add(Sample.words("still there?"), to: ticket)
        let middle = try await world.desk.changes(of: ticket, since: start)
        #expect(middle.events.isEmpty)
        world.change { board in
            board.tickets[0].messages.append(Board.Message(id: late, text: "Hello", isInternal: false, author: "agent"))
        }
        let events = try await world.desk.changes(of: ticket, since: middle.cursor).events
        #expect(events.map(\.id) == [String(late)])
    }

    @Test func manyTransactionsAreReadInPages() async throws {
        let world = try RequestTrackerWorld.make()
        let ticket = try await world.desk.open(Sample.draft())
        for number in 1...250 { world.write("reply \(number)", isInternal: false, in: ticket) }
        let changes = try await world.desk.changes(of: ticket, since: nil)
        #expect(changes.events.count == 250)
        #expect(try await world.desk.changes(of: ticket, since: changes.cursor).events.isEmpty)
        #expect(world.board.complaints.isEmpty)
    }

    @Test func aTicketOfAnotherFormIsGoneAndNeverAPath() async throws {
        let world = try RequestTrackerWorld.make()
        for id in ["", "0", "-1", "1/../2", "abc"] {
            await #expect(throws: DeskError.self) { try await world.desk.changes(of: DeskTicket(id: id), since: nil) }
        }
        #expect(world.board.requests.isEmpty)
    }
}
