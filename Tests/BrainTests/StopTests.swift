import Brain
import Conversation
import Testing

@Suite struct StopTests {
    private func stop(_ talk: inout Talk, _ text: String = "stop") { talk.reply(text, "stop") }

    @Test func withAQuestionOpenItMeansNo() {
        var talk = Talk.atConfirmation()
        stop(&talk)
        #expect(talk.state.activeTask?.status == .cancelled)
        #expect(!talk.state.expectingResponse)
        #expect(!talk.state.optedOutOfMarketing)
        #expect(talk.text == "All right, I've dropped that. Nothing was sent.")
    }

    @Test func withASlotOpenItMeansNoToo() {
        var talk = Talk()
        talk.say("book a haircut", action: "book_service")
        stop(&talk, "cancel")
        #expect(talk.state.activeTask?.status == .cancelled)
    }

    @Test func whatIsNotSentIsTakenBack() {
        var talk = Talk.executing()
        let id = talk.open.map(\.id)
        stop(&talk)
        #expect(talk.cancelled == id)
        #expect(!talk.text.isEmpty)
        #expect(!talk.state.optedOutOfMarketing)
        talk.finish(.cancelled)
        #expect(talk.text == "It's taken back: book a service was not sent.")
        #expect(talk.state.activeTask?.status == .cancelled)
        #expect(talk.ledger.last?.status == .cancelled)
    }

    @Test func whatWaitsForARetryIsTakenBackOnlyWhenItCannotHaveHappened() {
        for mayHave in [false, true] {
            var talk = Talk.executing()
            talk.open[0].state = .waiting
            talk.open[0].mayHaveTakenEffect = mayHave
            stop(&talk)
            #expect(talk.cancelled.isEmpty == mayHave)
        }
    }

    @Test func aSentWriteIsNotCalledStopped() {
        var talk = Talk.executing()
        talk.open[0].state = .executing
        stop(&talk)
        #expect(talk.cancelled.isEmpty)
        #expect(talk.text == "It is already on its way to Blue Door Salon. I'll tell you what came of it.")
        #expect(talk.state.activeTask?.stopRequested == true)
    }

    @Test func aSentWriteThatWentThroughIsOfferedToBeUndone() throws {
        var talk = Talk.executing()
        talk.open[0].state = .executing
        stop(&talk)
        talk.finish(.done(complete: true), result: ["booking_id": 42])
        #expect(talk.text.contains("gone through before I could stop it"))
        #expect(talk.text.contains("Booking id: 42"))
        #expect(talk.text.contains("Would you like me to undo it (cancel a booking)?"))
        talk.press("Yes")
        let decision = try #require(talk.decisions.first)
        #expect(decision.canonicalAction == "cancel_booking")
        #expect(decision.target == "/bookings/42")
        #expect(decision.method == "DELETE")
        #expect(decision.body == Array(#"{"booking":"42"}"#.utf8))
    }

    @Test func anUndoThatIsNotWantedChangesNothing() {
        var talk = Talk.executing()
        talk.open[0].state = .executing
        stop(&talk)
        talk.finish(.done(complete: true), result: ["booking_id": 42])
        talk.press("No")
        #expect(talk.decisions.isEmpty)
        #expect(talk.text.hasPrefix("All right, it stays as it is."))
    }

    @Test func aReadUnderWayIsAborted() {
        var talk = Talk()
        talk.say("my bookings", action: "list_bookings")
        talk.open[0].state = .executing
        stop(&talk)
        #expect(talk.cancelled == talk.open.map(\.id))
    }

    @Test(arguments: ["STOP", "stop.", "Unsubscribe", "arrêt", "baja", "Stop!"])
    func exactlyTheWordOptsOutOfMarketingAndIsConfirmed(_ word: String) {
        var talk = Talk()
        talk.mumble(word)
        #expect(talk.state.optedOutOfMarketing)
        #expect(talk.text.contains("won't get any more offers"))
    }

    @Test(arguments: ["please stop by at five", "don't stop", "nonstop"])
    func theWordInsideASentenceDoesNotOptOut(_ text: String) {
        var talk = Talk()
        talk.mumble(text)
        #expect(!talk.state.optedOutOfMarketing)
    }

    @Test func cancelWithNothingRunningIsNoOptOut() {
        var talk = Talk()
        stop(&talk, "cancel that")
        #expect(!talk.state.optedOutOfMarketing)
        #expect(talk.text == "There's nothing running that I could stop.")
    }

    @Test func anOptionCalledLikeAStopWordIsAnAnswer() {
        var talk = Talk()
        talk.world["catalog"]?.body = ["services": [["id": "a", "name": "Alto"], ["id": "b", "name": "Bass"]]]
        talk.say("I need an appointment", action: "book_service")
        talk.mumble("alto")
        #expect(talk.state.activeTask?.paramsCollected["service"]?.value == "a")
        #expect(!talk.state.optedOutOfMarketing)
    }

    @Test func startOptsInAgain() {
        var talk = Talk()
        talk.mumble("STOP")
        talk.mumble("start")
        #expect(!talk.state.optedOutOfMarketing)
    }

    @Test func repliesGoOnAfterTheOptOut() {
        var talk = Talk()
        talk.mumble("STOP")
        talk.say("book a haircut", action: "book_service")
        #expect(talk.text == "When would you like to come?")
    }
}
