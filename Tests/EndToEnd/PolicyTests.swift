import Conversation
import Foundation
import Testing

/// `policies.yaml` as customers meet it.
@Suite(.serialized) struct PolicyTests {
    private static let day = NewYork.text(NewYork.openDays(around: NewYork.clockChanges[0]).after[1], "MMMM d yyyy")

    /// A rig whose salon has these policies.
    private static func with(_ policies: String, _ body: (Rig) async throws -> Void) async throws {
        var options = Rig.Options()
        options.startsGateway = false
        try await Rig.with(options) { rig in
            try policies.write(toFile: rig.config + "/brands/salon/policies.yaml", atomically: true, encoding: .utf8)
            try await rig.startGateway()
            try await body(rig)
        }
    }

    private static func outcomes(_ rig: Rig, from phone: String) async throws -> [String] {
        var all: [String] = []
        for session in try await rig.sessions(of: phone) {
            all += try await rig.messages(session: session).filter { $0["direction"] == "in" }.compactMap { $0["outcome"]?.string }
        }
        return all
    }

    private static func intents(_ rig: Rig, of phone: String) async throws -> [JSONValue] {
        let session = try #require(try await rig.sessions(of: phone).first)
        return try await rig.get(rig.gatewayURL + "/v1/sessions/\(session)/intents", key: rig.adminKey("salon")).json["intents"]?.array
            ?? []
    }

    /// What was counted for a rule at a point; 0 when nothing was.
    private static func verdicts(_ rig: Rig, _ verdict: String, at point: String, of rule: String) async throws -> Double {
        let lines = try await rig.get(rig.gatewayURL + "/metrics", key: rig.operatorKey).text.split(separator: "\n")
        let wanted = [
            "switchboard_policy_verdicts_total{", "verdict=\"\(verdict)\"", "point=\"\(point)\"", "rule=\"\(rule)\"", "brand=\"salon\"",
        ]
        let line = lines.first { line in wanted.allSatisfy { line.contains($0) } }
        return line?.split(separator: " ").last.flatMap { Double($0) } ?? 0
    }

    private static func isHandedOver(_ rig: Rig) async throws -> Bool {
        if try await !rig.deadLetters("salon", kind: "handover").isEmpty { return true }
        let open = try await rig.get(rig.gatewayURL + "/v1/handovers", key: rig.adminKey("salon"))
        return open.status == 200 && open.json["handovers"]?.array?.isEmpty == false
    }

    private static func expectHandover(_ rig: Rig) async throws {
        try await eventually("people are asked to take over") { try await isHandedOver(rig) }
    }

    // MARK: Limits

    @Test func aThousandMessagesInAMinuteAreRefusedPolitelyOnceAndOthersAreAnswered() async throws {
        try await Self.with("limits: { user_per_minute: 30, instance_per_minute: 60000, brand_per_minute: 120000 }\n") { rig in
            let flood = "15550036001"
            try await withThrowingTaskGroup(of: Void.self) { group in
                for batch in 0..<20 {
                    group.addTask {
                        let messages = (0..<50).map { Rig.textMessage("hello", from: flood, id: "wamid.flood-\(batch)-\($0)") }
                        let value: [String: JSONValue] = [
                            "contacts": [["wa_id": .string(flood), "profile": ["name": "Customer"]]], "messages": .array(messages),
                        ]
                        let answer = try await rig.webhook(Rig.delivery([(account: Rig.salonNumber, value: value)]))
                        #expect(answer.status == 200 && answer.json["accepted"] == 50)
                    }
                }
                for number in 1...5 {
                    group.addTask {
                        let answer = try await rig.ask("hello", from: "1555003610\(number)")
                        #expect(answer.contains("welcome"))
                    }
                }
                try await group.waitForAll()
            }
            try await rig.drain(within: .seconds(90))
            let answered = try await rig.count(
                "SELECT count(*) FROM messages WHERE provider_id LIKE 'wamid.flood-%' AND outcome = 'answered'")
            let dropped = try await rig.count(
                "SELECT count(*) FROM messages WHERE provider_id LIKE 'wamid.flood-%' AND outcome = 'dropped:rate_limited:user'")
            #expect(answered + dropped == 1000)
            #expect((30...70).contains(answered), "\(answered) were answered")
            let texts = try await rig.texts(to: flood)
            let polite = texts.filter { $0.contains("That was a lot at once") }
            // Once a minute, however long the test takes.
            #expect((1...2).contains(polite.count), "\(polite.count) refusals")
            #expect(polite.first?.contains("Please write again in ") == true)
            #expect(texts.count == Int(answered) + polite.count)
            #expect(try await Self.verdicts(rig, "rate_limit", at: "pre_execution", of: "rate_limited:user") == Double(dropped))
        }
    }

