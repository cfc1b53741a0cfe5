import Conversation
import Testing

@testable import Brain

@Suite struct PlanTests {
    private func action(_ name: String, _ text: String, _ sequence: Int) -> DetectedIntent {
        DetectedIntent(type: .action, candidates: [name], confidence: 0.95, text: text, sequence: sequence, source: .classifier)
    }

    @Test func exactBeatsSynonymBeatsFuzzyOverAllCandidates() {
        let lookup = ActionLookup(actions: Salon.configuration.actions)
        #expect(lookup.find(["book_servise", "make_appointment", "list_bookings"])?.type == .exact)
        #expect(lookup.find(["book_servise", "make_appointment"])?.type == .synonym)
        let fuzzy = lookup.find(["book_servise"])
        #expect(fuzzy?.type == .fuzzy)
        #expect(fuzzy?.action.canonicalName == "book_service")
        #expect(lookup.find(["fly_to_the_moon"]) == nil)
        #expect(lookup.find([]) == nil)
        #expect(lookup.find([""]) == nil)
        #expect(lookup.find(["Book Service"])?.type == .exact)
    }

    @Test(arguments: [
        ("lock_card", "unlock_card"), ("activate_card", "deactivate_card"), ("subscribe_newsletter", "unsubscribe_newsletter"),
        ("enable_notifications", "disable_notifications"), ("booking_service", "cancel_booking_service"),
        ("increase_limit", "decrease_limit"),
        ("connect_account", "disconnect_account"), ("log_in_account", "log_out_account"), ("schedule_visit", "reschedule_visit"),
    ])
    func oppositesAreNeverJoined(_ left: String, _ right: String) {
        for (known, said) in [(left, right), (right, left)] {
            let lookup = ActionLookup(actions: [
                ActionDefinition(canonicalName: known, displayName: known, request: RequestTemplate(method: "POST", path: "/"))
            ])
            #expect(lookup.find([said]) == nil)
        }
    }

    @Test(arguments: [("kitten", "sitting", 1 - 3.0 / 7), ("", "", 1.0), ("abc", "", 0.0), ("lock_card", "unlock_card", 1 - 2.0 / 11)])
    func similarityIsNormalizedLevenshtein(_ left: String, _ right: String, _ expected: Double) {
        #expect(abs(EditDistance.similarity(left, right) - expected) < 1e-9)
    }

    @Test func aFuzzyWriteIsAskedAboutFirst() {
        var talk = Talk()
        talk.say("lok my card", action: "lok_card")
        #expect(talk.text.hasPrefix("Did you mean \"Lock my card\"?"))
        #expect(talk.decisions.isEmpty)
        #expect(talk.ledger.first?.matchType == .fuzzy)
        talk.press("Yes")
        #expect(talk.decisions.first?.canonicalAction == "lock_card")
    }

    @Test func aFuzzyReadRunsAtOnce() {
        var talk = Talk()
        talk.say("my boookings", action: "list_boookings")
        #expect(talk.decisions.first?.canonicalAction == "list_bookings")
    }

    @Test func middlingConfidenceInAWriteWithoutAConfirmationAsks() {
        var talk = Talk()
        talk.say("card thing", action: "lock_card", confidence: 0.7)
        #expect(talk.decisions.isEmpty)
        #expect(talk.text.contains("Did you mean"))
        talk.press("No")
        #expect(talk.decisions.isEmpty)
        #expect(talk.text == "All right. What would you like instead?")
    }

    @Test func littleConfidenceAsksEvenForARead() {
        var talk = Talk()
        talk.say("eh", action: "list_bookings", confidence: 0.4)
        #expect(talk.decisions.isEmpty)
        #expect(talk.text.contains("Did you mean"))
    }

    @Test func anUnknownActionIsInTheLedgerAndAnsweredHonestly() {
        var talk = Talk()
        talk.say("fly me to the moon", action: "fly_to_the_moon", "book_rocket")
        #expect(talk.ledger.first?.status == .actionNotFound)
        #expect(talk.ledger.first?.canonicalIntent == "fly_to_the_moon")
        #expect(talk.text.hasPrefix("I can't do that here.\nHere is what I can do for you:"))
        #expect(talk.updates.map(\.kind) == [.actionLookup, .actionNotFound, .intentLogged])
        #expect(talk.updates[0].fields["status"] == "not_found")
        #expect(talk.updates[1].fields["canonical_intent_attempted"] == "fly_to_the_moon")
        #expect(talk.decisions.isEmpty)
    }

