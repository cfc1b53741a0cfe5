import Conversation
import Testing

@testable import Sandbox

@Suite struct FreshdeskTests {
    private static let draft: JSONValue = [
        "subject": "A person is asked for [sb:1]", "description": "The summary<br>in &lt;two&gt; lines", "status": 2, "priority": 3,
        "source": 7, "tags": ["switchboard", "0123456789abcdef0123456789abcdef"], "unique_external_id": "u-1", "name": "Customer",
    ]

    private static func without(_ key: String) -> JSONValue { .object((draft.object ?? [:]).filter { $0.key != key }) }

    private static func with(_ key: String, _ value: JSONValue) -> JSONValue {
        var body = draft
        body[key] = value
        return body
    }

    private static let refused: [(body: JSONValue, field: String, code: String)] = [
        (without("subject"), "subject", "missing_field"), (without("description"), "description", "missing_field"),
        (without("status"), "status", "missing_field"), (without("priority"), "priority", "missing_field"),
        (without("source"), "source", "missing_field"), (without("unique_external_id"), "requester_id", "missing_field"),
        (with("status", 9), "status", "invalid_value"), (with("priority", "3"), "priority", "datatype_mismatch"),
        (with("source", 4), "source", "invalid_value"), (with("colour", "blue"), "colour", "invalid_field"),
        (with("tags", [.string(String(repeating: "a", count: 33))]), "tags", "invalid_value"),
        (with("email", "nobody"), "email", "invalid_value"), (with("requester_id", 99), "requester_id", "invalid_value"),
    ]

    private static func made(_ rig: Rig) async throws -> Int {
        let answer = try await rig.desk("POST", "freshdesk", "/api/v2/tickets", draft)
        try #require(answer.status == 201, "\(answer.json)")
        return Int(try #require(answer.json["id"]?.integer))
    }

    @Test func whatFreshdeskRefusesIsRefusedInItsForm() async throws {
        try await Rig.run { rig in
            for (body, field, code) in Self.refused {
                let answer = try await rig.desk("POST", "freshdesk", "/api/v2/tickets", body)
                #expect(answer.status == 400 && answer.json["description"] == "Validation failed", "\(field)")
                #expect(answer.json.at(pointer: "/errors/0/field")?.string == field, "\(answer.json.plainText)")
                #expect(answer.json.at(pointer: "/errors/0/code")?.string == code, "\(answer.json.plainText)")
            }
            #expect(try await rig.tickets("freshdesk").isEmpty)
            #expect(try await rig.call("GET", "/desk/freshdesk/api/v2/tickets").status == 401)
            let missing = try await rig.desk("GET", "freshdesk", "/api/v2/tickets/5")
            #expect(missing.status == 404 && missing.body.isEmpty)
        }
    }

    @Test func ticketsAreListedAndSearchedByTheirTag() async throws {
        try await Rig.run { rig in
            let id = try await Self.made(rig)
            let target = "/api/v2/tickets?updated_since=2026-11-20T14:00:00.000Z&order_by=created_at&order_type=desc&per_page=100&page=1"
            let listed = try await rig.desk("GET", "freshdesk", target).json
            #expect(listed.at(pointer: "/0/id") == .integer(Int64(id)) && listed.at(pointer: "/0/description") == nil)
            let later = try await rig.desk("GET", "freshdesk", "/api/v2/tickets?updated_since=2027-01-01T00:00:00Z").json
            #expect(later == [])
            let query = "/api/v2/search/tickets?query=%22tag%3A%270123456789abcdef0123456789abcdef%27%20AND%20status%3A2%22"
            let found = try await rig.desk("GET", "freshdesk", query).json
            #expect(found["total"] == 1 && found.at(pointer: "/results/0/id") == .integer(Int64(id)))
            #expect(try await rig.desk("GET", "freshdesk", "/api/v2/search/tickets?query=tag%3Aa").status == 400)
            let one = try await rig.desk("GET", "freshdesk", "/api/v2/tickets/\(id)").json
            #expect(one["description_text"] == "The summary\nin <two> lines")
        }
    }

    @Test func notesAndRepliesMakeTheConversation() async throws {
        try await Rig.run { rig in
            let path = "/api/v2/tickets/\(try await Self.made(rig))"
            let requester = try await rig.desk("GET", "freshdesk", path).json["requester_id"] ?? .null
            let note: JSONValue = ["body": "Hello?", "private": false, "incoming": true, "user_id": requester]
            #expect(try await rig.desk("POST", "freshdesk", path + "/notes", note).json["incoming"] == true)
            #expect(try await rig.desk("POST", "freshdesk", path + "/notes", ["body": "Note"]).json["private"] == true)
            #expect(try await rig.desk("POST", "freshdesk", path + "/reply", ["body": "Answer"]).json["private"] == false)
            #expect(try await rig.desk("POST", "freshdesk", path + "/notes", ["text": "a"]).status == 400)
            let all = try await rig.desk("GET", "freshdesk", path + "/conversations").json
            #expect((all.array ?? []).map { $0["body_text"] } == ["Hello?", "Note", "Answer"])
            #expect(try await rig.desk("PUT", "freshdesk", path, ["status": 4]).json["status"] == 4)
        }
    }

    @Test func anAutomationRuleCallsTheGatewayWithItsHeader() async throws {
        try await Rig.run { rig in
            var calls = rig.gateway.webhooks()
            let ticket = JSONValue.integer(Int64(try await Self.made(rig)))
            let quiet = try await rig.act(["system": "freshdesk", "ticket": ticket, "reply": "Nobody hears it"])
            #expect(quiet.json["gateway"] == [])
            try await rig.configureDesk(["system": "freshdesk", "desk": "fresh", "secret": "a secret in a header"])
            _ = try await rig.act(["system": "freshdesk", "ticket": ticket, "reply": "Good morning", "author": "Desk"])
            let call = try #require(await calls.next())
            #expect(call.path == "/webhooks/tickets/fresh" && call.header("x-switchboard-secret") == "a secret in a header")
            #expect(call.json["ticket"]?.string == ticket.plainText && call.json["tags"] != nil && call.json["text"] == nil)
            #expect(call.json["tags"]?.string?.contains("0123456789abcdef0123456789abcdef") == true)
        }
    }
}

@Suite struct OtherDeskTests {
    @Test func requestTrackerKeepsTransactions() async throws {
        try await Rig.run { rig in
            let created = try await rig.desk(
                "POST", "rt", "/REST/2.0/ticket",
                ["Queue": "General", "Subject": "Help [sb:1]", "Content": "The summary", "ContentType": "text/plain", "Priority": 75],
                authorization: "token t")
            #expect(created.status == 201 && created.json["type"] == "ticket")
            let id = try #require(created.json["id"]?.string)
            let path = "/REST/2.0/ticket/\(id)"
            let found = try await rig.desk("GET", "rt", "/REST/2.0/tickets?query=Subject%20LIKE%20%27%5Bsb%3A1%5D%27&fields=Subject").json
            #expect(found.at(pointer: "/items/0/id")?.string == id)
            #expect(try await rig.desk("POST", "rt", path + "/correspond", ["Content": "Hello?"]).status == 201)
            #expect(try await rig.desk("POST", "rt", path + "/comment", ["Content": "Note"]).status == 201)
            _ = try await rig.act(["system": "rt", "ticket": .string(id), "reply": "Good morning", "author": "desk"])
            _ = try await rig.act(["system": "rt", "ticket": .string(id), "close": true, "author": "desk"])
            let history = try await rig.desk("GET", "rt", path + "/history?fields=Type,Creator&orderby=id&per_page=100").json
            let items = history["items"]?.array ?? []
            #expect(items.map { $0["Type"]?.string } == ["Create", "Correspond", "Comment", "Correspond", "Status"])
            #expect(items.last?["OldValue"] == "new" && items.last?["NewValue"] == "resolved")
            let reply = try #require(items[3]["id"]?.string)
            let later = try await rig.desk(
                "GET", "rt",
                path + "/history?query=%5B%7B%22field%22%3A%22id%22%2C%22operator%22%3A%22%3E%3D%22%2C%22value%22%3A%22\(reply)%22%7D%5D")
            #expect(later.json["total"] == 2)
            let parts = try await rig.desk("GET", "rt", "/REST/2.0/transaction/\(reply)/attachments").json
            let part = try #require(parts.at(pointer: "/items/0/id")?.string)
            let content = try await rig.desk("GET", "rt", "/REST/2.0/attachment/\(part)").json["Content"]?.string
            #expect(content.flatMap(Base64.decode).map { String(decoding: $0, as: UTF8.self) } == "Good morning")
            #expect(try await rig.call("GET", "/desk/rt/REST/2.0/tickets?query=a").status == 401)
            #expect(try await rig.desk("GET", "rt", "/REST/2.0/ticket/99").status == 404)
        }
    }

