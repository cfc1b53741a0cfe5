import Conversation
import TestKit
import Testing

@testable import Desks

@Suite struct ZendeskTests {
    /// Answers the first creations with 409, as Zendesk does while another request changes the same things.
    @Test func conflictTwiceThenSuccessGivesOneTicket() async throws {
        let reference = HandoverID(Sample.ids.next())
        let conflicts = Counter()
        let world = try ZendeskWorld.make(
            callsUs: true,
            before: { request in
                guard request.line == "POST /api/v2/tickets.json", conflicts.next() <= 2 else { return nil }
                return DeskAnswer(status: 409, body: ["error": "Conflict"], headers: [("Retry-After", "1")])
            })
        var attempts = 0
        var ticket: DeskTicket?
        while ticket == nil, attempts < 5 {
            attempts += 1
            ticket = try await world.desk.find(reference)
            guard ticket == nil else { break }
            do throws(DeskError) {
                ticket = try await world.desk.open(Sample.draft(reference))
            } catch {
                #expect(error.outcome == .notDone && error.retryAfter == .seconds(1))
            }
        }
        #expect(attempts == 3 && ticket != nil)
        #expect(world.board.tickets.count == 1)
    }

    @Test func theSameKeyWithOtherWordsFindsTheTicketThatIsThere() async throws {
        let reference = HandoverID(Sample.ids.next())
        let count = Counter()
        let world = try ZendeskWorld.make(
            callsUs: true,
            before: { request in
                guard request.line == "POST /api/v2/tickets.json", count.next() == 2 else { return nil }
                return DeskAnswer(status: 400, body: ["error": "IdempotentRequestError"])
            })
        let first = try await world.desk.open(Sample.draft(reference))
        let error = await Sample.error { () async throws(DeskError) in
            _ = try await world.desk.open(Sample.draft(reference, summary: "Other words."))
        }
        #expect(error?.outcome == .unknown, "so it is looked for")
        #expect(try await world.desk.find(reference) == first)
    }

    @Test func aCustomerWithoutMailIsAUserWithOurID() async throws {
        let world = try ZendeskWorld.make(callsUs: true)
        _ = try await world.desk.open(Sample.draft(email: nil, phone: "+15550100"))
        #expect(world.board.requests == ["POST /api/v2/users/create_or_update.json", "POST /api/v2/tickets.json"])
        #expect(world.board.complaints.isEmpty)
    }

    @Test func aTicketClosedForGoodIsGone() async throws {
        let world = try ZendeskWorld.make(
            callsUs: true,
            before: { request in
                guard request.raw.method == "GET", request.path.hasPrefix("/api/v2/tickets/") else { return nil }
                return DeskAnswer(body: ["ticket": ["id": 1, "status": "closed", "requester_id": 5]])
            })
        let error = await Sample.error { () async throws(DeskError) in
            try await world.desk.add(Sample.words("Hello?"), to: DeskTicket(id: "1"))
        }
        #expect(error?.outcome == .gone)
    }

    // MARK: Calls

    private let comment: JSONValue = [
        "type": "zen:event-type:ticket.comment_added", "id": "e-1", "time": "2026-01-21T09:00:00.123456789Z",
        "subject": "zen:ticket:35", "detail": ["id": "35", "external_id": "01934e2c-8a11-7abc-8000-5f1d2c3b4a59", "actor_id": "6"],
        "event": ["comment": ["id": "77", "body": "Hello", "is_public": true, "author": ["id": "6", "is_staff": true, "name": "Agent"]]],
    ]

    private func changed(_ pointer: [String], _ value: JSONValue) -> JSONValue {
        func change(_ whole: JSONValue, _ rest: ArraySlice<String>) -> JSONValue {
            guard let first = rest.first else { return value }
            var copy = whole
            copy[first] = change(whole[first] ?? .object([:]), rest.dropFirst())
            return copy
        }
        return change(comment, pointer[...])
    }

    private func events(_ body: JSONValue) throws -> [DeskEvent] {
        try ZendeskWorld.make(callsUs: true).desk.events(in: ZendeskWorld.signed(body), now: SystemClock().now)
    }

    @Test func aPublicCommentOfThePeopleIsWorthALook() throws {
        let event = try #require(try events(comment).first)
        #expect(event.kind == .changed && event.ticket == "35")
        #expect(event.reference == HandoverID("01934e2c-8a11-7abc-8000-5f1d2c3b4a59"))
        #expect(event.at == Timestamp("2026-01-21T09:00:00.123Z"))
        // Without a word, but perhaps with a file.
        #expect(try events(changed(["event", "comment", "body"], "")).first?.kind == .changed)
    }

