import Brain
import Conversation
import Testing

/// What a told list and a missing predecessor lead to.
@Suite struct ListedTests {
    @Test func aToldListIsWhatTheSecondOneCountsIn() {
        var talk = Talk()
        talk.say("what did I book?", action: "list_bookings")
        let two: JSONValue = ["bookings": [["id": 7, "service": "Massage"], ["service": "Nameless"], ["id": "b9", "service": "Haircut"]]]
        talk.finish(.done(complete: true), body: two)
        #expect(talk.state.shownOptions.map(\.id) == ["7", "b9"])
        talk.say("what did I book?", action: "list_bookings")
        talk.finish(.done(complete: true), body: ["bookings": []])
        #expect(talk.state.shownOptions.map(\.id) == ["7", "b9"])
    }

    private func rating() -> Talk {
        var talk = Talk()
        talk.configuration.actions.append(
            ActionDefinition(
                canonicalName: "rate_visit", displayName: "Rate a visit", request: RequestTemplate(method: "POST", path: "/rate"),
                eligibility: EligibilityRule(schemas: ["profile": ["address"]], after: ["update_profile"]), safety: .idempotent))
        return talk
    }

    @Test func thePredecessorThatMendsWhatIsMissingIsOffered() {
        var talk = rating()
        talk.say("rate", action: "rate_visit")
        #expect(talk.state.activeTask?.canonicalAction == "update_profile")
        #expect(talk.state.pausedTasks.map(\.canonicalAction) == ["rate_visit"])
    }

    @Test func aDeclinedPredecessorBlocksWithBothReasons() {
        var talk = rating()
        talk.say("rate", action: "rate_visit")
        talk.reply("no", "no")
        #expect(talk.ledger.last?.status == .blocked)
        #expect(talk.ledger.last?.reasons == ["schema_dependency_failed:profile.address", "after:update_profile"])
    }

    @Test func anotherPredecessorIsNotMendedByIt() {
        var talk = rating()
        talk.configuration.actions[talk.configuration.actions.count - 1].eligibility.after = ["book_service"]
        talk.say("rate", action: "rate_visit")
        #expect(talk.ledger.last?.reasons == ["schema_dependency_failed:profile.address", "after:book_service"])
    }
}
