import Brain
import Conversation
import Testing

/// What is said and kept when a policy refuses a call that had been decided.
@Suite struct RefusalTests {
    private static let hours = ActionRefusal(code: "rule:opening_hours", text: "We book from nine.", retryAfter: .seconds(3600))
    private static let amount = ActionRefusal(code: "rule:large", text: "Here up to $50.")

    private static func talk(_ refusal: ActionRefusal?, action: String = "book_service") -> Talk {
        var talk = Talk()
        talk.configuration.policies.rules = [
            BusinessRule(
                name: "large", actions: ["book_service"], condition: .atMost(parameter: "service", path: "/price", amount: 50),
                verdict: .deny)
        ]
        talk.say("book a haircut on tuesday at 5", action: "book_service")
        if let refusal { talk.refused = [action: refusal] }
        return talk
    }

    @Test func aRefusalIsToldAsABlockerAndEndsTheTask() {
        var talk = Self.talk(Self.hours)
        talk.press("Yes")
        #expect(talk.decisions.isEmpty)
        #expect(talk.text == "We book from nine.")
        #expect(talk.replies.first?.narrative.instruction == .handleBlocker)
        #expect(talk.ledger.last?.status == .blocked && talk.ledger.last?.reasons == ["rule:opening_hours"])
        let update = talk.updates.last { $0.kind == .actionBlocked }
        #expect(update?.fields["reasons"] == ["rule:opening_hours"] && update?.fields["retry_after_s"]?.double == 3600)
        #expect(talk.state.activeTask?.status == .failed && !talk.state.expectingResponse)
        #expect(talk.handovers.isEmpty)
    }

    @Test func theOldButtonDoesNothingAfterwardsAndANewWishIsFree() {
        var talk = Self.talk(Self.hours)
        talk.press("Yes")
        talk.refused = [:]
        talk.press("Yes")
        #expect(talk.decisions.isEmpty)
        talk.say("book a haircut on tuesday at 5", action: "book_service")
        talk.press("Yes")
        #expect(talk.decisions.count == 1)
    }

    @Test func aRefusalOfAnotherActionChangesNothing() {
        var talk = Self.talk(Self.hours, action: "cancel_booking")
        talk.press("Yes")
        #expect(talk.decisions.count == 1)
    }

    @Test func anAmountOverTheLimitIsAskedForAnew() {
        var talk = Self.talk(Self.amount)
        talk.press("Yes")
        #expect(talk.decisions.isEmpty)
        #expect(talk.text.hasPrefix("Here up to $50.") && talk.text.contains("Which service would you like?"))
        #expect(talk.options.contains("Haircut"))
        #expect(talk.ledger.map(\.status) == [.blocked, .collecting])
        #expect(talk.state.activeTask?.paramsCollected["start"]?.value != nil, "what was not refused is kept")
        talk.refused = [:]
        talk.say(
            "a haircut please", DetectedIntent(type: .response, confidence: 1, signal: "s1", text: "a haircut please", source: .answerSheet)
        )
        #expect(talk.text.hasPrefix("Book Haircut"), "other values are confirmed anew")
        talk.press("Yes")
        #expect(talk.decisions.count == 1)
    }

    @Test func theThirdAmountInARowIsForAPerson() {
        var talk = Self.talk(Self.amount)
        for number in 1...3 {
            talk.press("Yes")
            #expect(talk.handovers.isEmpty == (number < 3))
            if number < 3 { talk.press("Haircut") }
        }
        #expect(talk.handovers.map(\.trigger) == [.repeatedFailure])
        #expect(talk.state.activeTask?.status == .failed && !talk.state.expectingResponse)
    }

    @Test func aRefusalForPeopleHandsOverAndSaysSoOnce() {
        var talk = Self.talk(ActionRefusal(code: "rule:large", text: "A colleague will look at it.", handsOver: true))
        talk.press("Yes")
        #expect(talk.handovers.map(\.trigger) == [.policyViolation])
        #expect(talk.handovers.first?.summary.contains("rule:large") == true)
        #expect(talk.text == "A colleague will look at it.")
        #expect(talk.ledger.last?.status == .blocked && talk.state.activeTask?.status == .failed)
        #expect(!talk.state.expectingResponse)
    }

    @Test func aRefusalForPeopleWithoutWordsUsesOurs() {
        var talk = Self.talk(ActionRefusal(code: "rule:gone", text: "", handsOver: true))
        talk.press("Yes")
        #expect(talk.text.contains("colleague") && talk.handovers.count == 1)
    }

    @Test func whatWaitsGoesOnAfterARefusal() {
        var talk = Talk()
        talk.say(
            "book a haircut on tuesday at 5",
            DetectedIntent(
                type: .action, candidates: ["book_service"], confidence: 0.95, text: "book a haircut on tuesday at 5", source: .classifier),
            DetectedIntent(
                type: .action, candidates: ["list_bookings"], confidence: 0.95, text: "my bookings", sequence: 2, source: .classifier))
        talk.refused = ["book_service": Self.hours]
        talk.press("Yes")
        #expect(talk.decisions.map(\.canonicalAction) == ["list_bookings"])
        #expect(talk.text.contains("We book from nine."))
    }

    @Test func aReadIsRefusedToo() {
        var talk = Talk()
        talk.refused = [
            "list_bookings": ActionRefusal(code: "rate_limited:list_bookings", text: "Again in 12 seconds.", retryAfter: .seconds(12))
        ]
        talk.say("my bookings", action: "list_bookings")
        #expect(talk.decisions.isEmpty && talk.text == "Again in 12 seconds.")
        #expect(talk.ledger.last?.reasons == ["rate_limited:list_bookings"])
    }

    @Test func onAScreenARefusalIsNoLack() {
        let screen = UpdateTranslator(templates: [:])
        func line(_ reason: String) -> JSONValue? {
            screen.screen(StreamingUpdate(.actionBlocked, at: Salon.now, ["reasons": [.string(reason)]])).fields["status_line"]
        }
        #expect(line("rule:opening_hours") != line("schema_dependency_failed:profile.phone"))
        #expect(line("filter:card") == line("rate_limited:book_service"))
    }
}
