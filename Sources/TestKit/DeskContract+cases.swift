import Conversation
import Testing

// MARK: Towards the desk

extension DeskContract {
    func aTicketIsFoundByItsReference() async throws {
        let reference = newReference()
        #expect(try await desk.find(reference) == nil)
        let ticket = try await desk.open(draft(reference, history: [entry(.customer, "Hello")]))
        #expect(!ticket.id.isEmpty)
        #expect(try await desk.find(reference)?.id == ticket.id)
        #expect(try await world.tickets(reference) == 1)
        #expect(try await desk.find(newReference()) == nil)
    }

    func aTicketShowsItsHistory() async throws {
        let history = (1...150).map { entry($0.isMultiple(of: 2) ? .bot : .customer, "message \($0) of many") }
        let ticket = try await desk.open(draft(newReference(), history: history))
        let text = try await world.entries(of: ticket).map(\.text).joined(separator: "\n")
        #expect(text.contains("The booking was refused twice."))
        #expect(text.contains("message 150 of many") && text.contains("message 51 of many"))
        #expect(!text.contains("message 50 of many"), "a ticket shows the last 100 entries")
        #expect(text.contains(/\b50\b/), "and says how many it does not show")
    }

    func wordsArePublicNotesAreNot() async throws {
        let (ticket, _) = try await opened()
        let link = TicketAttachment(url: "https://files.example/a/photo.jpg", name: "photo.jpg", mimeType: "image/jpeg")
        try await desk.add(entry(.customer, "Here is a picture", [link]), to: ticket)
        try await desk.add(entry(.system, "The booking was made meanwhile", isInternal: true), to: ticket)
        let entries = try await world.entries(of: ticket)
        let words = try #require(entries.first { $0.text.contains("Here is a picture") })
        #expect(!words.isInternal)
        #expect(words.text.contains(link.url) && words.text.contains("photo.jpg"))
        let note = try #require(entries.first { $0.text.contains("The booking was made meanwhile") })
        #expect(note.isInternal)
    }

    func anEntryIsFound() async throws {
        let (ticket, _) = try await opened()
        let words = entry(.customer, "Are you there?")
        try await desk.add(words, to: ticket)
        if let found = try await desk.contains(words.id, in: ticket) {
            #expect(found)
            #expect(try await desk.contains(newReference().value, in: ticket) == false)
        }
        guard desk.capabilities.deduplicatesEntries else { return }
        try await desk.add(words, to: ticket)
        #expect(try await world.entries(of: ticket).count { $0.text.contains("Are you there?") } == 1)
    }

    func hostileTextsArrive() async throws {
        let (ticket, _) = try await opened()
        let hostile = "<script>alert(1)</script> \"quoted\" 'single' \\ {{ticket.id}} 100% ünï 👍🏽\nsecond line"
        try await desk.add(entry(.customer, hostile), to: ticket)
        let shown = try await world.entries(of: ticket).map(\.text)
        #expect(
            shown.contains { $0.contains("<script>alert(1)</script> \"quoted\"") && $0.contains("ünï 👍🏽") && $0.contains("second line") })
        let large = entry(.customer, "begin " + String(repeating: "long <text> ", count: 30_000))
        try await desk.add(large, to: ticket)
        #expect(try await world.entries(of: ticket).contains { $0.text.contains("begin long") })
        if let found = try await desk.contains(large.id, in: ticket) { #expect(found, "the mark survives cutting") }
    }

    func weCloseATicket() async throws {
        let (ticket, _) = try await opened()
        #expect(try await !world.isClosed(ticket))
        try await desk.close(ticket, reason: "nobody was available")
        #expect(try await world.isClosed(ticket))
        try await desk.close(ticket, reason: "nobody was available")
        #expect(try await world.isClosed(ticket))
    }

    func aMissingTicketIsGone() async throws {
        let missing = DeskTicket(id: "999999")
        await expect(.gone) { () async throws(DeskError) in try await desk.add(entry(.customer, "Hello?"), to: missing) }
        await expect(.gone) { () async throws(DeskError) in try await desk.close(missing, reason: "over") }
        await expect(.gone) { () async throws(DeskError) in _ = try await desk.changes(of: missing, since: nil) }
    }

    func everyFaultHasItsOutcome() async throws {
        let (ticket, _) = try await opened()
        for fault in DeskFault.allCases {
            guard await world.fail(fault) else { return }
            await expect(fault.outcomeOfLooking, fault) { () async throws(DeskError) in _ = try await desk.find(newReference()) }
            _ = await world.fail(fault)
            await expect(fault.outcome, fault) { () async throws(DeskError) in _ = try await desk.open(draft(newReference())) }
            // Whether a note's text is read matters to nobody.
            guard fault != .garbage else { continue }
            _ = await world.fail(fault)
            await expect(fault.outcome, fault) { () async throws(DeskError) in
                try await desk.add(entry(.system, "a note", isInternal: true), to: ticket)
            }
        }
    }

