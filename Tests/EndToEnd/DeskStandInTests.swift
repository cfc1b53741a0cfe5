import Conversation
import Foundation
import JSON
import Testing

/// Handovers into Zendesk and Freshdesk, as strict stand-ins of both play them: there and back, and with everything that goes wrong between.
@Suite(.serialized) struct DeskStandInTests {
    private static let wish = "I want to talk to a person"
    private static let phone = "15550001111"

    // MARK: There and back

    @Test(arguments: [StandInDesk.zendesk, .polledZendesk, .freshdesk, .polledFreshdesk])
    func theTicketHasTheConversationAndItsAnswersReachTheCustomer(_ desk: StandInDesk) async throws {
        try await desk.with { rig in
            try await rig.ask("hello there")
            try await rig.ask(Self.wish)
            let (id, ticket) = try await desk.opened(rig)
            let made = try await desk.tickets(rig)
            #expect(made.count == 1 && made[0]["tags"]?.array?.contains("switchboard") == true)
            #expect(made[0]["reference"]?.string == id || made[0]["subject"]?.string?.contains("[sb:\(id)]") == true)
            let opening = made[0]["entries"]?.array?.first?["text"]?.string ?? ""
            #expect(opening.contains("hello there") && opening.contains(Self.wish), "the history: \(opening)")
            for words in ["may I bring my dog along?", "and the cat?"] { try await rig.say(words) }
            try await desk.wait(for: "and the cat?", rig)
            #expect(try await desk.said(rig) == ["may I bring my dog along?", "and the cat?"])

            let count = try await rig.replies().count
            try await desk.act(["note": "between us: regulars"], on: ticket, rig)
            try await desk.act(["assign": true], on: ticket, rig)
            let told = try await desk.act(["reply": "Yes, dogs are welcome."], on: ticket, rig)
            #expect(told.map { $0["status"] } == (desk.hasWebhook ? [200] : []))
            try await rig.reply(with: "Yes, dogs are welcome.", after: count)
            try await desk.act(["close": true], on: ticket, rig)
            try await rig.reply(with: "I'm back", after: count)
            #expect(try await !rig.ask("hello again").isEmpty)
            #expect(try await rig.handovers().first?["state"] == "closed")
            #expect(try await !desk.said(rig).contains("hello again"), "the bot has it again")

            try await desk.act(["reopen": true], on: ticket, rig)
            try await rig.reply(with: "taken up your conversation again", after: count)
            let silent = try await rig.replies().count
            try await rig.say("one more thing")
            try await desk.wait(for: "one more thing", rig)
            let texts = try await rig.texts()
            #expect(texts.count == silent, "the bot is silent again")
            #expect(texts.filter { $0.contains("dogs are welcome") }.count == 1, "\(texts)")
            #expect(!texts.contains { $0.contains("between us") || $0.contains("bring my dog") || $0.contains("[sb:") }, "\(texts)")
            #expect(try await [desk.tickets(rig).count, desk.openings(rig).count] == [1, 1])
            #expect(try await rig.deadLetters("salon", kind: "handover").isEmpty)
        }
    }

    // MARK: Creating

    @Test func aConflictIsTriedAgainAndMakesOneTicket() async throws {
        let desk = StandInDesk.zendesk
        try await desk.with { rig in
            try await rig.fault(["path": .string(desk.ticketPath), "method": "POST", "status": 409, "times": 2])
            try await rig.ask(Self.wish)
            try await rig.say("are you there?")
            _ = try await desk.opened(rig)
            try await desk.wait(for: "are you there?", rig)
            let openings = try await desk.openings(rig)
            #expect(openings.map { $0["status"] } == [409, 409, 201])
            #expect(Set(openings.compactMap { $0["headers"]?["idempotency-key"]?.string }).count == 1)
            #expect(Set(openings.compactMap { $0["body"]?.string }).count == 1)
            #expect(try await desk.tickets(rig).count == 1)
            #expect(try await rig.handovers(state: "open").first?["bot_is_silent"] == true)
            #expect(try await rig.deadLetters("salon", kind: "handover").isEmpty)
        }
    }