    /// Said, or as the button of a template.
    @Test(arguments: [false, true]) func aStopThatComesOverTheLimitEndsOffersAllTheSame(isPressed: Bool) async throws {
        try await Self.with("limits: { user_per_minute: 2 }\n") { rig in
            for _ in 0..<2 { _ = try await rig.ask("hello") }
            try await rig.say("hello")
            if isPressed {
                let button: JSONValue = [
                    "from": "15550001111", "id": "wamid.button", "timestamp": .string("\(SystemClock().now.milliseconds / 1000)"),
                    "type": "button", "button": ["payload": "STOP", "text": "STOP"],
                ]
                #expect(try await rig.webhook(Rig.delivery([(Rig.salonNumber, ["messages": [button]])])).status == 200)
            } else {
                try await rig.say("STOP")
            }
            try await rig.drain()
            let dropped = try await Self.outcomes(rig, from: "15550001111").filter { $0 == "dropped:rate_limited:user" }
            #expect(dropped.count == 2)
            try await Self.expectNoOffers(rig)
        }
    }

    @Test func aStopThatAFilterGivesToPeopleEndsOffersAllTheSame() async throws {
        let policies = """
            filters:
              - { name: leaving, pattern: '(?i)^stop$', verdict: handover, say: "I'm getting somebody at once." }
            """
        try await Self.with(policies) { rig in
            #expect(try await rig.ask("hello").hasPrefix("Hello"))
            #expect(try await rig.ask("STOP") == "I'm getting somebody at once.")
            try await Self.expectHandover(rig)
            #expect(try await rig.count("SELECT count(*) FROM opt_outs WHERE topic = 'marketing'") == 1)
        }
    }

    private static func expectNoOffers(_ rig: Rig) async throws {
        let offer: JSONValue = [
            "instance": "salon-whatsapp", "to": ["phone": "+1 555 000-1111"], "text": "Two for one today", "category": "marketing",
        ]
        let answer = try await rig.send(
            "POST", rig.gatewayURL + "/v1/messages", headers: rig.bearer(rig.adminKey("salon")), body: CanonicalJSON.bytes(offer))
        #expect(answer.status == 409 && answer.json["code"] == "opted_out", "\(answer.text)")
    }

    @Test func aToolThatIsUsedUpIsRefusedWithTheWait() async throws {
        try await Self.with("limits: { tool_per_minute: { list_bookings: 1 } }\n") { rig in
            #expect(try await rig.ask("my bookings").contains("no bookings"))
            let refused = try await rig.ask("my bookings")
            #expect(refused.contains("as often as I may") && refused.contains("Please try again in "), "\(refused)")
            let wait = refused.split { !$0.isNumber }.compactMap { Int($0) }.first ?? 0
            #expect((1...60).contains(wait), "\(refused)")
            #expect(try await rig.ask("my bookings", from: "12125550102").contains("no bookings"))
            #expect(try await rig.ask("when are you open").contains("Monday"))
            let entry = try #require(try await Self.intents(rig, of: "15550001111").first { $0["status"] == "blocked" })
            #expect(entry["reasons"] == ["rate_limited:list_bookings"])
            #expect(try await Self.verdicts(rig, "rate_limit", at: "pre_tool", of: "rate_limited:list_bookings") == 1)
        }
    }