    private func expect(
        _ outcome: DeskError.Outcome, _ fault: DeskFault? = nil, _ body: () async throws(DeskError) -> Void
    ) async {
        let what = fault.map { "after \($0)" } ?? ""
        do {
            try await body()
            Issue.record("succeeded where \(outcome) was expected \(what)")
        } catch {
            #expect(error.outcome == outcome, "\(what): \(error)")
            if fault == .busy { #expect(error.retryAfter == .seconds(7)) }
        }
    }
}

// MARK: From the desk

extension DeskContract {
    func whatWeWroteIsNoAnswer() async throws {
        let (ticket, _) = try await opened()
        try await desk.add(entry(.customer, "one"), to: ticket)
        try await desk.add(entry(.bot, "two", isInternal: true), to: ticket)
        try await desk.add(entry(.customer, "three"), to: ticket)
        let events = try await events(of: ticket, atLeast: 0)
        #expect(events.allSatisfy { !$0.kind.isReply }, "\(events)")
    }

    func aReplyIsToldOnce() async throws {
        let (ticket, reference) = try await opened()
        let start = try await cursor(of: ticket, since: nil)
        try await world.write("for colleagues only", isInternal: true, in: ticket)
        try await world.write("How can I help?", isInternal: false, in: ticket)
        let replies = try await events(of: ticket, since: start, atLeast: 1).filter(\.kind.isReply)
        #expect(replies.count == 1, "\(replies)")
        let reply = try #require(replies.first)
        #expect(reply.kind == .reply(text: "How can I help?", attachments: []))
        #expect(reply.ticket == ticket.id)
        #expect(reply.reference == nil || reply.reference == reference)
        #expect(!reply.isAutomatic)
        let again = try await events(of: ticket, since: start, atLeast: 1).filter(\.kind.isReply)
        #expect(again.map(\.id) == [reply.id], "the same event has the same id")
        let after = try await cursor(of: ticket, since: start)
        // Under an id that is known; desks that count what they tell say nothing at all.
        #expect(try await events(of: ticket, since: after, atLeast: 0).allSatisfy { $0.id == reply.id }, "what was told is not news")
        try await world.write("How can I help?", isInternal: false, in: ticket)
        let second = try await events(of: ticket, since: after, atLeast: 1).filter { $0.kind.isReply && $0.id != reply.id }
        #expect(second.count == 1, "the same words again are another reply")
    }

    /// What a call brings has the id under which it is found when the ticket is asked about; or the call only says that something happened.
    func whatIsHeardBothWaysIsOneEvent() async throws {
        guard desk.capabilities.callsUs else { return }
        let (ticket, _) = try await opened()
        let calls = try await world.calls(atLeast: 0).count
        try await world.write("Heard twice", isInternal: false, in: ticket)
        let heard = try await world.calls(atLeast: calls + (world.isHeard ? 1 : 0)).dropFirst(calls).flatMap {
            try desk.events(in: $0, now: SystemClock().now)
        }
        let asked = try await events(of: ticket, atLeast: 1)
        #expect(world.isHeard == !heard.isEmpty)
        for event in heard {
            #expect(event.ticket == ticket.id)
            if event.kind != .changed { #expect(asked.map(\.id).contains(event.id), "\(event)") }
        }
    }

    func markupBecomesText() async throws {
        let (ticket, _) = try await opened()
        try await world.write("Prices: 5 < 6 & \"so on\"\nsecond line", isInternal: false, in: ticket)
        let replies = try await events(of: ticket, atLeast: 1).compactMap { event -> String? in
            if case .reply(let text, _) = event.kind { text } else { nil }
        }
        #expect(replies == ["Prices: 5 < 6 & \"so on\"\nsecond line"])
    }

    func closingAndReopeningAreTold() async throws {
        let (ticket, _) = try await opened()
        let start = try await cursor(of: ticket, since: nil)
        try await world.setClosed(true, ticket)
        let closed = try await events(of: ticket, since: start, atLeast: 1).filter { $0.kind == .closed }
        #expect(closed.count == 1)
        let middle = try await cursor(of: ticket, since: start)
        try await world.setClosed(false, ticket)
        let reopened = try await events(of: ticket, since: middle, atLeast: 1).filter { $0.kind == .reopened }
        #expect(reopened.count == 1)
        #expect(closed.first?.id != reopened.first?.id)
    }

    func anUnprovenCallIsNotRead() async throws {
        let body = Array("{\"event\":\"closed\",\"id\":\"1\",\"ticket\":\"1\"}".utf8)
        let calls = [
            ChannelRequest(parameters: [:], query: [:], headers: { _ in [] }, body: body),
            ChannelRequest(parameters: [:], query: [:], headers: { _ in ["x"] }, body: body),
            ChannelRequest(parameters: [:], query: [:], headers: { _ in ["x", "x"] }, body: Array("not JSON".utf8)),
        ]
        for call in calls {
            do throws(DeskError) {
                _ = try desk.events(in: call, now: SystemClock().now)
                Issue.record("a call without proof was read")
            } catch {
                #expect(error.outcome == .unproven)
            }
        }
    }

    /// The ticket's events since `cursor`, of which there must be some.
    private func events(of ticket: DeskTicket, since cursor: String? = nil, atLeast count: Int) async throws -> [DeskEvent] {
        let events = try await desk.changes(of: ticket, since: cursor).events
        #expect(events.count >= count, "\(events)")
        return events
    }

    private func cursor(of ticket: DeskTicket, since cursor: String?) async throws -> String? {
        try await desk.changes(of: ticket, since: cursor).cursor
    }
}

extension DeskEvent.Kind {
    fileprivate var isReply: Bool { if case .reply = self { true } else { false } }
}
