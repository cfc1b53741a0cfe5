import Brain
import Conversation
import Testing

@Suite struct DuplicateTests {
    @Test func theSameCallDoneLatelyAsksForAnother() throws {
        var talk = Talk.executing()
        let first = try #require(talk.lastDecision)
        talk.finish(.done(complete: true), result: ["booking_id": 42])
        talk.recent[first.fingerprint] = Salon.now
        talk.say("book a haircut on tuesday at 5", action: "book_service")
        #expect(
            talk.text.hasPrefix(
                "You already did this a little while ago (book a service: service Haircut, start Tue, Nov 24 at 5:00 PM, "
                    + "phone +15550100200). Another one?"
            ))
        #expect(talk.decisions.isEmpty)
        talk.press("Yes")
        let second = try #require(talk.decisions.first)
        #expect(second.taskID != first.taskID)
        #expect(second.idempotencyKey != first.idempotencyKey)
        #expect(second.fingerprint == first.fingerprint)
    }

    @Test func noOtherOneIsNoOtherOne() throws {
        var talk = Talk.executing()
        talk.recent[try #require(talk.lastDecision).fingerprint] = Salon.now
        talk.finish(.done(complete: true))
        talk.say("book a haircut on tuesday at 5", action: "book_service")
        talk.press("No")
        #expect(talk.decisions.isEmpty)
        #expect(talk.text == "All right, no second one.")
    }

    @Test func theSameCallOnItsWayIsNotMadeAgain() {
        var talk = Talk.executing()
        talk.say("book a haircut on tuesday at 5", action: "book_service")
        #expect(talk.decisions.isEmpty)
        #expect(talk.text.contains("I'm still on it"))
        #expect(!talk.state.expectingResponse)
        talk.finish(.done(complete: true), result: ["booking_id": 42])
        #expect(talk.text.contains("Booking id: 42"))
    }

    @Test func anotherCallOfTheSameActionMayBeMade() {
        var talk = Talk.executing()
        talk.script["and a massage at 6"] = ["service": Salon.massage(), "start": Salon.at(Salon.sixPM)]
        talk.say("and a massage at 6", action: "book_service")
        #expect(talk.text.hasPrefix("Book Massage"))
        talk.press("Yes")
        #expect(talk.decisions.count == 1)
    }

    @Test func anUnsettledCallIsRepeatedOnlyOnAClearYes() {
        var talk = Talk.executing()
        talk.open[0].state = .unknown
        let decision = talk.lastDecision
        if let decision { talk.run(.toolResult(Talk.report(decision, .unknown(reason: "time-out")))) }
        talk.say("book a haircut on tuesday at 5", action: "book_service")
        #expect(talk.text.contains("couldn't confirm yet whether the earlier one went through"))
        #expect(talk.decisions.isEmpty)
    }

    @Test func theSameReadTwiceRunsOnce() {
        var talk = Talk()
        talk.say("my bookings", action: "list_bookings")
        talk.say("my bookings", action: "list_bookings")
        #expect(talk.decisions.isEmpty)
        #expect(talk.text.contains("still on it"))
    }
}
