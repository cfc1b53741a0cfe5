import Conversation
import Foundation
import Testing

/// Messages that a brand has sent outside a turn, over `POST /v1/messages`.
@Suite(.serialized) struct SendTests {
    private static let phone = "15550001111"
    private static let secondPhone = "15550002222"

    private static func body(_ content: [String: JSONValue], to phone: String = phone, instance: String = "salon-whatsapp") -> JSONValue {
        .object(["instance": .string(instance), "to": ["phone": .string("+" + phone)]].merging(content) { $1 })
    }

    private static func send(_ rig: Rig, _ body: JSONValue, brand: String = "salon", key: String? = nil) async throws -> Answer {
        let headers = rig.bearer(rig.adminKey(brand)) + (key.map { [(name: "Idempotency-Key", value: $0)] } ?? [])
        return try await rig.send("POST", rig.gatewayURL + "/v1/messages", headers: headers, body: CanonicalJSON.bytes(body))
    }

    // MARK: What is sent

    @Test func aMessageReachesTheCustomerOnceAndIsFollowedToItsEnd() async throws {
        try await Rig.with { rig in
            _ = try await rig.ask("hello")
            let count = try await rig.replies().count
            let answer = try await Self.send(rig, Self.body(["text": "Your table is ready."]), key: "order-17")
            #expect(answer.status == 202, "\(answer.text)")
            let again = try await Self.send(rig, Self.body(["text": "Your table is ready."]), key: "order-17")
            #expect(again.status == 202 && again.json == answer.json && again.header("Idempotency-Replayed") == "true")
            rig.expectProblem(try await Self.send(rig, Self.body(["text": "Another"]), key: "order-17"), 422, "another body")
            try await rig.reply(with: "Your table is ready.")
            let (session, id) = (try #require(answer.json["session_id"]?.string), try #require(answer.json["message_id"]?.string))
            #expect(try await rig.sessions(of: Self.phone).first == session)
            try await eventually("its status is known") { try await rig.outbound(id, session: session)?["status"] == "read" }
            try await rig.drain()
            #expect(try await rig.texts().dropFirst(count).filter { $0 == "Your table is ready." }.count == 1)
            // The bot goes on as if nothing had been.
            let next = try await rig.ask("book a haircut on Wednesday at 3pm")
            #expect(next.contains("Haircut"))
        }
    }

    @Test func everyKindOfContentPassesTheGraphAPI() async throws {
        try await Rig.with { rig in
            _ = try await rig.ask("hello")
            let count = try await rig.replies().count
            let contents: [[String: JSONValue]] = [
                ["text": .string(String(repeating: "word ", count: 1_200))],
                ["interactive": ["text": "Coming?", "options": [["title": "Yes"], ["title": "No", "id": "mine-1"]]]],
                [
                    "interactive": [
                        "text": "When?", "list_title": "Days",
                        "options": .array(
                            (1...10).map { ["id": .string("day-\($0)"), "title": .string("Day \($0)"), "description": "in the morning"] }),
                    ]
                ],
                ["template": ["name": "appointment_reminder", "language": "en_US", "parameters": ["Monday", "3 PM"]]],
                ["media": ["kind": "image", "url": "https://files.example/cut.jpg", "caption": "Your new look"]],
                ["media": ["kind": "document", "id": "12345", "filename": "invoice.pdf"]],
            ]
            var messages = 0
            for content in contents {
                let answer = try await Self.send(rig, Self.body(content))
                #expect(answer.status == 202, "\(answer.text)")
                messages += answer.json["message_ids"]?.array?.count ?? 0
            }
            #expect(messages == contents.count + 1, "the long text takes two")
            try await rig.drain()
            let replies = try await rig.replies().dropFirst(count)
            #expect(replies.count == messages)
            #expect(
                replies.compactMap { $0["type"]?.string } == [
                    "text", "text", "interactive", "interactive", "template", "image", "document",
                ])
            // An option that is pressed comes back under the brand's own id, and is read by its words.
            try await rig.tap("Day 3")
            try await eventually("it is answered") { try await rig.replies().count > count + messages }
            let session = try #require(try await rig.sessions(of: Self.phone).first)
            #expect(try await rig.messages(session: session).contains { $0["content"]?["id"] == "day-3" })
            #expect(try await rig.deadLetters().isEmpty)
        }
    }