    @Test func aRefusedTicketIsNotTriedAgainAndPeopleHaveTheConversation() async throws {
        let desk = StandInDesk.zendesk
        try await desk.with { rig in
            try await rig.fault(["path": .string(desk.ticketPath), "method": "POST", "status": 422])
            #expect(try await rig.ask(Self.wish).contains("colleague"))
            let count = try await rig.replies().count
            try await eventually("a dead letter") { try await rig.deadLetters("salon", kind: "handover").count == 1 }
            let handover = try #require(try await rig.handovers(state: "open").first)
            let id = try #require(handover["id"]?.string)
            #expect(handover["bot_is_silent"] == true && handover["desk_state"] == "failed" && handover["ticket_id"] == .null)
            try await rig.say("are you there?")
            let place = "\(rig.gatewayURL)/v1/handovers/\(id)"
            try await eventually("the words with the people") {
                let entries = try await rig.get(place, key: rig.adminKey("salon")).json["entries"]?.array ?? []
                return entries.contains { $0["text"] == "are you there?" && $0["state"] == "kept" }
            }
            #expect(try await rig.post(place + "/reply", ["text": "Good day from the salon."], key: rig.adminKey("salon")).status == 202)
            try await rig.reply(with: "Good day from the salon.", after: count)
            #expect(try await rig.replies().count == count + 1, "nothing but the person's words")
            #expect(try await desk.openings(rig).map { $0["status"] } == [422])

            // Run again by a person, when the desk takes it: the ticket gets what was said meanwhile.
            try await rig.clearFaults()
            let letter = try #require(try await rig.deadLetters("salon", kind: "handover").first?["id"]?.string)
            let redriven = try await rig.post("\(rig.gatewayURL)/v1/dead-letters/\(letter)/redrive", key: rig.adminKey("salon"))
            #expect(redriven.status == 200, "\(redriven.text)")
            try await desk.wait(for: "are you there?", rig)
            #expect(try await [desk.tickets(rig).count, desk.openings(rig).count] == [1, 2])
        }
    }

    // MARK: Away

    @Test func aDeskThatIsAwayForLongIsToldOfOnceAndLosesNothing() async throws {
        let desk = StandInDesk.zendesk
        try await desk.with { rig in
            try await rig.fault(["path": .string(desk.path), "drop": "before", "times": 3])
            try await rig.fault(["path": .string(desk.path), "status": 503])
            #expect(try await rig.ask(Self.wish).contains("colleague"))
            let count = try await rig.replies().count
            for words in ["one", "two"] { try await rig.say(words) }
            // A customer is told at the first attempt after a minute.
            try await rig.reply(with: "can't reach our team", after: count, within: .seconds(150))
            try await rig.say("three")
            await rig.killGateway()
            try await rig.startGateway()
            try await rig.say("four")
            try await eventually("the words are kept") {
                let id = try await rig.handovers().first?["id"]?.string ?? ""
                let shown = try await rig.get("\(rig.gatewayURL)/v1/handovers/\(id)", key: rig.adminKey("salon")).json
                return shown["entries"]?.array?.contains { $0["text"] == "four" } == true
            }
            #expect(try await desk.tickets(rig).isEmpty)
            try await rig.clearFaults()
            try await desk.wait(for: "four", rig, within: .seconds(90))
            #expect(try await desk.said(rig) == ["one", "two", "three", "four"])
            #expect(try await desk.tickets(rig).count == 1)
            let texts = try await rig.texts()
            #expect(texts.count == count + 1, "told once, and silent otherwise: \(texts)")
            #expect(try await rig.deadLetters("salon", kind: "handover").isEmpty)
        }
    }

    @Test(arguments: [StandInDesk.zendesk, .polledFreshdesk])
    func whatIsSaidWhileTheDeskFailsStandsInTheTicketOnceAndInOrder(_ desk: StandInDesk) async throws {
        try await desk.with { rig in
            try await rig.ask(Self.wish)
            let (_, ticket) = try await desk.opened(rig)
            // The first write happens and nobody is told; the second does not happen.
            let write: [String: JSONValue] = ["path": .string("\(desk.ticketPath)/\(ticket)"), "method": .string(desk.writing)]
            try await rig.fault(write.merging(["drop": "after", "times": 1]) { $1 })
            try await rig.fault(write.merging(["status": 503, "times": 2]) { $1 })
            let words = ["one", "two", "three"]
            for word in words { try await rig.say(word) }
            try await desk.wait(for: "three", rig)
            #expect(try await desk.said(rig) == words)
        }
    }

