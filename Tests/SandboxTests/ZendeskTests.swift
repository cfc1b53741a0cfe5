import Conversation
import Testing

@testable import Sandbox

extension Rig {
    /// As the gateway would call that ticket system.
    func desk(
        _ method: String, _ system: String, _ path: String, _ json: JSONValue? = nil, key: String? = nil, authorization: String? = nil
    ) async throws -> HTTPAnswer {
        let authorization = authorization ?? "Basic " + Base64.encode(Array("us@example.com/token:token-of-the-desk".utf8))
        var headers = [(name: "Authorization", value: authorization)]
        if let key { headers.append(("Idempotency-Key", key)) }
        return try await call(method, "/desk/\(system)\(path)", json, headers: headers)
    }

    func configureDesk(_ json: JSONValue) async throws {
        let answer = try await call("PUT", "/_sandbox/desk", json)
        try #require(answer.status == 200, "\(answer.json)")
    }

    func act(_ json: JSONValue) async throws -> HTTPAnswer { try await call("POST", "/_sandbox/desk", json) }

    func tickets(_ system: String) async throws -> [JSONValue] {
        try await call("GET", "/_sandbox/desk?system=\(system)").json["tickets"]?.array ?? []
    }
}

@Suite struct ZendeskTests {
    private static let draft: JSONValue = [
        "ticket": [
            "subject": "A person is asked for", "external_id": "ref-1", "priority": "high", "tags": ["switchboard"], "group_id": 7,
            "comment": ["body": "The summary", "public": false],
            "requester": ["name": "Customer", "email": "customer@example.com"],
        ]
    ]

    /// What must be refused, and how.
    private static let refused: [(why: String, status: Int, body: JSONValue)] = [
        ("no ticket", 400, [:]), ("no comment", 422, ["ticket": ["subject": "a"]]),
        ("an empty comment", 422, ["ticket": ["comment": ["body": " "]]]),
        ("a comment that is too long", 422, ["ticket": ["comment": ["body": .string(String(repeating: "a", count: 65_536))]]]),
        ("an unknown field", 400, ["ticket": ["comment": ["body": "a"], "colour": "blue"]]),
        ("an unknown priority", 400, ["ticket": ["comment": ["body": "a"], "priority": "higher"]]),
        ("a requester that is not there", 422, ["ticket": ["comment": ["body": "a"], "requester_id": 4711]]),
        ("a new requester without a name", 422, ["ticket": ["comment": ["body": "a"], "requester": ["email": "new@example.com"]]]),
        ("a requester without an e-mail", 400, ["ticket": ["comment": ["body": "a"], "requester": ["name": "a"]]]),
        ("a tag of two words", 400, ["ticket": ["comment": ["body": "a"], "tags": ["a b"]]]),
    ]

