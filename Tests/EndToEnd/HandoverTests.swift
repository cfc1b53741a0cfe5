import Conversation
import Foundation
import JSON
import Storage
import Testing

/// People take over and give back, with the real program: over `/v1/handovers`, and with a ticket system.
@Suite(.serialized) struct HandoverTests {
    private static let wish = "I want to talk to a person"
    private static let phone = "15550001111"

    // MARK: Without a desk

    @Test func thePeopleAnswerOverTheAPIAndTheBotIsSilentMeanwhile() async throws {
        try await Rig.with { rig in
            let told = try await rig.ask(Self.wish)
            #expect(told.contains("colleague"), "\(told)")
            let handover = try #require(try await rig.handovers(state: "open").first)
            let id = try #require(handover["id"]?.string)
            #expect(handover["reason"] == "user_request" && handover["priority"] == "high" && handover["bot_is_silent"] == true)
            let count = try await rig.replies().count
            try await rig.say("hello, is anybody there?")
            try await Self.forwarded(1, id, rig)
            let shown = try await Self.show(id, rig)
            #expect(shown["payload"]?["last_message"]?.string == Self.wish)
            #expect(shown["entries"]?.array?.first?["text"] == "hello, is anybody there?")
            let first = try await Self.post(rig, id, "reply", ["text": "Good day, this is the front desk."], key: "reply-1")
            let again = try await Self.post(rig, id, "reply", ["text": "Good day, this is the front desk."], key: "reply-1")
            #expect(first.status == 202 && again.status == 202 && again.bytes == first.bytes)
            try await rig.reply(with: "this is the front desk", after: count)
            #expect(try await rig.replies().count == count + 1, "nothing but the person's words, and these once")
            // A restart in the middle: people still have the conversation.
            await rig.killGateway()
            try await rig.startGateway()
            try await rig.say("hello again")
            try await Self.forwarded(2, id, rig)
            #expect(try await rig.replies().count == count + 1)
            let closed = try await Self.post(rig, id, "close", ["summary": "moved to Friday"])
            #expect(closed.status == 200 && closed.json["state"] == "closed")
            try await rig.reply(with: "I'm back", after: count)
            rig.expectProblem(try await Self.post(rig, id, "close"), 409, "closed already")
            rig.expectProblem(try await Self.post(rig, id, "reply", ["text": "late"]), 409, "closed already")
            let answer = try await rig.ask("hello")
            #expect(!answer.contains("front desk"))
            #expect(try await rig.texts().filter { $0.contains("I'm back") }.count == 1)
            let metrics = try await rig.get(rig.gatewayURL + "/metrics", key: rig.operatorKey)
            #expect(metrics.text.contains("switchboard_handovers_total"), "\(metrics.text.prefix(300))")
        }
    }

    @Test func aPageIsShownThatAPersonIsThereAndThatTheBotIsBack() async throws {
        try await Rig.with { rig in
            try await Rig.withPages { pages in
                let guest = try await rig.guest()
                let page = try await rig.liveStream(guest, pages)
                func states() -> [String] { page.events.filter { $0.kind == "handover" }.map(\.data) }
                try await rig.write(Self.wish, guest)
                try await eventually("the page is told of the person") { states().count == 1 }
                let id = try #require(try await rig.handovers().first?["id"]?.string)
                #expect(try await Self.post(rig, id, "reply", ["text": "Good day."]).status == 202)
                #expect(try await Self.post(rig, id, "close").status == 200)
                try await eventually("the page is told of the end") { states().count == 2 }
                #expect(states().first?.contains("open") == true && states().last?.contains("closed") == true)
                try await page.reply(with: "Good day.")
                try await page.reply(with: "I'm back")
            }
        }
    }

    @Test func aBadRequestOrAnothersIdChangesNothing() async throws {
        try await Rig.with { rig in
            try await rig.ask(Self.wish)
            let id = try #require(try await rig.handovers().first?["id"]?.string)
            for body: JSONValue in [
                [:], ["text": ""], ["text": "  "], ["text": 7], ["text": .string(String(repeating: "x", count: 9_000))],
            ] {
                rig.expectProblem(try await Self.post(rig, id, "reply", body), 422, "\(CanonicalJSON.text(body).prefix(40))")
            }
            rig.expectProblem(try await Self.post(rig, id, "reply", ["text": "hi"], brand: "jobs"), 404, "another brand's")
            rig.expectProblem(try await Self.post(rig, id, "close", brand: "jobs"), 404, "another brand's")
            rig.expectProblem(try await rig.get(rig.gatewayURL + "/v1/handovers?state=soon", key: rig.adminKey("salon")), 400, "state")
            #expect(try await rig.handovers(state: "open").count == 1)
            #expect(try await rig.handovers("jobs").isEmpty)
        }
    }

