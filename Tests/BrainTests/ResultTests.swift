import Brain
import Conversation
import Testing

@Suite struct ResultTests {
    @Test func completionIsToldFromTheResult() {
        var talk = Talk.executing()
        talk.finish(.done(complete: true), result: ["booking_id": 42])
        #expect(talk.text == "Done: book a service. Booking id: 42.")
        #expect(talk.state.activeTask?.status == .completed)
        #expect(talk.state.context.userState == .afterAction)
        #expect(talk.ledger.last?.status == .completed)
        #expect(talk.updates.contains { $0.kind == .actionCompleted && $0.fields["result"] == ["booking_id": 42] })
        #expect(talk.replies.first?.narrative.instruction == .reportCompletion)
    }

    @Test func theBrandsOwnWordsTellIt() {
        var talk = Talk.executing()
        talk.configuration.templates["report_completion.book_service"] = "{service} on {start} is yours, number {booking_id}."
        talk.finish(.done(complete: true), result: ["booking_id": 42])
        #expect(talk.text == "Haircut on Tue, Nov 24 at 5:00 PM is yours, number 42.")
    }

    @Test func aMissingFieldIsNeverInvented() {
        var talk = Talk.executing()
        talk.configuration.templates["report_completion.book_service"] = "Booked, number {booking_id}."
        talk.finish(.done(complete: false))
        #expect(talk.text == "Done: book a service. The answer left out some details.")
    }

    @Test func readsRunAtOnceAndTellTheirList() {
        var talk = Talk()
        talk.say("what did I book?", action: "list_bookings")
        #expect(talk.decisions.first?.method == "GET")
        #expect(talk.decisions.first?.body == nil)
        #expect(talk.decisions.first?.target == "/customers/\(Salon.user.id)/bookings")
        talk.finish(.done(complete: true), body: Salon.oneBooking)
        #expect(talk.text == "List my bookings:\n• Haircut on Tue, Nov 24 at 5:00 PM")
    }

    @Test func anEmptyListIsSaid() {
        var talk = Talk()
        talk.say("what did I book?", action: "list_bookings")
        talk.finish(.done(complete: true), body: ["bookings": []])
        #expect(talk.text == "You have no bookings.")
    }

    @Test func aRefusalAsksForTheRefusedParameterUnderANewKey() throws {
        var talk = Talk.executing()
        let first = try #require(talk.lastDecision)
        talk.finish(.refused(status: 422, detail: "That time is taken"))
        #expect(talk.text == "I couldn't book a service: That time is taken.\nWhen would you like to come?")
        #expect(talk.state.activeTask?.paramsCollected["service"]?.value == "s1")
        #expect(talk.ledger.contains { $0.status == .failed && $0.reasons == ["refused:422"] })
        talk.script["6pm"] = ["start": Salon.at(Salon.sixPM)]
        talk.reply("6pm", "value")
        talk.press("Yes")
        let second = try #require(talk.decisions.first)
        #expect(second.taskID != first.taskID)
        #expect(second.intentID == first.intentID)
        #expect(second.idempotencyKey != first.idempotencyKey)
    }

    @Test func aRefusalWithoutAParameterEndsHonestly() {
        var talk = Talk()
        talk.say("lock my card", action: "lock_card")
        talk.finish(.refused(status: 403, detail: nil))
        #expect(talk.text == "I couldn't lock my card: Blue Door Salon didn't accept it.")
        #expect(talk.state.activeTask?.status == .failed)
    }

    @Test func refusalsWithoutEndAreForAPerson() {
        var talk = Talk.executing()
        talk.finish(.refused(status: 422, detail: "taken"))
        for _ in 0..<2 {
            #expect(talk.handovers.isEmpty)
            talk.reply("tuesday at 5", "value")
            talk.press("Yes")
            talk.finish(.refused(status: 422, detail: "taken"))
        }
        #expect(talk.handovers.map(\.trigger) == [.repeatedFailure])
    }

    @Test func notDoneIsSaidAsNotDone() {
        var talk = Talk.executing()
        talk.finish(.notDone(reason: "503 five times"))
        #expect(talk.text.contains("nothing was changed"))
        #expect(talk.handovers.map(\.trigger) == [.systemError])
        #expect(talk.handovers.first?.action == talk.lastDecision?.id)
        #expect(talk.updates.contains { $0.kind == .actionFailed })
    }