    @Test func aGuestOnThePageSeesIt() async throws {
        try await Rig.withPages { pages in
            try await Rig.with { rig in
                let guest = try await rig.guest()
                let page = try await rig.liveStream(guest, pages)
                let to: JSONValue = ["user_id": .string(guest.user)]
                let answer = try await Self.send(rig, ["instance": "salon-web", "to": to, "text": "We are open again."])
                #expect(answer.status == 202, "\(answer.text)")
                try await page.reply(with: "We are open again.")
                page.expectGapless()
                let template: JSONValue = ["name": "x", "language": "en"]
                let refused = try await Self.send(rig, ["instance": "salon-web", "to": to, "template": template])
                rig.expectProblem(refused, 409, "no templates on the web")
                #expect(refused.json["code"] == "no_templates")
            }
        }
    }

    // MARK: What is not

    @Test func outsideTheWindowOnlyATemplateGoes() async throws {
        try await Rig.with { rig in
            _ = try await rig.ask("hello")
            try await rig.drain()
            #expect(await rig.stopGateway() == 0)
            let yesterday = SystemClock().now.milliseconds - 25 * 3_600_000
            try await rig.change("UPDATE sessions SET last_inbound_at = \(yesterday), last_message_at = \(yesterday)")
            try await rig.startGateway()
            let refused = try await Self.send(rig, Self.body(["text": "Are you still there?"]), key: "k1")
            rig.expectProblem(refused, 409, "the window is closed")
            #expect(refused.json["code"] == "window_closed")
            let template: JSONValue = ["name": "we_miss_you", "language": "en_US"]
            let sent = try await Self.send(rig, Self.body(["template": template]), key: "k2")
            #expect(sent.status == 202, "\(sent.text)")
            // The message of the brand began a session, and opened no window.
            let closed = try await Self.send(rig, Self.body(["text": "Are you still there?"]), key: "k1")
            #expect(closed.status == 409, "\(closed.text)")
            _ = try await rig.ask("hello again")
            #expect(try await Self.send(rig, Self.body(["text": "Welcome back."]), key: "k1").status == 202)
            try await rig.reply(with: "Welcome back.")
            #expect(try await rig.deadLetters().isEmpty)
        }
    }

    @Test func whoSaidStopGetsNoOffersUntilTheyStartAgain() async throws {
        try await Rig.with { rig in
            _ = try await rig.ask("STOP")
            let offer = Self.body(["text": "Two for one today", "category": "marketing"])
            let refused = try await Self.send(rig, offer)
            rig.expectProblem(refused, 409, "an offer")
            #expect(refused.json["code"] == "opted_out")
            #expect(try await Self.send(rig, Self.body(["text": "Your order is ready."])).status == 202)
            try await rig.reply(with: "Your order is ready.")
            // Another session, of which the first one's state knows nothing.
            try await rig.drain()
            #expect(await rig.stopGateway() == 0)
            let before = SystemClock().now.milliseconds - 2 * 3_600_000
            try await rig.change("UPDATE sessions SET last_message_at = \(before)")
            try await rig.startGateway()
            _ = try await rig.ask("START")
            #expect(try await Self.send(rig, offer).status == 202)
            try await rig.reply(with: "Two for one today")
            #expect(try await rig.count("SELECT count(*) FROM opt_outs WHERE topic = 'marketing:opt_in'") == 1)
        }
    }

    @Test func whatIsNobodysOrAnothersIsNotFound() async throws {
        try await Rig.with { rig in
            _ = try await rig.ask("hello")
            _ = try await rig.ask("hello", from: Self.secondPhone, instance: "jobs-whatsapp")
            let user = try #require(try await rig.sessions("jobs").first?["user_id"]?.string)
            let cases: [(body: JSONValue, code: String)] = [
                (Self.body(["text": "x"], to: "15559999999"), "unknown_user"),
                (Self.body(["text": "x"], to: Self.secondPhone), "unknown_user"),
                (["instance": "salon-whatsapp", "to": ["user_id": .string(user)], "text": "x"], "unknown_user"),
                (Self.body(["text": "x"], instance: "jobs-whatsapp"), "unknown_instance"),
                (Self.body(["text": "x"], instance: "nowhere"), "unknown_instance"),
            ]
            for (body, code) in cases {
                let answer = try await Self.send(rig, body)
                rig.expectProblem(answer, 404, "\(body)")
                #expect(answer.json["code"]?.string == code)
            }
            let foreign = try await Self.send(rig, Self.body(["text": "x"]), brand: "jobs")
            rig.expectProblem(foreign, 404, "the other brand's key")
            try await rig.drain()
            #expect(try await rig.replies(to: Self.secondPhone).count == 1)
        }
    }