    @Test func whatIsNotForTheCustomerIsNotLookedAt() throws {
        #expect(try events(changed(["event", "comment", "is_public"], false)).isEmpty)
        #expect(try events(changed(["event", "comment", "author", "is_staff"], false)).isEmpty)
        #expect(try events(changed(["event"], ["comment": [:]])).isEmpty)
        #expect(try events(changed(["type"], "zen:event-type:user.created")).isEmpty)
        #expect(try events(["hello": "world"]).isEmpty)
    }

    @Test(arguments: ["status_changed", "agent_assignment_changed", "soft_deleted"])
    func changesOfATicketAreLookedAt(_ type: String) throws {
        #expect(try events(changed(["type"], .string("zen:event-type:ticket.\(type)"))).map(\.kind) == [.changed])
    }

    /// Comments of one ticket, as Zendesk lists them.
    private func looked(_ comments: [JSONValue]) async throws -> [DeskEvent] {
        let world = try ZendeskWorld.make(
            callsUs: true,
            before: { request in
                guard request.raw.method == "GET" else { return nil }
                guard request.path.hasSuffix("comments.json") else {
                    return DeskAnswer(body: ["ticket": ["id": 1, "status": "open", "requester_id": 5]])
                }
                return DeskAnswer(
                    body: [
                        "comments": .array(comments),
                        "users": [["id": 5, "role": "end-user"], ["id": 6, "role": "agent", "name": "Desk"]],
                    ])
            })
        return try await world.desk.changes(of: DeskTicket(id: "1"), since: nil).events
    }

    @Test func aCommentWithNothingButAFileIsAnAnswer() async throws {
        let file: JSONValue = ["content_url": "https://files.test/a.pdf", "file_name": "a.pdf", "content_type": "application/pdf"]
        let event = try #require(
            try await looked([["id": 9, "plain_body": "", "public": true, "author_id": 6, "attachments": [file]]]).first)
        let expected = TicketAttachment(url: "https://files.test/a.pdf", name: "a.pdf", mimeType: "application/pdf")
        #expect(event.kind == .reply(text: "", attachments: [expected]) && event.id == "comment-9" && event.author == "Desk")
    }

    @Test func whatAProgramWroteIsMarkedAndOurOwnIsNoAnswer() async throws {
        let ours = "Mine\n\n\(DeskText.mark(Sample.ids.next()))"
        let events = try await looked([
            ["id": 9, "plain_body": "Hello", "public": true, "author_id": 6, "via": ["channel": "rule"]],
            ["id": 8, "plain_body": .string(ours), "public": true, "author_id": 6],
            ["id": 7, "plain_body": "Secret", "public": false, "author_id": 6],
            ["id": 6, "plain_body": "Me", "public": true, "author_id": 5],
        ])
        #expect(events.map(\.id) == ["comment-9"] && events.first?.isAutomatic == true)
    }

    @Test(arguments: [
        ("0:0:0", "solved", DeskEvent.Kind.closed), ("0:1:0", "open", .reopened), ("0:0:0", "pending", nil), ("0:1:0", "closed", nil),
    ])
    func statusesCloseAndReopen(_ cursor: String, _ status: String, _ kind: DeskEvent.Kind?) async throws {
        let world = try ZendeskWorld.make(
            callsUs: true,
            before: { request in
                guard request.raw.method == "GET", !request.path.hasSuffix("comments.json") else { return nil }
                return DeskAnswer(body: ["ticket": ["id": 1, "status": .string(status), "requester_id": 5]])
            })
        let ticket = try await world.desk.open(Sample.draft())
        #expect(try await world.desk.changes(of: ticket, since: cursor).events.first?.kind == kind)
    }

    @Test func badCallsAreUnproven() throws {
        let desk = try ZendeskWorld.make(callsUs: true).desk
        let now = SystemClock().now
        var tampered = ZendeskWorld.signed(comment)
        tampered.body += [32]
        let calls = [
            tampered, ZendeskWorld.signed(comment, at: now + .seconds(-301)), ZendeskWorld.signed(comment, at: now + .seconds(302)),
            ZendeskWorld.signed(comment, secret: Secret("another-secret")),
        ]
        for call in calls {
            #expect(throws: DeskError.self) { try desk.events(in: call, now: now) }
            do throws(DeskError) { _ = try desk.events(in: call, now: now) } catch { #expect(error.outcome == .unproven) }
        }
    }
}
