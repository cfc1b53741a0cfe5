import Brain
import Conversation
import Testing

@Suite struct EligibilityTests {
    @Test func allReasonsAreListedAsCodes() {
        var talk = Talk()
        talk.user.tier = "guest"
        talk.user.isVerified = false
        talk.world = Talk.world(balance: 3)
        talk.open = [
            OpenAction(
                id: ActionID(UniqueID(high: 9, low: 9)), taskID: UniqueID(high: 9, low: 8), canonicalAction: "lock_card", state: .executing,
                mayHaveTakenEffect: true)
        ]
        talk.say("open the lounge", action: "vip_lounge")
        let expected = [
            "tier:premium", "auth", "schema_dependency_failed:profile.address", "blocker:outstanding_balance", "after:book_service",
            "opposite:lock_card",
        ]
        #expect(talk.ledger.last?.reasons == expected)
        #expect(talk.ledger.last?.status == .blocked)
        #expect(
            talk.updates.contains { $0.kind == .actionBlocked && $0.fields["reasons"] == .array(expected.map(JSONValue.string)) })
        #expect(
            talk.updates.contains { $0.kind == .eligibilityChecked && $0.fields["eligible"] == false })
        #expect(talk.replies.first?.narrative.instruction == .handleBlocker)
        #expect(talk.text.contains("There is an open balance of $3."))
        #expect(talk.decisions.isEmpty)
    }

    @Test func anUnknownTierReachesNothing() {
        var talk = Talk()
        talk.user.tier = "emperor"
        talk.say("book a haircut", action: "book_service")
        #expect(talk.ledger.last?.reasons == ["tier:guest"])
    }

    @Test func anAbsentSchemaHoldsNoBlocker() {
        var talk = Talk()
        talk.world["profile"] = SchemaState(name: "profile", source: .absent, fetchedAt: Salon.now)
        talk.say("book a haircut on tuesday at 5", action: "book_service")
        #expect(talk.text.hasPrefix("Book Haircut"))
    }

    @Test func aSchemaThatCannotBeHadBlocksAWrite() {
        var talk = Talk()
        talk.world["profile"] = nil
        talk.say("book a haircut", action: "book_service")
        #expect(talk.ledger.last?.reasons == ["schema_unavailable:profile"])
        #expect(talk.text.contains("can't reach our system"))
    }

    @Test func optionsThatCannotBeHadBlockToo() {
        var talk = Talk()
        talk.world["catalog"] = nil
        talk.say("I need an appointment", action: "book_service")
        #expect(talk.ledger.last?.reasons == ["schema_unavailable:catalog"])
    }

    @Test func staleDataIsLabelled() {
        var talk = Talk()
        talk.world["catalog"]?.source = .stale
        talk.world["catalog"]?.fetchedAt = Salon.now
        talk.say("I need an appointment", action: "book_service")
        #expect(talk.text.hasPrefix("Which service would you like? (as of 10:42 AM)"))
    }

    @Test func aStaleBlockerIsLabelled() {
        var talk = Talk()
        talk.world = Talk.world(balance: 9)
        talk.world["profile"]?.source = .stale
        talk.say("book a haircut", action: "book_service")
        #expect(talk.text == "There is an open balance of $9. (as of 10:42 AM)")
    }

    @Test func whatAnActionCanMendIsAskedForInsteadOfRefused() {
        var talk = Talk()
        talk.say("come to my home", action: "home_visit")
        #expect(talk.text == "Before I can order a home visit, something is missing.\nWhat is your address?")
        #expect(talk.state.activeTask?.canonicalAction == "update_profile")
        #expect(talk.state.pausedTasks.map(\.canonicalAction) == ["home_visit"])
        talk.reply("my street", "value")
        #expect(talk.decisions.first?.canonicalAction == "update_profile")
        talk.world["profile"]?.body = ["phone": "+15550100200", "address": ["street": "Main Street 1", "city": "Springfield"]]
        talk.finish(.done(complete: true))
        #expect(talk.text.hasPrefix("Done: update my profile.\nNext: order a home visit."))
        #expect(talk.decisions.first?.canonicalAction == "home_visit")
        #expect(talk.needs.contains(SchemaNeed(name: "profile", mayBeCached: false)))
    }

    @Test func aRemedyThatMendsNothingIsNotOfferedForEver() {
        var talk = Talk()
        talk.say("come to my home", action: "home_visit")
        talk.reply("my street", "value")
        talk.finish(.done(complete: true))
        #expect(talk.decisions.isEmpty)
        #expect(talk.ledger.last?.reasons == ["schema_dependency_failed:profile.address"])
        #expect(!talk.state.expectingResponse)
    }

    @Test func aDeclinedRemedyEndsBoth() {
        var talk = Talk()
        talk.say("come to my home", action: "home_visit")
        talk.reply("no", "no")
        #expect(talk.decisions.isEmpty)
        #expect(talk.state.pausedTasks.isEmpty)
    }

    @Test func aCompletedPredecessorOpensTheWay() {
        var talk = Talk()
        talk.configuration.actions = [
            ActionDefinition(
                canonicalName: "rate_visit", displayName: "Rate a visit", request: RequestTemplate(method: "POST", path: "/rate"),
                eligibility: EligibilityRule(after: ["book_service"]))
        ]
        talk.say("rate", action: "rate_visit")
        #expect(talk.ledger.last?.reasons == ["after:book_service"])
        talk.completed = ["book_service"]
        talk.say("rate", action: "rate_visit")
        #expect(talk.decisions.count == 1)
    }

    @Test func nothingToChooseFromIsSaidAndEnds() {
        var talk = Talk()
        talk.world = Talk.world(bookings: ["bookings": []])
        talk.say("cancel it", action: "cancel_booking")
        #expect(talk.text == "I can't find anything for that right now (cancel a booking), so there is nothing to choose from.")
        #expect(!talk.state.expectingResponse)
        #expect(talk.state.activeTask?.status == .cancelled)
    }

    @Test func theOnlyOptionIsStillConfirmed() {
        var talk = Talk()
        talk.say("cancel it", action: "cancel_booking")
        #expect(talk.text.hasPrefix("Cancel Haircut on Tue, Nov 24 at 5:00 PM?"))
        #expect(talk.decisions.isEmpty)
        talk.press("Yes")
        #expect(talk.decisions.first?.target == "/bookings/42")
    }

    @Test func moreThanTenOptionsAreNumberedLines() {
        var talk = Talk()
        talk.world["bookings"]?.body = [
            "bookings": .array(
                (1...12).map { ["id": .integer(Int64($0)), "service": .string("Service \($0)"), "start": "2026-11-24T22:00:00.000Z"] })
        ]
        talk.say("cancel it", action: "cancel_booking")
        #expect(talk.options.isEmpty)
        #expect(talk.text.contains("\n12. Service 12 on Tue"))
        #expect(talk.state.answerSheet?.order.count == 12)
        talk.reply("the third", "3")
        #expect(talk.text.hasPrefix("Cancel Service 3"))
    }

    @Test(arguments: [
        (JSONValue("+15550100200"), CompletionStatus.complete), ("12", .incomplete), ("", .none), (.null, .none),
    ])
    func completionByPattern(_ value: JSONValue, _ expected: CompletionStatus) {
        let key = SchemaKey(name: "phone", path: "/phone", completion: .matches("+…"))
        let state = SchemaState(name: "p", source: .cached, body: ["phone": value], fetchedAt: Salon.now)
        #expect(SchemaCompletion.status(of: key, in: state, matches: { $1.hasPrefix($0.prefix(1)) }) == expected)
    }

    @Test func completionOfSeveralParts() throws {
        let schema = try #require(Salon.configuration.schema(named: "profile"))
        func status(_ body: JSONValue, _ source: SchemaState.Source = .fetched) -> (
            schema: CompletionStatus, keys: [String: CompletionStatus]
        ) {
            SchemaCompletion.status(
                of: schema, in: SchemaState(name: "profile", source: source, body: body, fetchedAt: Salon.now), matches: { _, _ in true })
        }
        #expect(status(["address": ["street": "a"]]).keys["address"] == .incomplete)
        #expect(status(["address": ["street": "a", "city": "b"]]).keys["address"] == .complete)
        #expect(status(["address": [:]]).keys["address"] == CompletionStatus.none)
        #expect(status(["phone": "+1", "balance": 0, "address": ["street": "a", "city": "b"]]).schema == .complete)
        #expect(status(["phone": "+1"]).schema == .incomplete)
        #expect(status(["phone": "+1"], .absent).schema == CompletionStatus.none)
        #expect(status(["phone": "+1"], .unavailable).keys["phone"] == CompletionStatus.none)
    }
}