    @Test func whenNobodyAnswersTheBotGoesOn() async throws {
        try await Self.with("nobody_available_s: 2\n") { rig in
            try await rig.ask(Self.wish)
            try await rig.reply(with: "nobody was free")
            let answer = try await rig.ask("hello")
            #expect(!answer.isEmpty)
            let handover = try #require(try await rig.handovers(state: "open").first)
            #expect(handover["bot_is_silent"] == false)
        }
    }

    // MARK: With a ticket system

    @Test func theTicketHoldsTheConversationAndItsAnswersReachTheCustomer() async throws {
        try await Self.withDesk { rig, desk in
            try await rig.ask("hello")
            try await rig.ask(Self.wish)
            try await eventually("a ticket") { desk.now.openings.count == 1 }
            let ticket = try #require(desk.now.openings.first)
            #expect(ticket["reason"] == "user_request" && ticket["customer"]?["phone"] == "+15550001111")
            #expect(ticket["history"]?.array?.compactMap { $0["text"]?.string }.contains("hello") == true)
            try await rig.say("my next words")
            try await eventually("the words in the ticket") { desk.now.entries.contains { $0["text"] == "my next words" } }
            let count = try await rig.replies().count
            let told = try await desk.reply("Good day from the ticket", id: "e1", rig)
            #expect(told.status == 200 && told.json == ["accepted": 1, "duplicates": 0, "ignored": 0], "\(told.text)")
            let again = try await desk.reply("Good day from the ticket", id: "e1", rig)
            #expect(again.json == ["accepted": 0, "duplicates": 1, "ignored": 0])
            try await rig.reply(with: "Good day from the ticket", after: count)
            #expect(try await desk.close(id: "e2", rig).status == 200)
            try await rig.reply(with: "I'm back", after: count)
            let late = try await desk.reply("too late", id: "e3", rig)
            #expect(late.json == ["accepted": 0, "duplicates": 0, "ignored": 1])
            try await rig.ask("hello")
            let texts = try await rig.texts()
            #expect(texts.filter { $0.contains("Good day from the ticket") }.count == 1 && !texts.contains { $0.contains("too late") })
            let id = try #require(try await rig.handovers().first?["id"]?.string)
            let events = try await Self.show(id, rig)["events"]?.array ?? []
            #expect(events.map { $0["outcome"] } == ["said", "closed", "ignored:closed"])
            #expect(desk.now.refused == 0 && desk.now.closings.isEmpty)
        }
    }