    @Test func whatCannotBeReadIsAnsweredWithItsFaults() async throws {
        try await Rig.with { rig in
            let answer = try await Self.send(rig, ["instance": "salon-whatsapp", "to": ["phone": "12"], "text": "  "])
            rig.expectProblem(answer, 422, "a bad body")
            let errors = answer.json["errors"]?.array ?? []
            #expect(Set(errors.compactMap { $0["pointer"]?.string }) == ["/to/phone", "/text"])
            #expect(errors.allSatisfy { $0["message"]?.string?.isEmpty == false })
            for text in ["", "{", "null", "\"text\"", String(repeating: "[", count: 30_000)] {
                let key = rig.bearer(rig.adminKey("salon"))
                let answer = try await rig.send("POST", rig.gatewayURL + "/v1/messages", headers: key, body: Array(text.utf8))
                #expect([400, 422].contains(answer.status), "\(text.prefix(10)): \(answer.status)")
            }
            let large = Self.body(["text": .string(String(repeating: "x", count: 70_000))])
            #expect(try await Self.send(rig, large).status == 413)
        }
    }

    @Test func whilePeopleHaveTheConversationItIsTheirs() async throws {
        try await Rig.with { rig in
            _ = try await rig.ask("I want to talk to a person")
            let count = try await rig.replies().count
            let answer = try await Self.send(rig, Self.body(["text": "Your order is ready."]))
            rig.expectProblem(answer, 409, "people have it")
            #expect(answer.json["code"] == "handover_open")
            let id = try #require(try await rig.handovers(state: "open").first?["id"]?.string)
            #expect(answer.json["title"]?.string?.contains(id) == true)
            #expect(try await rig.post(rig.gatewayURL + "/v1/handovers/\(id)/close", key: rig.adminKey("salon")).status == 200)
            try await eventually("the bot is back") { try await rig.replies().count > count }
            #expect(try await Self.send(rig, Self.body(["text": "Your order is ready."])).status == 202)
            try await rig.reply(with: "Your order is ready.")
        }
    }

    @Test func aFloodToOneCustomerIsSlowedDown() async throws {
        var options = Rig.Options()
        options.edits.append(("brands/salon/policies.yaml", "user_per_minute: 30", "user_per_minute: 5"))
        try await Rig.with(options) { rig in
            _ = try await rig.ask("hello")
            var statuses: [Int] = []
            for number in 0..<7 {
                let answer = try await Self.send(rig, Self.body(["text": .string("number \(number)")]))
                statuses.append(answer.status)
                guard answer.status == 429 else { continue }
                #expect(answer.json["code"] == "rate_limited:user")
                #expect(answer.header("Retry-After").flatMap { Int($0) }.map { (1...60).contains($0) } == true)
            }
            #expect(statuses.prefix(5).allSatisfy { $0 == 202 } && statuses.last == 429, "\(statuses)")
            // What customers write counts elsewhere.
            _ = try await rig.ask("what services do you have?")
        }
    }

    // MARK: Crashes

    @Test(.onlySQLite(because: "where others may be at work, a request whose gateway died is let again after two minutes only"))
    func aCrashBeforeTheAnswerAndAnotherAttemptAreOneMessage() async throws {
        try await Rig.with { rig in
            _ = try await rig.ask("hello")
            try await rig.drain()
            #expect(await rig.stopGateway() == 0)
            try await rig.startGateway(["SWITCHBOARD_CRASH_AT": "\(CrashPoint.answeredNotWoken.name):1"])
            let gateway = try #require(rig.gateway)
            let lost = try? await Self.send(rig, Self.body(["text": "Your table is ready."]), key: "order-17")
            #expect(lost == nil)
            await rig.exited(gateway)
            #expect(gateway.terminationReason == .uncaughtSignal)
            try await rig.startGateway()
            // What the request was answered is forgotten with the crash, but not what was sent under its key.
            let another = try await Self.send(rig, Self.body(["text": "Another"]), key: "order-17")
            rig.expectProblem(another, 422, "another body")
            #expect(another.json["code"] == "key_reused")
            let answer = try await Self.send(rig, Self.body(["text": "Your table is ready."]), key: "order-17")
            #expect(answer.status == 202, "\(answer.text)")
            try await rig.reply(with: "Your table is ready.")
            try await rig.drain()
            #expect(try await rig.texts().filter { $0 == "Your table is ready." }.count == 1)
            let session = try #require(answer.json["session_id"]?.string)
            let id = try #require(answer.json["message_id"]?.string)
            #expect(try await rig.outbound(id, session: session)?["content"]?["text"] == "Your table is ready.")
            try await rig.expectPeace()
        }
    }
}