    private static func made(_ rig: Rig, key: String? = nil) async throws -> Int {
        let answer = try await rig.desk("POST", "zendesk", "/api/v2/tickets.json", draft, key: key)
        try #require(answer.status == 201, "\(answer.json)")
        return Int(try #require(answer.json.at(pointer: "/ticket/id")?.integer))
    }

    @Test func aKeyGivesOneTicketAndIsRefusedWithOtherParameters() async throws {
        try await Rig.run { rig in
            let first = try await rig.desk("POST", "zendesk", "/api/v2/tickets.json", Self.draft, key: "k")
            #expect(first.status == 201 && first.header("x-idempotency-lookup") == "miss")
            #expect(first.header("location")?.hasSuffix(".json") == true)
            let again = try await rig.desk("POST", "zendesk", "/api/v2/tickets.json", Self.draft, key: "k")
            #expect(again.status == 201 && again.header("x-idempotency-lookup") == "hit" && again.json == first.json)
            let other = try await rig.desk("POST", "zendesk", "/api/v2/tickets", ["ticket": ["comment": ["body": "b"]]], key: "k")
            #expect(other.status == 400 && other.json["error"] == "IdempotentRequestError")
            #expect(try await rig.tickets("zendesk").count == 1)
        }
    }

    @Test func aRefusedTicketLeavesItsKeyFree() async throws {
        try await Rig.run { rig in
            try await rig.fault(["path": "/desk/zendesk", "status": 409, "times": 2])
            for _ in 0..<2 {
                let answer = try await rig.desk("POST", "zendesk", "/api/v2/tickets.json", Self.draft, key: "k")
                #expect(answer.status == 409 && answer.json["error"] == "UpdateConflict")
            }
            _ = try await Self.made(rig, key: "k")
            #expect(try await rig.tickets("zendesk").count == 1)
        }
    }

    @Test func whatZendeskRefusesIsRefusedInItsForm() async throws {
        try await Rig.run { rig in
            for (why, status, body) in Self.refused {
                let answer = try await rig.desk("POST", "zendesk", "/api/v2/tickets.json", body)
                #expect(answer.status == status, "\(why): \(answer.json.plainText)")
                if status == 422 {
                    #expect(answer.json["error"] == "RecordInvalid" && answer.json["details"]?.object?.isEmpty == false, "\(why)")
                } else {
                    #expect(answer.json.at(pointer: "/error/title") == "Invalid attribute", "\(why)")
                }
            }
            #expect(try await rig.tickets("zendesk").isEmpty)
            #expect(try await rig.call("POST", "/desk/zendesk/api/v2/tickets.json", Self.draft).status == 401)
            #expect(try await rig.desk("GET", "zendesk", "/api/v2/tickets/5.json").json["error"] == "RecordNotFound")
            try await rig.configureDesk(["system": "zendesk", "token": "another"])
            #expect(try await rig.desk("GET", "zendesk", "/api/v2/tickets.json").status == 401)
        }
    }

    @Test func ticketsAreFoundByTheReference() async throws {
        try await Rig.run { rig in
            let id = try await Self.made(rig)
            for target in ["/api/v2/tickets.json?external_id=ref-1", "/api/v2/search.json?query=type%3Aticket+external_id%3Aref-1"] {
                let answer = try await rig.desk("GET", "zendesk", target).json
                let found = answer["tickets"] ?? answer["results"]
                #expect(found?.array?.count == 1 && found?.at(pointer: "/0/id") == .integer(Int64(id)), "\(target)")
            }
            let none = try await rig.desk("GET", "zendesk", "/api/v2/tickets.json?external_id=ref-2").json
            #expect(none["tickets"] == [] && none["count"] == 0)
        }
    }

    @Test func commentsAndStatusesAreKeptAndAClosedTicketTakesNoMore() async throws {
        try await Rig.run { rig in
            let path = "/api/v2/tickets/\(try await Self.made(rig))"
            let requester = try await rig.desk("GET", "zendesk", path).json.at(pointer: "/ticket/requester_id") ?? .null
            let comment: JSONValue = ["ticket": ["comment": ["body": "Hello?", "public": true, "author_id": requester]]]
            #expect(try await rig.desk("PUT", "zendesk", path + ".json", comment).status == 200)
            let solved = try await rig.desk("PUT", "zendesk", path, ["ticket": ["status": "solved"]]).json
            #expect(solved.at(pointer: "/ticket/status") == "solved")
            #expect(solved.at(pointer: "/audit/events/0/previous_value") == "new")
            let newest = try await rig.desk("GET", "zendesk", path + "/comments.json?sort_order=desc&include=users&per_page=1").json
            #expect(newest.at(pointer: "/comments/0/body") == "Hello?" && newest["count"] == 2)
            #expect(newest.at(pointer: "/users/1/role") == "end-user")
            #expect(try await rig.desk("GET", "zendesk", path + "/audits.json").json["count"] == 3)
            let stale: JSONValue = [
                "ticket": ["status": "open", "safe_update": true, "updated_stamp": "2020-01-01T00:00:00Z"]
            ]
            #expect(try await rig.desk("PUT", "zendesk", path, stale).status == 409)
            _ = try await rig.desk("PUT", "zendesk", path, ["ticket": ["status": "closed"]])
            #expect(try await rig.desk("PUT", "zendesk", path, comment).status == 422)
        }
    }

    @Test func usersAreFoundByWhatNamesThemOrMade() async throws {
        try await Rig.run { rig in
            let user: JSONValue = ["user": ["name": "Customer", "external_id": "u-1"]]
            let made = try await rig.desk("POST", "zendesk", "/api/v2/users/create_or_update.json", user)
            let again = try await rig.desk("POST", "zendesk", "/api/v2/users/create_or_update.json", user)
            #expect(made.status == 201 && again.status == 200)
            #expect(made.json.at(pointer: "/user/id") == again.json.at(pointer: "/user/id"))
            let found = try await rig.desk("GET", "zendesk", "/api/v2/users/search.json?external_id=u-1").json
            #expect(found.at(pointer: "/users/0/role") == "end-user" && found["count"] == 1)
            let none = try await rig.desk("POST", "zendesk", "/api/v2/users/create_or_update.json", ["user": ["email": "a@b.example"]])
            #expect(none.status == 400)
        }
    }

    @Test func anAgentsReplyCallsTheGatewaySignedAsZendeskDoes() async throws {
        try await Rig.run { rig in
            var calls = rig.gateway.webhooks()
            try await rig.configureDesk(["system": "zendesk", "desk": "the-desk", "secret": "a secret of the webhook"])
            let id = try await Self.made(rig)
            let created = try #require(await calls.next())
            #expect(created.json["type"] == "zen:event-type:ticket.created" && created.path == "/webhooks/tickets/the-desk")
            let done = try await rig.act(["system": "zendesk", "ticket": .integer(Int64(id)), "reply": "Good morning", "author": "Desk"])
            #expect(done.json.at(pointer: "/gateway/0/status") == 200)
            let call = try #require(await calls.next())
            #expect(call.json["type"] == "zen:event-type:ticket.comment_added")
            #expect(call.json.at(pointer: "/detail/external_id") == "ref-1" && call.json.at(pointer: "/detail/priority") == "HIGH")
            #expect(call.json.at(pointer: "/event/comment/body") == "Good morning")
            #expect(call.json.at(pointer: "/event/comment/author/is_staff") == true)
            let stamp = try #require(call.header("x-zendesk-webhook-signature-timestamp"))
            let code = Signatures.hmacSHA256(key: Array("a secret of the webhook".utf8), Array(stamp.utf8) + call.body)
            #expect(call.header("x-zendesk-webhook-signature") == Base64.encode(code))
            _ = try await rig.act(["system": "zendesk", "ticket": .integer(Int64(id)), "close": true, "sign": false, "times": 2])
            for _ in 0..<2 {
                let closing = try #require(await calls.next())
                #expect(closing.json.at(pointer: "/event/current") == "SOLVED")
                let stamp = closing.header("x-zendesk-webhook-signature-timestamp") ?? ""
                let code = Signatures.hmacSHA256(key: Array("a secret of the webhook".utf8), Array(stamp.utf8) + closing.body)
                #expect(closing.header("x-zendesk-webhook-signature") != Base64.encode(code))
            }
            #expect(try await rig.tickets("zendesk").first?["status"] == "solved")
        }
    }
}