    @Test func whatIsNotProvenOrNotOursChangesNothing() async throws {
        try await Self.withDesk { rig, desk in
            try await rig.ask(Self.wish)
            try await eventually("a ticket") { try await rig.handovers().first?["ticket_id"] == "T-1" }
            try await rig.ask(Self.wish, from: "15550002222", instance: "jobs-whatsapp")
            let foreign = try #require(try await rig.handovers("jobs").first?["id"])
            let event: [String: JSONValue] = ["id": "e1", "event": "reply", "ticket": "T-1", "text": "evil"]
            rig.expectProblem(try await desk.tell(event, rig, signature: "v1,AAAA"), 401, "a bad signature")
            rig.expectProblem(try await desk.tell(event, rig, desk: "nobodys"), 404, "an unknown desk")
            let strange = try await desk.reply("evil", id: "e2", ticket: "T-99", rig)
            #expect(strange.json["ignored"] == 1)
            let others = try await desk.tell(
                ["id": "e3", "event": "closed", "ticket": "T-98", "reference": foreign], rig)
            #expect(others.json["ignored"] == 1)
            try await rig.say("still with people")
            try await eventually("the words in the ticket") { desk.now.entries.contains { $0["text"] == "still with people" } }
            for to in [Self.phone, "15550002222"] { #expect(try await !rig.texts(to: to).contains { $0.contains("evil") }) }
            #expect(try await rig.handovers("jobs", state: "open").count == 1)
        }
    }

    @Test(arguments: 1...Chaos.crashes) func aCrashBetweenTheTicketAndOurNoteOfItLeavesOneTicket(death: Int) async throws {
        try await Self.withDesk(starts: false) { rig, desk in
            try await rig.startGateway(["SWITCHBOARD_CRASH_AT": CrashPoint.ticketCreatedNotStored.name])
            let process = try #require(rig.gateway)
            try await rig.say(Self.wish)
            await rig.exited(process)
            #expect(process.terminationReason == .uncaughtSignal)
            #expect(desk.now.openings.count == 1)
            try await rig.startGateway()
            try await rig.say("are you there?")
            try await eventually("the words in the ticket") { desk.now.entries.contains { $0["text"] == "are you there?" } }
            #expect(desk.now.openings.count == 1)
            #expect(try await rig.handovers().first?["ticket_id"] == "T-1")
            #expect(await rig.stopGateway() == 0)
            // A reply that was under way at the death is unknown for a while.
            #expect(try await rig.checked(options: ["--unsettled"]) == [])
        }
    }

    @Test func aDeskThatIsAwayLosesNothing() async throws {
        try await Self.withDesk { rig, desk in
            desk.set(isDown: true)
            let told = try await rig.ask(Self.wish)
            #expect(told.contains("colleague"))
            let count = try await rig.replies().count
            for word in ["one", "two", "three"] { try await rig.say(word) }
            let id = try #require(try await rig.handovers().first?["id"]?.string)
            try await Self.forwarded(3, id, rig)
            await rig.killGateway()
            try await rig.startGateway()
            #expect(desk.now.openings.isEmpty)
            desk.set(isDown: false)
            try await eventually("everything in the ticket", within: .seconds(60)) { desk.now.entries.count == 3 }
            #expect(desk.now.openings.count == 1 && desk.now.entries.compactMap { $0["text"]?.string } == ["one", "two", "three"])
            #expect(try await rig.replies().count == count, "the bot is silent")
            #expect(try await rig.deadLetters().filter { $0["kind"] == "handover" }.isEmpty)
        }
    }

    @Test func programsThatAnswerEachOtherAreStopped() async throws {
        try await Self.withDesk { rig, desk in
            try await rig.ask(Self.wish)
            try await eventually("a ticket") { desk.now.openings.count == 1 }
            try await eventually("our note of it") { try await rig.handovers().first?["ticket_id"] == "T-1" }
            for number in 1...12 { _ = try await desk.reply("automatic answer \(number)", id: "e\(number)", rig) }
            try await rig.reply(with: "automatic answer 10")
            #expect(try await rig.texts().filter { $0.contains("automatic answer") }.count == 10)
            #expect(try await rig.handovers().first?["loop_at"]?.string != nil)
        }
    }

    @Test func anAnswerWhoseCallIsLostIsAskedForAndOneThatWasHeardIsNotRepeated() async throws {
        try await Self.withDesk { rig, desk in
            try await rig.ask(Self.wish)
            try await eventually("our note of the ticket") { try await rig.handovers().first?["ticket_id"] == "T-1" }
            let count = try await rig.replies().count
            #expect(try await desk.reply("I was heard", id: "e1", rig).status == 200)
            let heard: JSONValue = ["id": "e1", "text": "I was heard"]
            let lost: JSONValue = ["id": "e2", "text": "I was lost", "author": "front desk"]
            desk.set(changes: ["ticket": "T-1", "closed": false, "replies": [heard, lost]])
            try await rig.reply(with: "I was lost", after: count)
            #expect(try await desk.reply("I was lost", id: "e2", rig).json["duplicates"] == 1)
            desk.set(changes: ["ticket": "T-1", "closed": true, "replies": [heard, lost]])
            #expect(try await desk.tell(["event": "changed", "ticket": "T-1"], rig).json["accepted"] == 1)
            try await rig.reply(with: "I'm back", after: count)
            #expect(try await rig.replies().count == count + 3, "each once")
        }
    }

    @Test func whatATicketSystemTellsAStoppedBrandComesAgain() async throws {
        try await Self.withDesk { rig, desk in
            try await rig.ask(Self.wish)
            try await eventually("our note of the ticket") { try await rig.handovers().first?["ticket_id"] == "T-1" }
            await rig.killGateway()
            let file = rig.config + "/brands/salon/actions.yaml"
            let good = try String(contentsOfFile: file, encoding: .utf8)
            try (good + "\nnobody_knows_this: 1\n").write(toFile: file, atomically: true, encoding: .utf8)
            try await rig.startGateway()
            let refused = try await desk.reply("I waited for you", id: "e1", rig)
            #expect(refused.status == 503 && refused.header("retry-after") != nil, "\(refused.status) \(refused.text)")
            await rig.killGateway()
            try good.write(toFile: file, atomically: true, encoding: .utf8)
            try await rig.startGateway()
            let count = try await rig.replies().count
            #expect(try await desk.reply("I waited for you", id: "e1", rig).json["accepted"] == 1)
            try await rig.reply(with: "I waited for you", after: count)
        }
    }

    @Test func aFileThatOnlyTheBrandsKeyOpensIsLinkedAndTheLinkWorks() async throws {
        try await Self.withDesk { rig, desk in
            try await rig.ask(Self.wish)
            try await eventually("a ticket") { try await rig.handovers().first?["ticket_id"] == "T-1" }
            let image: JSONValue = [
                "id": "600000000000001", "mime_type": "image/jpeg", "sha256": "aW1hZ2U=", "caption": "This cut, please",
            ]
            let message: JSONValue = [
                "from": .string(Self.phone), "id": "wamid.IMAGE1", "timestamp": .string("\(SystemClock().now.milliseconds / 1000)"),
                "type": "image", "image": image,
            ]
            let value: [String: JSONValue] = [
                "contacts": [["wa_id": .string(Self.phone), "profile": ["name": "Customer"]]], "messages": [message],
            ]
            #expect(try await rig.webhook(Rig.delivery([(account: Rig.salonNumber, value: value)])).status == 200)
            try await eventually("the picture in the ticket") { desk.now.entries.contains { $0["text"] == "This cut, please" } }
            let file = try #require(desk.now.entries.first { $0["text"] == "This cut, please" }?["attachments"]?.array?.first)
            let link = try #require(file["url"]?.string)
            #expect(link.hasPrefix(rig.gatewayURL + "/media/salon."))
            let opened = try await rig.get(link)
            #expect(opened.status == 200 && opened.bytes.starts(with: [0x89, 0x50, 0x4E, 0x47]), "\(opened.status) \(opened.text)")
            #expect(opened.header("content-type") == "image/png" && opened.header("x-content-type-options") == "nosniff")
            #expect(opened.header("content-disposition") == "attachment; filename=\"image\"")
            rig.expectProblem(try await rig.get(String(link.dropLast()) + (link.last == "0" ? "1" : "0")), 404, "a forged link")
            rig.expectProblem(try await rig.get(rig.gatewayURL + "/media/nothing"), 404, "no link")
            try await rig.fault(["path": "/graph/v23.0/media", "status": 404])
            rig.expectProblem(try await rig.get(link), 410, "what Meta does not keep any more")
        }
    }

    // MARK: Support

    private static func with(_ yaml: String, _ body: (Rig) async throws -> Void) async throws {
        var options = Rig.Options()
        options.startsGateway = false
        try await Rig.with(options) { rig in
            try yaml.write(toFile: rig.config + "/brands/salon/handover.yaml", atomically: true, encoding: .utf8)
            try await rig.startGateway()
            try await body(rig)
        }
    }

    private static func withDesk(starts: Bool = true, _ body: (Rig, TicketSystem) async throws -> Void) async throws {
        let desk = try TicketSystem()
        var options = Rig.Options(environment: ["SALON_DESK_SECRET": desk.secret.reveal()])
        options.startsGateway = false
        try await Rig.with(options) { rig in
            let yaml = """
                channel: ticket
                public_url: "\(rig.gatewayURL)"
                desk:
                  id: \(TicketSystem.id)
                  kind: webhook
                  base_url: "\(desk.url)"
                  webhook_secret: "${SALON_DESK_SECRET}"
                  poll_interval_s: 2
                  allow_private_addresses: ["127.0.0.1"]
                """
            try yaml.write(toFile: rig.config + "/brands/salon/handover.yaml", atomically: true, encoding: .utf8)
            if starts { try await rig.startGateway() }
            try await body(rig, desk)
        }
        desk.stop()
    }

    private static func post(
        _ rig: Rig, _ id: String, _ what: String, _ body: JSONValue = [:], key: String? = nil, brand: String = "salon"
    ) async throws -> Answer {
        let named = key.map { [(name: "Idempotency-Key", value: $0)] } ?? []
        return try await rig.send(
            "POST", "\(rig.gatewayURL)/v1/handovers/\(id)/\(what)", headers: rig.bearer(rig.adminKey(brand)) + named,
            body: CanonicalJSON.bytes(body))
    }

    private static func show(_ id: String, _ rig: Rig) async throws -> JSONValue {
        try await rig.get(rig.gatewayURL + "/v1/handovers/\(id)", key: rig.adminKey("salon")).json
    }

    /// Waits until so many messages of the customer have become entries.
    private static func forwarded(_ count: Int, _ id: String, _ rig: Rig) async throws {
        try await eventually("\(count) forwarded messages") {
            try await show(id, rig)["entries"]?.array?.filter { $0["author"] == "customer" }.count == count
        }
    }
}