    // MARK: What changes nothing

    @Test func whatIsNotProvenLateOrToldAgainChangesNothing() async throws {
        let desk = StandInDesk.zendesk
        try await desk.with { rig in
            try await rig.ask(Self.wish)
            let (_, ticket) = try await desk.opened(rig)
            let count = try await rig.replies().count
            for spoiled: [String: JSONValue] in [["sign": false], ["age_s": 600], ["age_s": -600]] {
                for deed: [String: JSONValue] in [["reply": "evil words"], ["close": true], ["reopen": true]] {
                    let told = try await desk.act(deed.merging(spoiled) { $1 }.merging(["happens": false]) { $1 }, on: ticket, rig)
                    #expect(told.map { $0["status"] } == [401], "\(deed) \(spoiled)")
                }
            }
            #expect(try await rig.handovers(state: "open").first?["bot_is_silent"] == true)
            let thrice = try await desk.act(["reply": "Good day from the ticket", "times": 3], on: ticket, rig)
            #expect(thrice.map { $0["status"] } == [200, 200, 200])
            try await rig.reply(with: "Good day from the ticket", after: count)
            let closings = try await desk.act(["close": true, "times": 2], on: ticket, rig)
            #expect(closings.map { $0["status"] } == [200, 200])
            try await rig.reply(with: "I'm back", after: count)
            try await desk.act(["reply": "too late to say"], on: ticket, rig)
            let id = try #require(try await rig.handovers().first?["id"]?.string)
            try await eventually("the late answer is on record") {
                let events = try await rig.get("\(rig.gatewayURL)/v1/handovers/\(id)", key: rig.adminKey("salon")).json["events"]?.array
                return events?.map { $0["outcome"]?.string } == ["said", "closed", "ignored:closed"]
            }
            #expect(try await !rig.ask("hello").isEmpty)
            let texts = try await rig.texts()
            #expect(!texts.contains { $0.contains("evil") || $0.contains("too late") }, "\(texts)")
            #expect(texts.filter { $0.contains("Good day from the ticket") }.count == 1)
            #expect(texts.filter { $0.contains("I'm back") }.count == 1)
        }
    }

    @Test func aWrongOrRepeatedCallOfARuleChangesNothing() async throws {
        let desk = StandInDesk.freshdesk
        try await desk.with { rig in
            try await rig.ask(Self.wish)
            let (_, ticket) = try await desk.opened(rig)
            let count = try await rig.replies().count
            for deed: [String: JSONValue] in [["reply": "evil words"], ["close": true]] {
                let told = try await desk.act(deed.merging(["sign": false, "happens": false]) { $1 }, on: ticket, rig)
                #expect(told.map { $0["status"] } == [401])
            }
            #expect(try await rig.handovers(state: "open").first?["bot_is_silent"] == true)
            let twice = try await desk.act(["reply": "Good day from the ticket", "times": 2], on: ticket, rig)
            #expect(twice.map { $0["status"] } == [200, 200])
            try await rig.reply(with: "Good day from the ticket", after: count)
            // The same words again are another answer.
            try await desk.act(["reply": "Good day from the ticket"], on: ticket, rig)
            try await eventually("both answers") { try await rig.replies().count == count + 2 }
            try await rig.say("still with people")
            try await desk.wait(for: "still with people", rig)
            #expect(try await rig.replies().count == count + 2)
        }
    }

