import Brain
import Conversation
import Testing

@Suite struct BookingTests {
    @Test func aCompleteWishIsConfirmedBeforeAnythingIsDecided() {
        let talk = Talk.atConfirmation()
        #expect(talk.text.hasPrefix("Book Haircut for $45 on Tue, Nov 24 at 5:00 PM?"))
        #expect(talk.options == ["Yes", "No", "Change"])
        #expect(talk.decisions.isEmpty)
        #expect(talk.state.expectingResponse)
        #expect(talk.state.context.pendingConfirmation)
        #expect(talk.state.context.userState == .acting)
        #expect(talk.replies.first?.narrative.instruction == .confirm)
        #expect(talk.replies.first?.inReplyTo == "wamid.1")
    }

    @Test func yesDecidesTheVeryBytesAndStartsTheInlineWait() throws {
        let talk = Talk.executing()
        let decision = try #require(talk.decisions.first)
        #expect(talk.decisions.count == 1)
        #expect(decision.method == "POST")
        #expect(decision.target == "/bookings")
        let body = String(decoding: try #require(decision.body), as: UTF8.self)
        #expect(
            body
                == #"{"contact_phone":"+15550100200","customer":"\#(Salon.user.id)","service_id":"s1","start":"2026-11-24T22:00:00.000Z"}"#)
        let key = String(decoding: decision.idempotencyKey, as: UTF8.self)
        #expect(key.contains(#"{"phone":"+15550100200","service":"s1","start":"2026-11-24T22:00:00.000Z"}"#))
        #expect(key.hasSuffix("|\(decision.taskID)"))
        #expect(!String(decoding: decision.fingerprint, as: UTF8.self).contains(decision.taskID.description))
        #expect(talk.replies.isEmpty)
        #expect(talk.state.activeTask?.status == .executing)
        #expect(talk.state.activeTask?.actionID == decision.id)
        #expect(talk.state.context.userState == .waiting)
        let timers = talk.effects.compactMap { effect -> Timer? in
            guard case .timer(let timer) = effect else { return nil }
            return timer
        }
        #expect(timers.map(\.action) == [decision.id])
        #expect(timers.first?.after == .seconds(5))
        #expect(talk.updates.contains { $0.kind == .actionQueued && $0.fields["queue_id"] == .string(decision.id.description) })
    }

    @Test func eligibilityIsCheckedOnceMoreRightBeforeTheWrite() {
        let talk = Talk.executing()
        #expect(talk.needs.contains(SchemaNeed(name: "profile", mayBeCached: false)))
        #expect(!talk.needs.contains(SchemaNeed(name: "catalog", mayBeCached: false)))
    }

    @Test func aFlipBetweenConfirmationAndCommitIsTold() {
        var talk = Talk.atConfirmation()
        talk.world = Talk.world(balance: 25.5)
        talk.press("Yes")
        #expect(talk.decisions.isEmpty)
        #expect(talk.text.contains("Something has changed"))
        #expect(talk.text.contains("There is an open balance of $25.50."))
        #expect(talk.ledger.last?.reasons == ["blocker:outstanding_balance"])
    }

    @Test func anAnswerFetchedInThisTurnIsNotFetchedAgain() {
        var talk = Talk()
        talk.say("lock my card", action: "lock_card")
        #expect(talk.decisions.count == 1)
        #expect(talk.needs.isEmpty)
    }

    @Test func aDoubleTapOnConfirmIsOneBooking() {
        var talk = Talk.executing()
        talk.press("Yes")
        #expect(talk.decisions.isEmpty)
        #expect(talk.text.contains("I'm still on it"))
        talk.finish(.done(complete: true), result: ["booking_id": 42])
        #expect(talk.text == "Done: book a service. Booking id: 42.")
        talk.press("Yes")
        #expect(talk.decisions.isEmpty)
        #expect(talk.text.contains("done already"))
    }

    @Test func aTypedYesWhileItRunsStartsNothing() {
        var talk = Talk.executing()
        talk.reply("yes", "yes")
        #expect(talk.decisions.isEmpty)
        #expect(talk.text.contains("I'm still on it"))
    }

    @Test func noCancelsPolitely() {
        var talk = Talk.atConfirmation()
        talk.press("No")
        #expect(talk.text == "All right, I won't. Nothing was done.")
        #expect(talk.state.activeTask?.status == .cancelled)
        #expect(!talk.state.expectingResponse)
        #expect(talk.ledger.last?.status == .cancelled)
    }

    @Test func aCorrectionInsideANoIsConfirmedAgain() {
        var talk = Talk.atConfirmation()
        talk.reply("no, make it 6pm", "no")
        #expect(talk.text.contains("Book Haircut for $45 on Tue, Nov 24 at 6:00 PM?"))
        #expect(talk.decisions.isEmpty)
        talk.press("Yes")
        #expect(talk.decisions.first?.params["start"]?.value == .string(Salon.sixPM))
    }

    @Test func aCorrectionWithoutYesOrNoIsUnderstoodToo() {
        var talk = Talk.atConfirmation()
        talk.mumble("make it 6pm")
        #expect(talk.text.contains("6:00 PM?"))
    }

    @Test func changeAsksWhatAndTakesIt() {
        var talk = Talk.atConfirmation()
        talk.press("Change")
        #expect(talk.text == "What should I change?")
        talk.mumble("make it 6pm")
        #expect(talk.text.contains("6:00 PM?"))
    }

    @Test func parametersAreAskedOneAtATimeWithButtons() {
        var talk = Talk()
        talk.say("I need an appointment", action: "book_service")
        #expect(talk.text.hasPrefix("Which service would you like?"))
        #expect(talk.options == ["Haircut", "Massage"])
        #expect(talk.state.answerSheet?.context == "book_service.service")
        #expect(talk.state.activeTask?.paramsMissing == ["service", "start"])
        #expect(talk.state.activeTask?.status == .collectingParams)
        #expect(talk.state.shownOptions.map(\.id) == ["s1", "s2"])
        #expect(talk.updates.contains { $0.kind == .collectingParams && $0.fields["params_missing"] == ["service", "start"] })
        talk.press("Massage")
        #expect(talk.text == "When would you like to come?")
        talk.reply("tuesday at 5", "value")
        #expect(talk.text.hasPrefix("Book Massage for $80"))
    }

    @Test func buttonIdsAreOpaqueAndNeverRepeated() {
        var talk = Talk()
        talk.say("I need an appointment", action: "book_service")
        talk.say("what is the price of a moon", DetectedIntent(type: .help, confidence: 0.9, text: "price of a moon", source: .pattern))
        let ids = talk.state.offeredReplies.map(\.id)
        #expect(Set(ids).count == ids.count)
        #expect(ids.count == 4)
        #expect(ids.allSatisfy { !$0.contains("s1") && !$0.contains("book") })
    }

    @Test func offeredRepliesAreCappedAtFifty() {
        var talk = Talk()
        talk.say("I need an appointment", action: "book_service")
        for _ in 0..<40 { talk.reply("again?", "repeat") }
        #expect(talk.state.offeredReplies.count == 50)
    }

    @Test func theWordsOfAProblemFitTheProblem() {
        var talk = Talk()
        talk.say("book a haircut", action: "book_service")
        talk.reply("yesterday", "value")
        #expect(talk.text == "That time has passed already. When would you like to come?")
        talk.reply("tuesday at 8pm", "value")
        #expect(talk.text == "We're closed then. On Tuesday we're open 9:00 AM–6:00 PM. When would you like to come?")
        #expect(talk.state.activeTask?.paramsCollected["service"]?.value == "s1")
    }

    @Test func aClosedDayIsNamed() {
        var talk = Talk()
        talk.say("book a haircut", action: "book_service")
        talk.reply("sunday", "value")
        #expect(talk.text == "We're closed on Sunday. When would you like to come?")
    }

    @Test func halfADateIsKeptAndOnlyTheOtherHalfAsked() {
        var talk = Talk()
        talk.say("book a haircut", action: "book_service")
        talk.reply("on tuesday", "value")
        #expect(talk.text == "At what time on Tue, Nov 24?")
        #expect(talk.state.activeTask?.paramsCollected["start"]?.partial == ["date": "2026-11-24"])
        talk.mumble("hmm")
        #expect(talk.state.activeTask?.paramsCollected["start"]?.partial == ["date": "2026-11-24"])
    }

    @Test func anAmbiguousTimeIsOfferedAsAChoice() {
        var talk = Talk()
        let readings = [
            ChoiceOption(id: Salon.fivePM, label: "Tue 5 PM"), ChoiceOption(id: Salon.sixPM, label: "Tue 6 PM"),
        ]
        talk.script["around five or six"] = ["start": Salon.start(.ambiguous(readings))]
        talk.say("book a haircut", action: "book_service")
        talk.reply("around five or six", "value")
        #expect(talk.text.hasPrefix("Which one do you mean?"))
        #expect(talk.replies.first?.narrative.instruction == .choose)
        talk.press("Tue 6 PM")
        #expect(talk.text.contains("6:00 PM?"))
    }

    @Test func threeFruitlessTriesEndWithAPersonAndLoseNothing() {
        var talk = Talk()
        talk.say("book a haircut", action: "book_service")
        talk.mumble("bla")
        #expect(talk.text == "I couldn't read that. When would you like to come?")
        talk.mumble("blub")
        #expect(talk.handovers.isEmpty)
        talk.mumble("blib")
        #expect(talk.handovers.map(\.trigger) == [.repeatedFailure])
        #expect(talk.text.contains("passing this on"))
        #expect(talk.state.clarification.state == .maxRetriesExceeded)
        #expect(talk.state.activeTask?.paramsCollected["service"]?.value == "s1")
        #expect(!talk.state.expectingResponse)
    }

    @Test func aGuestWithoutAPhoneIsAskedForOne() {
        var talk = Talk()
        talk.user.identifiers = []
        talk.world["profile"] = SchemaState(name: "profile", source: .absent, fetchedAt: Salon.now)
        talk.say("book a haircut on tuesday at 5", action: "book_service")
        #expect(talk.text == "Which phone number may we reach you at?")
    }

    @Test func aTypedPhoneNeverBecomesTheCustomer() throws {
        var talk = Talk()
        talk.script["+1 555 999"] = ["phone": Entity(name: "phone", kind: .phone, value: "+1555999", raw: "+1 555 999")]
        talk.user.identifiers = []
        talk.world["profile"] = SchemaState(name: "profile", source: .absent, fetchedAt: Salon.now)
        talk.say("book a haircut on tuesday at 5", action: "book_service")
        talk.reply("+1 555 999", "value")
        talk.press("Yes")
        let body = String(decoding: try #require(talk.decisions.first?.body), as: UTF8.self)
        #expect(body.contains(#""customer":"\#(talk.user.id)""#))
        #expect(body.contains(#""contact_phone":"+1555999""#))
    }
}