    // MARK: Rules

    @Test func outsideItsHoursAnActionIsRefusedWithTheWait() async throws {
        // Three weekdays from now, so that it is closed whenever this runs.
        let names = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
        let today = (NewYork.calendar.component(.weekday, from: Date()) + 5) % 7
        let policies = """
            rules:
              - { name: desk_hours, actions: [book_service], hours: { \(names[(today + 3) % 7]): "10:00-11:00" } }
            """
        try await Self.with(policies) { rig in
            #expect(try await rig.ask("book a haircut on \(Self.day) at 3pm").contains("Book Haircut on"))
            let refused = try await rig.ask("yes")
            #expect(refused.contains("isn't possible at this hour") && refused.contains(" days"), "\(refused)")
            #expect(try await rig.bookingCalls().isEmpty)
            let entry = try #require(try await Self.intents(rig, of: "15550001111").first { $0["status"] == "blocked" })
            #expect(entry["reasons"] == ["rule:desk_hours"])
            #expect(try await rig.ask("my bookings").contains("no bookings"), "other actions are free")
        }
    }

    @Test func anAmountOverTheLimitIsAskedForAnewAndTheNextOneIsBooked() async throws {
        let policies = """
            rules:
              - name: small_only
                actions: [book_service]
                at_most: { parameter: service, path: /price, amount: 50 }
                say: "Here I book up to {amount} dollars."
            """
        try await Self.with(policies) { rig in
            #expect(try await rig.ask("book a massage on \(Self.day) at 3pm").contains("Book Massage on"))
            let refused = try await rig.ask("yes")
            #expect(refused.contains("up to 50 dollars") && refused.contains("Which service would you like?"), "\(refused)")
            #expect(try await rig.bookingCalls().isEmpty)
            #expect(try await rig.press(title: "Haircut").contains("Book Haircut on"))
            #expect(try await rig.ask("yes").contains("You're booked: Haircut"))
            #expect(try await rig.bookingCalls().count == 1)
        }
    }

    @Test func aTierThatIsTooLowAndARuleForPeopleKeepTheCallBack() async throws {
        let policies = """
            rules:
              - { name: premium_cuts, actions: [book_service], tier: premium, verdict: handover, say: "A colleague books that for you." }
              - { name: lists, actions: [list_bookings], tier: premium }
              - { name: notice, actions: [opening_hours], tier: premium, verdict: warn, say: "Holidays are not in here." }
            """
        try await Self.with(policies) { rig in
            #expect(try await rig.ask("my bookings").contains("only for premium customers"))
            let count = try await rig.replies().count
            try await rig.say("when are you open")
            try await rig.reply(with: "Holidays are not in here.", after: count)
            try await rig.reply(with: "Monday", after: count)
            try await rig.ask("book a haircut on \(Self.day) at 3pm")
            #expect(try await rig.ask("yes") == "A colleague books that for you.")
            try await Self.expectHandover(rig)
            #expect(try await rig.bookingCalls().isEmpty)
            #expect(try await Self.verdicts(rig, "handover", at: "pre_tool", of: "rule:premium_cuts") == 1)
            #expect(try await Self.verdicts(rig, "warn", at: "pre_tool", of: "rule:notice") == 1)
        }
    }

    // MARK: Filters