    @Test func oneBrandsDeskHasNoSayInAnothersConversation() async throws {
        let desk = StandInDesk.zendesk
        let other = "15550002222"
        try await desk.with(jobs: true) { rig in
            try await rig.ask(Self.wish)
            try await rig.ask(Self.wish, from: other, instance: "jobs-whatsapp")
            let (_, ours) = try await desk.opened(rig)
            let (_, theirs) = try await desk.opened(rig, brand: "jobs")
            #expect(ours != theirs)
            let deeds: [[String: JSONValue]] = [["reply": "evil words"], ["close": true], ["reopen": true]]
            func expect(_ status: JSONValue, _ ignored: JSONValue?, on ticket: String) async throws {
                for deed in deeds {
                    let told = try await desk.act(deed.merging(["happens": false]) { $1 }, on: ticket, rig)
                    #expect(told.map { $0["status"] } == [status] && told.first?["body"]?["ignored"] == ignored, "\(deed): \(told)")
                }
            }
            // Proven by the salon, about a ticket of the jobs board; then the other way round.
            try await expect(200, 1, on: theirs)
            try await desk.configure(rig, brand: "jobs", id: "jobs-\(StandInDesk.id)")
            try await expect(200, 1, on: ours)
            // The salon's secret opens no other desk, and nobody's desk is none.
            try await desk.configure(rig, brand: "salon", id: "jobs-\(StandInDesk.id)")
            try await expect(401, nil, on: theirs)
            try await desk.configure(rig, brand: "salon", id: "nobodys")
            try await expect(404, nil, on: ours)
            for (brand, phone) in [("salon", Self.phone), ("jobs", other)] {
                let open = try await rig.handovers(brand, state: "open")
                #expect(open.count == 1 && open.first?["bot_is_silent"] == true)
                #expect(try await !rig.texts(to: phone).contains { $0.contains("evil") || $0.contains("I'm back") })
            }
        }
    }

    // MARK: Lost calls

    /// A system gives up calling while we are down, or its call never leaves it.
    @Test(arguments: [StandInDesk.zendesk, .freshdesk])
    func anAnswerWhoseCallIsLostReachesTheCustomer(_ desk: StandInDesk) async throws {
        try await desk.with(interval: 2) { rig in
            try await rig.ask(Self.wish)
            let (_, ticket) = try await desk.opened(rig)
            let count = try await rig.replies().count
            try await desk.act(["reply": "The call about this was lost", "times": 0], on: ticket, rig)
            try await rig.reply(with: "The call about this was lost", after: count)
            await rig.killGateway()
            try await desk.act(["reply": "Nobody was there to hear this", "times": 0], on: ticket, rig)
            try await desk.act(["close": true, "times": 0], on: ticket, rig)
            try await rig.startGateway()
            try await rig.reply(with: "Nobody was there to hear this", after: count, within: rig.untilTakenOver)
            try await rig.reply(with: "I'm back", after: count)
            #expect(try await rig.replies().count == count + 3, "each once")
        }
    }

    // MARK: Crashes

    @Test(arguments: [StandInDesk.zendesk, .polledFreshdesk])
    func aCrashBeforeTheTicketIsNotedLeavesOneTicketAndTheBotSilent(_ desk: StandInDesk) async throws {
        try await desk.with(starts: false) { rig in
            try await rig.startGateway(["SWITCHBOARD_CRASH_AT": CrashPoint.ticketCreatedNotStored.name])
            let process = try #require(rig.gateway)
            // So that the customer has heard of it before: of a reply that is under way at a death nobody knows whether it arrived.
            try await rig.fault(["path": .string(desk.ticketPath), "method": "POST", "delay_ms": 2000, "times": 1])
            try await rig.say(Self.wish)
            try await rig.reply(with: "colleague")
            await rig.exited(process)
            #expect(process.terminationReason == .uncaughtSignal)
            #expect(try await desk.tickets(rig).count == 1)
            try await rig.startGateway()
            let (_, ticket) = try await desk.opened(rig)
            #expect(try await desk.tickets(rig).first?["id"]?.integer.map(String.init) == ticket)
            let count = try await rig.replies().count
            try await rig.say("are you there?")
            try await desk.wait(for: "are you there?", rig)
            await rig.killGateway()
            try await rig.startGateway()
            try await rig.say("hello")
            try await desk.wait(for: "hello", rig)
            #expect(try await rig.replies().count == count, "still muted")
            try await desk.act(["reply": "Good day from the ticket"], on: ticket, rig)
            try await rig.reply(with: "Good day from the ticket", after: count, within: rig.untilTakenOver)
            #expect(try await desk.said(rig) == ["are you there?", "hello"])
            #expect(try await [desk.tickets(rig).count, desk.openings(rig).count] == [1, 1])
            try await rig.expectPeace()
        }
    }
}

/// What one customer can make a model do who writes a thousand messages at once.
extension DeskStandInTests {
    private static let flooder = "15550036001"
    private static let others = (1...5).map { "1555003610\($0)" }