    @Test func theGenericWebhookKeepsOneTicketForAReferenceAndOneEntryForAnId() async throws {
        let opened: JSONValue = [
            "event": "ticket.opened", "reference": "ref-1", "subject": "Help", "summary": "The summary", "priority": "high",
            "customer": ["user": "u-1"], "history": [["id": "e-1", "author": "customer", "text": "Hi"]],
        ]
        let secret = "whsec_" + Base64.encode(Array("a secret of thirty-two characters".utf8))
        try await Rig.run { rig in
            var calls = rig.gateway.webhooks()
            try await rig.configureDesk(["system": "webhook", "desk": "the-desk", "secret": .string(secret)])
            let first = try await rig.call("POST", "/desk/webhook", opened)
            let again = try await rig.call("POST", "/desk/webhook", opened)
            #expect(first.status == 201 && again.status == 200 && first.json == again.json)
            let ticket = try #require(first.json["ticket"]?.string)
            for (reference, found) in [("ref-1", JSONValue.string(ticket)), ("ref-2", .null)] {
                let asked = try await rig.call("POST", "/desk/webhook", ["event": "ticket.find", "reference": .string(reference)])
                #expect(asked.json["ticket"] == found)
            }
            let entry: JSONValue = [
                "event": "ticket.entry", "ticket": .string(ticket), "entry": ["id": "e-2", "author": "customer", "text": "Hello?"],
            ]
            for _ in 0..<2 { #expect(try await rig.call("POST", "/desk/webhook", entry).status == 200) }
            let texts = (try await rig.tickets("webhook").first?["entries"]?.array ?? []).map { $0["text"] }
            #expect(texts == ["The summary", "Hi", "Hello?"])
            _ = try await rig.act(["system": "webhook", "ticket": .string(ticket), "reply": "Good morning", "automatic": true])
            let call = try #require(await calls.next())
            #expect(call.json["event"] == "reply" && call.json["automatic"] == true && call.json["reference"] == "ref-1")
            let signed = Array("\(call.header("webhook-id") ?? "").\(call.header("webhook-timestamp") ?? "").".utf8) + call.body
            let code = Signatures.hmacSHA256(key: Array("a secret of thirty-two characters".utf8), signed)
            #expect(call.header("webhook-signature") == "v1,\(Base64.encode(code))")
            #expect(try await rig.act(["system": "webhook", "ticket": 99, "close": true]).status == 400)
            #expect(try await rig.act(["system": "fax", "ticket": 1, "close": true]).status == 400)
        }
    }
}
