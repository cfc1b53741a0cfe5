import Brain
import Conversation
import Testing

@Suite struct RepairTests {
    @Test func aTypedTitleIsThatButton() {
        var talk = Talk()
        talk.say("I need an appointment", action: "book_service")
        talk.mumble("  MASSAGE ")
        #expect(talk.state.activeTask?.paramsCollected["service"]?.value == "s2")
        #expect(talk.state.activeTask?.paramsCollected["service"]?.item?["price"] == 80)
    }

    @Test func aTypedSynonymOfYesConfirms() {
        var talk = Talk.atConfirmation()
        talk.mumble("go ahead")
        #expect(talk.decisions.count == 1)
    }

    @Test func yesWithAChangeIsNoYes() {
        var talk = Talk.atConfirmation()
        talk.reply("make it 6pm", "yes")
        #expect(talk.decisions.isEmpty)
        #expect(talk.text.contains("6:00 PM?"))
    }

    @Test func theSameValueAgainIsNoChange() {
        var talk = Talk.atConfirmation()
        talk.reply("tuesday at 5", "yes")
        #expect(talk.decisions.count == 1)
    }

    @Test func noBesideANewValueIsOneCorrection() {
        var talk = Talk.atConfirmation()
        talk.say(
            "no, make it 6pm", DetectedIntent(type: .response, confidence: 1, signal: "no", text: "no", sequence: 1, source: .answerSheet),
            DetectedIntent(type: .unknown, confidence: 0.2, text: "make it 6pm", sequence: 2, source: .classifier))
        #expect(talk.text.contains("6:00 PM?"))
        #expect(talk.state.activeTask?.status == .readyToExecute)
    }

    @Test func aCorrectionMayComeTwice() {
        var talk = Talk.atConfirmation()
        talk.mumble("make it 6pm")
        talk.reply("tuesday at 5", "correct")
        #expect(talk.text.contains("5:00 PM?"))
        talk.press("Yes")
        #expect(talk.decisions.first?.params["start"]?.value == .string(Salon.fivePM))
    }

    @Test func aCorrectionThatCannotBeIsAskedAboutAgain() {
        var talk = Talk.atConfirmation()
        talk.reply("yesterday", "correct")
        #expect(talk.text == "That time has passed already. When would you like to come?")
        #expect(talk.decisions.isEmpty)
    }

    @Test func aTimeMayBeMovedWhileAnotherQuestionIsOpen() {
        var talk = Talk()
        talk.script["tuesday at 5, hm"] = ["start": Salon.at(Salon.fivePM)]
        talk.say("I need an appointment", action: "book_service")
        talk.mumble("tuesday at 5, hm")
        #expect(talk.text.hasPrefix("Which service would you like?"))
        #expect(talk.state.activeTask?.paramsCollected["start"]?.value == .string(Salon.fivePM))
        #expect(talk.state.clarification.total == 0)
    }

    @Test func waitAndRepeatCostNoTry() {
        var talk = Talk()
        talk.say("book a haircut", action: "book_service")
        talk.reply("wait a moment", "wait")
        #expect(talk.text == "Take your time.\nWhen would you like to come?")
        talk.reply("come again?", "repeat")
        #expect(talk.text == "When would you like to come?")
        #expect(talk.state.clarification.total == 0)
    }

    @Test func whatIsRequiredCannotBeSkipped() {
        var talk = Talk()
        talk.say("book a haircut", action: "book_service")
        talk.reply("skip", "skip")
        #expect(talk.text == "I need this to go on.\nWhen would you like to come?")
    }

    @Test func tenTriesInAllAreEnough() {
        var talk = Talk()
        talk.configuration.actions = [
            ActionDefinition(
                canonicalName: "form", displayName: "Fill a form",
                params: (1...5).map { ParameterDefinition(name: "p\($0)", entity: .number, ask: "Number \($0)?") },
                request: RequestTemplate(method: "POST", path: "/form"))
        ]
        for index in 1...5 { talk.script["v\(index)"] = ["p\(index)": Entity(name: "p\(index)", kind: .number, value: 1, raw: "1")] }
        talk.say("form", action: "form")
        for index in 1...4 {
            talk.mumble("x")
            talk.mumble("x")
            #expect(talk.handovers.isEmpty)
            talk.reply("v\(index)", "value")
        }
        talk.mumble("x")
        #expect(talk.handovers.isEmpty)
        talk.mumble("x")
        #expect(talk.handovers.map(\.trigger) == [.complexity])
        #expect(talk.state.activeTask?.paramsCollected.count == 4)
    }