    @Test func theUpdatesOfADecisionComeInOrder() {
        var talk = Talk()
        talk.say("lock my card", action: "lock_card")
        #expect(
            talk.updates.map(\.kind) == [.actionLookup, .intentLogged, .checkingEligibility, .eligibilityChecked, .actionQueued])
        #expect(talk.updates[0].fields["match_type"] == "exact")
    }

    @Test func severalActionsRunOneAfterTheOther() {
        var talk = Talk()
        talk.say(
            "book a haircut and list my bookings", action("book_service", "book a haircut on tuesday at 5", 1),
            action("list_bookings", "list my bookings", 2))
        #expect(talk.text.hasPrefix("Book Haircut"))
        #expect(talk.state.pausedTasks.map(\.canonicalAction) == ["list_bookings"])
        talk.press("Yes")
        talk.finish(.done(complete: true), result: ["booking_id": 42])
        #expect(talk.text == "Done: book a service. Booking id: 42.\nNext: list my bookings.")
        #expect(talk.decisions.first?.canonicalAction == "list_bookings")
        talk.finish(.done(complete: true), body: Salon.oneBooking)
        #expect(talk.text.contains("Haircut on Tue"))
        #expect(talk.state.pausedTasks.isEmpty)
    }

    @Test func dependenciesGoFirstThenPriorityThenTheOrderOfTheWords() {
        func definition(_ name: String, after: [String] = [], priority: Priority = .normal) -> ActionDefinition {
            ActionDefinition(
                canonicalName: name, displayName: name, request: RequestTemplate(method: "POST", path: "/"),
                eligibility: EligibilityRule(after: after), priority: priority)
        }
        func planned(_ definition: ActionDefinition, _ sequence: Int) -> PlannedAction {
            PlannedAction(
                intent: action(definition.canonicalName, "", sequence),
                match: ActionLookup.Match(action: definition, type: .exact, candidate: "", similarity: 1),
                intentID: IntentID(UniqueID(high: 0, low: UInt64(sequence))))
        }
        let plan = [
            planned(definition("pay", after: ["sign_up"], priority: .high), 1), planned(definition("chat"), 2),
            planned(definition("sign_up", priority: .low), 3), planned(definition("urgent", priority: .high), 4),
        ]
        #expect(Turn.ordered(plan).map(\.match.action.canonicalName) == ["urgent", "chat", "sign_up", "pay"])
        let circle = [planned(definition("a", after: ["b"]), 1), planned(definition("b", after: ["a"]), 2)]
        #expect(Turn.ordered(circle).map(\.match.action.canonicalName) == ["a", "b"])
    }

    @Test func aFailureBlocksOnlyWhatDependsOnIt() {
        var talk = Talk()
        talk.configuration.actions += [
            ActionDefinition(
                canonicalName: "rate_lock", displayName: "Rate the lock", request: RequestTemplate(method: "POST", path: "/rate"),
                eligibility: EligibilityRule(after: ["lock_card"]))
        ]
        talk.say(
            "lock it, rate it, list bookings", action("lock_card", "lock it", 1), action("rate_lock", "rate it", 2),
            action("list_bookings", "list", 3))
        #expect(talk.decisions.first?.canonicalAction == "lock_card")
        talk.finish(.refused(status: 400, detail: nil))
        #expect(talk.ledger.contains { $0.canonicalIntent == "rate_lock" && $0.reasons == ["after:lock_card"] })
        #expect(talk.text.contains("\"Lock my card\" has to be done first."))
        #expect(talk.decisions.first?.canonicalAction == "list_bookings")
    }

    @Test func oppositesInOneMessageAreAskedAbout() {
        var talk = Talk()
        talk.say("lock and unlock my card", action("lock_card", "lock", 1), action("unlock_card", "unlock my card", 2))
        #expect(talk.decisions.isEmpty)
        #expect(talk.text.hasPrefix("Those two work against each other."))
        #expect(Set(talk.options) == ["Lock my card", "Unlock my card"])
        talk.press("Unlock my card")
        #expect(talk.decisions.map(\.canonicalAction) == ["unlock_card"])
        #expect(talk.state.pausedTasks.isEmpty)
        #expect(talk.ledger.contains { $0.canonicalIntent == "lock_card" && $0.status == .cancelled })
    }

    @Test func stoppingAtTheChoiceOfOppositesDropsBoth() {
        var talk = Talk()
        talk.say("lock and unlock my card", action("lock_card", "lock", 1), action("unlock_card", "unlock my card", 2))
        talk.reply("stop", "stop")
        #expect(talk.state.pausedTasks.isEmpty)
        #expect(!talk.state.expectingResponse)
    }

    @Test func anUnmadeChoiceOfOppositesNeverRunsEither() {
        for other in ["list_bookings", "lock_card"] {
            var talk = Talk()
            talk.say("lock and unlock my card", action("lock_card", "lock", 1), action("unlock_card", "unlock my card", 2))
            talk.say("do that", action: other)
            #expect(talk.decisions.map(\.canonicalAction) == [other])
            #expect(talk.state.pausedTasks.isEmpty)
            talk.finish(.done(complete: true), body: ["bookings": []])
            #expect(talk.decisions.isEmpty)
        }
        var talk = Talk()
        talk.say("lock and unlock my card", action("lock_card", "lock", 1), action("unlock_card", "unlock my card", 2))
        for _ in 0..<3 { talk.mumble("hm") }
        #expect(talk.handovers.count == 1)
        #expect(talk.state.pausedTasks.isEmpty)
    }

    @Test func stopDropsWhatWasOnlyPlanned() {
        var talk = Talk()
        talk.say(
            "book a haircut and list my bookings", action("book_service", "book a haircut on tuesday at 5", 1),
            action("list_bookings", "list my bookings", 2))
        talk.reply("stop", "stop")
        #expect(talk.state.pausedTasks.isEmpty)
    }

    @Test func aReadInTheMiddleOfAFlowComesBackToTheQuestion() {
        var talk = Talk()
        talk.say("book a haircut", action: "book_service")
        talk.say("what did I book?", action: "list_bookings")
        #expect(talk.decisions.first?.canonicalAction == "list_bookings")
        #expect(talk.state.pausedTasks.map(\.canonicalAction) == ["book_service"])
        talk.finish(.done(complete: true), body: ["bookings": []])
        #expect(talk.text == "You have no bookings.\nBack to book a service.\nWhen would you like to come?")
        #expect(talk.state.activeTask?.paramsCollected["service"]?.value == "s1")
    }

    @Test func anotherWritePausesTheFirstAndTheFirstComesBackWhenAskedFor() {
        var talk = Talk()
        talk.say("book a haircut", action: "book_service")
        talk.say("change my profile", action: "update_profile")
        #expect(talk.text == "What is your address?")
        talk.say("back to my booking", action: "book_service")
        #expect(talk.text.hasPrefix("Back to book a service.\nWhen would you like to come?"))
        #expect(talk.state.activeTask?.paramsCollected["service"]?.value == "s1")
        #expect(talk.state.pausedTasks.map(\.canonicalAction) == ["update_profile"])
    }

    @Test func wordsForTheActionUnderWayBelongToIt() {
        var talk = Talk()
        talk.say("book a haircut", action: "book_service")
        let task = talk.state.activeTask?.taskID
        talk.say("book a haircut on tuesday at 5", action: "book_service")
        #expect(talk.state.activeTask?.taskID == task)
        #expect(talk.text.hasPrefix("Book Haircut"))
        #expect(talk.state.pausedTasks.isEmpty)
    }

    @Test func yesWithAnotherWishDoesBoth() {
        var talk = Talk.atConfirmation()
        talk.say(
            "yes, and change my profile",
            DetectedIntent(type: .response, confidence: 1, signal: "yes", text: "yes", sequence: 1, source: .answerSheet),
            action("update_profile", "change my profile", 2))
        #expect(talk.decisions.map(\.canonicalAction) == ["book_service"])
        #expect(talk.text == "What is your address?")
        #expect(talk.state.pausedTasks.map(\.status) == [.executing])
    }
}