    @Test func anUnknownOutcomeIsNeverCalledNotBooked() {
        var talk = Talk.executing()
        talk.finish(.unknown(reason: "time-out"))
        #expect(talk.text.hasPrefix("I could not confirm whether this went through"))
        #expect(talk.text.contains("A colleague will check"))
        #expect(!talk.text.contains("not booked"))
        #expect(!talk.text.contains("nothing was changed"))
        #expect(!talk.text.contains("couldn't book"))
        #expect(talk.handovers.map(\.trigger) == [.systemError])
    }

    @Test func whoSpeaksFirstSpeaksAlone() {
        var talk = Talk.executing()
        guard let id = talk.lastDecision?.id else { return #expect(Bool(false)) }
        talk.run(.inlineWait(id))
        #expect(talk.text == "Checking the calendar…")
        #expect(talk.state.activeTask?.interimSaid == true)
        talk.run(.inlineWait(id))
        #expect(talk.replies.isEmpty)
        guard let decision = talk.lastDecision else { return }
        talk.run(.toolResult(Talk.report(decision, .retrying(attempt: 2, reason: "503"))))
        #expect(talk.replies.isEmpty)
        talk.finish(.done(complete: true), result: ["booking_id": 1])
        #expect(talk.replies.count == 1)
        talk.run(.inlineWait(id))
        #expect(talk.replies.isEmpty)
    }

    @Test func aRetryIsMentionedOnce() {
        var talk = Talk.executing()
        guard let decision = talk.lastDecision else { return #expect(Bool(false)) }
        talk.run(.toolResult(Talk.report(decision, .retrying(attempt: 2, reason: "503"))))
        #expect(talk.text == "It's taking longer than usual. I'm still on it.")
        talk.run(.toolResult(Talk.report(decision, .retrying(attempt: 3, reason: "503"))))
        #expect(talk.replies.isEmpty)
        talk.run(.inlineWait(decision.id))
        #expect(talk.replies.isEmpty)
    }

    @Test func aResultToldTwiceIsToldOnce() {
        var talk = Talk.executing()
        talk.finish(.done(complete: true), result: ["booking_id": 42])
        talk.finish(.done(complete: true), result: ["booking_id": 42])
        #expect(talk.replies.isEmpty)
    }

    @Test func aResultOfAForgottenTaskIsStillTold() {
        var talk = Talk.executing()
        talk.state = ConversationState()
        talk.finish(.done(complete: true), result: ["booking_id": 42])
        #expect(talk.text.contains("42"))
    }

    @Test func aResultInTheMiddleOfAnotherQuestionKeepsThatQuestion() {
        var talk = Talk.executing()
        talk.say("change my profile", action: "update_profile")
        #expect(talk.text == "What is your address?")
        talk.finish(.done(complete: true), result: ["booking_id": 42])
        #expect(talk.text == "Done: book a service. Booking id: 42.\nWhat is your address?")
        #expect(talk.state.activeTask?.canonicalAction == "update_profile")
        #expect(talk.state.pausedTasks.isEmpty)
        talk.reply("my street", "value")
        #expect(talk.decisions.first?.canonicalAction == "update_profile")
    }

    @Test func anActionThatLeftTheConfigurationIsStillTold() {
        var talk = Talk.executing()
        talk.configuration.actions.removeAll { $0.canonicalName == "book_service" }
        talk.finish(.done(complete: true))
        #expect(talk.replies.count == 1)
        #expect(talk.handovers.count == 1)
    }

    @Test func everyOutcomeIsToldExactlyOnceAndOnlySuccessIsCalledDone() {
        let states: [ActionReport.State] = [
            .done(complete: true), .done(complete: false), .refused(status: 422, detail: "no"), .refused(status: 400, detail: nil),
            .notDone(reason: "x"), .unknown(reason: "x"), .cancelled,
        ]
        for state in states {
            for stopped in [false, true] {
                var talk = Talk.executing()
                if stopped {
                    talk.open[0].state = .executing
                    talk.reply("stop", "stop")
                }
                talk.finish(state, result: ["booking_id": 1])
                #expect(talk.replies.count == 1)
                #expect(talk.decisions.isEmpty)
                var isDone = false
                if case .done = state { isDone = true }
                #expect(talk.text.contains("Done:") == isDone)
                #expect(talk.ledger.contains { $0.status == .completed } == isDone)
                #expect(talk.state.pausedTasks.isEmpty)
            }
        }
    }
}