    @Test func afterTheHandoverTheTaskCanBeTakenUpAgain() {
        var talk = Talk()
        talk.say("book a haircut", action: "book_service")
        for _ in 0..<3 { talk.mumble("x") }
        talk.say("tuesday at 5", action: "book_service")
        #expect(talk.text.hasPrefix("Book Haircut"))
    }

    @Test func pressingNoAfterYesIsAStop() {
        var talk = Talk.executing()
        talk.press("No")
        #expect(talk.cancelled == talk.open.map(\.id))
        #expect(talk.decisions.isEmpty)
    }

    @Test func aGoodValueIsNotLostToWordsThatFitNothing() {
        var talk = Talk.atConfirmation()
        talk.script["blah"] = [
            "start": Salon.start(.invalid), "service": Entity(name: "service", kind: .choice, raw: "blah", problem: .invalid),
        ]
        talk.mumble("blah")
        #expect(talk.state.activeTask?.paramsCollected["start"]?.value == .string(Salon.fivePM))
        #expect(talk.state.activeTask?.paramsCollected["service"]?.value == "s1")
    }

    @Test func namesThatTheActionDoesNotHaveAreDropped() {
        var talk = Talk()
        talk.script["book a haircut"]?["is_admin"] = Entity(name: "is_admin", kind: .text, value: "true", raw: "")
        talk.say("book a haircut", action: "book_service")
        #expect(talk.state.activeTask?.paramsCollected.keys.contains("is_admin") == false)
    }

    @Test func aDoubtfulValueIsConfirmedEvenWhereTheActionDoesNotAsk() {
        var talk = Talk()
        talk.script["near main"] = [
            "address": Entity(name: "address", kind: .text, value: "Main Street 1", raw: "near main", needsConfirmation: true)
        ]
        talk.say("change my address", action: "update_profile")
        talk.reply("near main", "value")
        #expect(talk.text.hasPrefix("Update my profile: address Main Street 1. Shall I go ahead?"))
        talk.press("Yes")
        #expect(talk.decisions.count == 1)
    }

    @Test func aPressWhileASecondFlowIsOpenGoesToItsOwnFlow() {
        var talk = Talk()
        talk.say("I need an appointment", action: "book_service")
        let haircut = talk.state.offeredReplies.first { $0.title == "Haircut" }
        talk.say("change my profile", action: "update_profile")
        talk.press(id: haircut?.id ?? "", "Haircut")
        #expect(talk.state.activeTask?.canonicalAction == "book_service")
        #expect(talk.text.hasSuffix("When would you like to come?"))
        #expect(talk.state.pausedTasks.map(\.canonicalAction) == ["update_profile"])
    }

    @Test func narrativesNameTheirInstruction() {
        var talk = Talk()
        talk.say("book a haircut", action: "book_service")
        #expect(talk.replies.first?.narrative.instruction == .askForParams)
        #expect(talk.replies.first?.narrative.must == ["When would you like to come?"])
        #expect(talk.replies.first?.narrative.expectingResponse == true)
        talk.say("lok it", action: "lok_card")
        #expect(talk.replies.first?.narrative.instruction == .clarify)
        talk = Talk.executing()
        if let id = talk.lastDecision?.id { talk.run(.inlineWait(id)) }
        #expect(talk.replies.first?.narrative.instruction == .reportProgress)
        talk.finish(.notDone(reason: "x"))
        #expect(talk.replies.first?.narrative.instruction == .reportError)
    }

    @Test func writesAlwaysHaveABody() {
        var talk = Talk()
        talk.say("lock my card", action: "lock_card")
        #expect(talk.decisions.first?.body == Array("{}".utf8))
        #expect(talk.decisions.first?.priority == .high)
    }

    @Test func aValueThatOnlyTheCustomersRecordsHaveIsMissedHonestly() {
        var talk = Talk()
        talk.configuration.actions = [
            ActionDefinition(
                canonicalName: "newsletter", displayName: "Get the newsletter",
                request: RequestTemplate(method: "POST", path: "/news", body: ["email": "{user.email}"]))
        ]
        talk.say("newsletter", action: "newsletter")
        #expect(talk.decisions.isEmpty)
        #expect(talk.ledger.last?.reasons == ["missing:user.email"])
        #expect(talk.text == "I can't get the newsletter: your email isn't known to us.")
    }

    @Test func afterACallOfOursThePersonalDataIsFetchedAnew() {
        var talk = Talk()
        talk.recent = [[1]: Salon.now]
        talk.cached = ["bookings", "catalog", "profile"]
        talk.say("cancel it", action: "cancel_booking")
        #expect(talk.needs.contains(SchemaNeed(name: "bookings", mayBeCached: false)))
        talk.say("book a haircut", action: "book_service")
        #expect(!talk.needs.contains(SchemaNeed(name: "catalog", mayBeCached: false)))
    }
}