    /// A thousand messages with these words, while others ask something; how long it took until all was done.
    private func flood(_ rig: Rig, _ words: String) async throws -> Duration {
        let began = ContinuousClock.now
        try await withThrowingTaskGroup(of: Void.self) { group in
            for batch in 0..<20 {
                group.addTask {
                    let messages = (0..<50).map { Rig.textMessage(words, from: Self.flooder, id: "wamid.flood-\(batch)-\($0)") }
                    let value: [String: JSONValue] = [
                        "contacts": [["wa_id": .string(Self.flooder), "profile": ["name": "Customer"]]], "messages": .array(messages),
                    ]
                    let answer = try await rig.webhook(Rig.delivery([(account: Rig.salonNumber, value: value)]))
                    #expect(answer.status == 200 && answer.json["accepted"] == 50)
                }
            }
            for other in Self.others {
                group.addTask {
                    let answer = try await rig.ask("hello there", from: other)
                    #expect(answer.contains("elcome"))
                }
            }
            try await group.waitForAll()
        }
        try await rig.drain(within: .seconds(120))
        return ContinuousClock.now - began
    }

    private func flooded(_ rig: Rig, _ condition: String) async throws -> Int {
        Int(try await rig.count("SELECT count(*) FROM messages WHERE provider_id LIKE 'wamid.flood-%' AND \(condition)"))
    }

    /// Once a minute, however long it took.
    private func expectOnePoliteRefusal(_ rig: Rig, _ took: Duration) async throws {
        let polite = try await rig.texts(to: Self.flooder).filter { $0.contains("That was a lot at once. Please write again in ") }
        #expect((1...1 + Int(took / .seconds(60))).contains(polite.count), "\(polite.count) refusals in \(took)")
    }

    @Test func aFloodReachesTheModelOnlyAsFarAsItsSenderIsReadAtAll() async throws {
        try await Rig.with(.withModel()) { rig in
            try await rig.startGatewayWithModel()
            try await rig.modelSays(Rig.commands([Rig.command("start", action: "list_services", text: ModelTests.vague)]))
            let took = try await flood(rig, ModelTests.vague)
            let read = try await flooded(rig, "outcome NOT LIKE 'dropped:%'")
            let dropped = try await flooded(rig, "outcome = 'dropped:rate_limited:user'")
            #expect(read + dropped == 1_000)
            #expect((30...32 + Int(took / .seconds(2))).contains(read), "\(read) of a thousand were read in \(took)")
            let asked = try await rig.modelCalls()
            #expect((1...read).contains(asked.about(ModelTests.vague).count), "\(asked.about(ModelTests.vague).count) calls for \(read)")
            // Understanding, wording, and a few looks back at the sessions.
            let calls = try #require(try await rig.modelTotals()["calls"]?.integer)
            #expect(calls <= 2 * (read + Self.others.count) + 20, "\(calls) calls for \(read) messages")
            try await expectOnePoliteRefusal(rig, took)
        }
    }

    @Test func aFloodStaysWithinTheDaysTokens() async throws {
        try await wholeDayAhead()
        let budget: Int64 = 3_000
        var options = Rig.Options.withModel()
        options.edits.append(
            (file: "brands/salon/brand.yaml", from: "\n  timeout_s: 8\n", to: "\n  timeout_s: 8\n  daily_tokens: \(budget)\n"))
        try await Rig.with(options) { rig in
            try await rig.startGatewayWithModel()
            let took = try await flood(rig, "hello there")
            let totals = try await rig.modelTotals()
            let spent = (totals["prompt_tokens"]?.integer ?? 0) + (totals["completion_tokens"]?.integer ?? 0)
            #expect(spent > 0 && spent <= budget, "\(spent) of \(budget) tokens")
            let usage = try await rig.get(rig.gatewayURL + "/v1/usage", key: rig.adminKey("salon")).json
            #expect(usage["today"]?["tokens"]?.integer == spent)
            let calls = try #require(totals["calls"]?.integer)
            let read = try await flooded(rig, "outcome = 'answered'")
            #expect(read >= 30 && calls < read, "\(calls) calls for \(read) answers: the others needed no model")
            #expect(try await flooded(rig, "outcome = 'dropped:rate_limited:user'") == 1_000 - read)
            try await expectOnePoliteRefusal(rig, took)
        }
    }
}