    @Test func aDeniedMessageIsNotUnderstoodAndTheOpenQuestionStays() async throws {
        let policies = """
            filters:
              - { name: harmless, pattern: 'damn good haircut', verdict: allow }
              - { name: rude, pattern: '\\bdamn', verdict: deny, say: "Let's stay polite, please." }
            """
        try await Self.with(policies) { rig in
            #expect(try await rig.ask("hello! That was a Damn good haircut last time") != "Let's stay polite, please.")
            #expect(try await rig.ask("book a haircut").contains("When would you like to come?"))
            #expect(try await rig.ask("DAMN, cancel it all and show my bookings") == "Let's stay polite, please.")
            #expect(try await rig.ask("\(Self.day) at 3pm").contains("Book Haircut on"))
            #expect(try await rig.arrived("/salon/bookings").isEmpty)
            let outcomes = try await Self.outcomes(rig, from: "15550001111")
            #expect(outcomes.sorted() == ["answered", "answered", "answered", "dropped:filter:rude"])
            #expect(try await Self.verdicts(rig, "deny", at: "pre_execution", of: "filter:rude") == 1)
            #expect(try await Self.verdicts(rig, "allow", at: "pre_execution", of: "filter:harmless") == 1)
        }
    }

    @Test func aCardNumberIsWarnedOfAndTheWishIsServed() async throws {
        try await Rig.with { rig in
            let answer = try await rig.ask("book a haircut on \(Self.day) at 3pm, my card is 4111 1111 1111 1111")
            #expect(answer.hasPrefix("Please don't send card numbers here."), "\(answer)")
            #expect(answer.contains("Haircut"), "\(answer)")
            #expect(try await rig.ask("hello", from: "12125550102").hasPrefix("Hello"))
        }
    }

    @Test func aMessageForPeopleIsHandedOverUnprocessed() async throws {
        let policies = """
            filters:
              - { name: injury, pattern: 'burn(t|ed)? my (skin|scalp)', verdict: handover, say: "I'm getting somebody at once." }
            """
        try await Self.with(policies) { rig in
            #expect(try await rig.ask("The colour burned my scalp, book a haircut") == "I'm getting somebody at once.")
            try await Self.expectHandover(rig)
            #expect(try await rig.arrived("/salon").isEmpty)
            #expect(try await Self.outcomes(rig, from: "15550001111") == ["answered"])
        }
    }

    @Test func aDeniedReplyIsReplacedAndNeverStored() async throws {
        let policies = """
            filters:
              - { name: welcome, side: outbound, pattern: 'welcome to Blue Door', verdict: deny, say: "Good day." }
              - { name: hours, side: outbound, pattern: 'opening hours', verdict: warn, say: "Holidays differ." }
              - { name: prices, side: outbound, pattern: 'services and prices', verdict: handover, say: "A colleague tells you." }
            """
        try await Self.with(policies) { rig in
            #expect(try await rig.ask("hello") == "Good day.")
            let hours = try await rig.ask("when are you open")
            #expect(hours.contains("Monday") && hours.hasSuffix("Holidays differ."), "\(hours)")
            #expect(try await rig.ask("what services do you offer") == "A colleague tells you.")
            try await Self.expectHandover(rig)
            #expect(try await rig.count("SELECT count(*) FROM messages WHERE direction = 'out' AND content LIKE '%Blue Door%'") == 0)
            #expect(try await rig.count("SELECT count(*) FROM messages WHERE direction = 'out' AND context LIKE '%Blue Door%'") == 0)
            #expect(try await Self.verdicts(rig, "deny", at: "post_response", of: "filter:welcome") == 1)
            #expect(try await Self.verdicts(rig, "handover", at: "post_response", of: "filter:prices") == 1)
        }
    }

    @Test func aPatternThatDoesNotCompileStopsTheBrandWithItsPlace() async throws {
        var options = Rig.Options()
        options.startsGateway = false
        try await Rig.with(options) { rig in
            let file = rig.config + "/brands/salon/policies.yaml"
            try "filters:\n  - { name: bad, pattern: '(', verdict: deny }\n".write(toFile: file, atomically: true, encoding: .utf8)
            let checked = try await rig.run(["check", "--config", rig.config, "--channels", rig.channels])
            #expect(checked.code == 1)
            #expect((checked.out + checked.err).contains("policies.yaml:2: filters[0].pattern: is not an RE2 pattern"), "\(checked)")
        }
    }
}
