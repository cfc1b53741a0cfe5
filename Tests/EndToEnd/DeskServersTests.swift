import Conversation
import Foundation
import TestKit
import Testing

/// The drivers against ticket systems that others wrote. A missing one is a failure, never a skip.
@Suite(.serialized, .once(because: "no gateway takes part")) struct DeskServersTests {
    private func withRequestTracker(_ body: (RequestTracker) async throws -> Void) async throws {
        let tracker = try await RequestTracker.start()
        do {
            try await body(tracker)
        } catch {
            Issue.record("\(error)")
        }
        await tracker.stop()
    }

    private func draft(_ reference: HandoverID) -> TicketDraft {
        TicketDraft(
            reference: reference, subject: "Customer asks for a person", priority: .high, reason: .userRequest,
            customer: TicketCustomer(user: UserID(SystemIDs().next()), name: "Customer", email: "customer@example.com"),
            summary: "The booking was refused twice.", history: [], payload: [:])
    }

    @Test func requestTrackerKeepsTheContract() async throws {
        try await withRequestTracker { try await DeskContract($0).run() }
    }

    @Test func roundupBehindTheBridgeKeepsTheContract() async throws {
        let roundup = try await Roundup.start()
        do {
            try await DeskContract(roundup).run()
        } catch {
            Issue.record("\(error)")
        }
        await roundup.stop()
    }

    /// What its pages send: markup, a file and a quotation of what we wrote.
    @Test func anAnswerFromTheEditorIsReadAsText() async throws {
        try await withRequestTracker { tracker in
            let ticket = try await tracker.desk.open(draft(HandoverID(SystemIDs().next())))
            let start = try await tracker.desk.changes(of: ticket, since: nil).cursor
            try await tracker.write(
                html: "<p>Hello <b>there</b> &amp; welcome</p><blockquote>[sb:\(SystemIDs().next())]</blockquote><script>alert(1)</script>",
                file: ("price list.pdf", Array(repeating: 7, count: 3_000_000)), in: ticket)
            let events = try await tracker.desk.changes(of: ticket, since: start).events
            guard case .reply(let text, let files) = try #require(events.first).kind else {
                Issue.record("\(events)")
                return
            }
            #expect(text.hasPrefix("Hello there & welcome\n"))
            #expect(!text.contains("alert") && !text.contains("<"))
            #expect(files.count == 1 && files[0].name == "price list.pdf")
            #expect(files[0].url.hasPrefix(tracker.url + "/Ticket/Attachment/") && files[0].url.hasSuffix("/price%20list.pdf"))
        }
    }

    /// Request Tracker opens a resolved ticket by itself when the customer writes.
    @Test func whatHappensToATicketIsToldInOrder() async throws {
        try await withRequestTracker { tracker in
            let ticket = try await tracker.desk.open(draft(HandoverID(SystemIDs().next())))
            try await tracker.take(ticket)
            try await tracker.write("I am on it", isInternal: false, in: ticket)
            try await tracker.setClosed(true, ticket)
            let words = TicketEntry(id: SystemIDs().next(), author: .customer, text: "One more thing", at: SystemClock().now)
            try await tracker.desk.add(words, to: ticket)
            let events = try await tracker.desk.changes(of: ticket, since: nil).events
            #expect(
                events.map(\.kind) == [.assigned, .reply(text: "I am on it", attachments: []), .closed, .reopened], "\(events)")
            #expect(events.map(\.isAutomatic) == [false, false, false, true])
            #expect(Set(events.map(\.id)).count == 4)
        }
    }
}
