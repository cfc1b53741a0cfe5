import Brain
import Conversation
import Testing

@Suite struct ProposalTests {
    private static func model(
        _ text: String, _ action: String = "book_service", confidence: Double = 0.95, slots: [String: String]
    ) -> DetectedIntent {
        DetectedIntent(
            type: .action, candidates: [action], confidence: confidence, text: text, source: .model, margin: 0.4, slots: slots)
    }

    private static func correction(_ text: String, slots: [String: String]) -> DetectedIntent {
        DetectedIntent(type: .response, confidence: 0.9, signal: "correct", text: text, source: .model, slots: slots)
    }

    @Test func whatTheModelReadFillsWhatTheWordsDoNotGive() {
        var talk = Talk()
        talk.script["the usual"] = ["service": Salon.haircut()]
        talk.script["tuesday at 5"] = ["start": Salon.at(Salon.fivePM)]
        talk.say("the usual, tuesday at 5 please", Self.model("x", slots: ["service": "the usual", "start": "tuesday at 5"]))
        let collected = talk.state.activeTask?.paramsCollected
        #expect(collected?["service"]?.value == "s1")
        #expect(collected?["start"]?.value == .string(Salon.fivePM))
        #expect(collected?["service"]?.needsConfirmation == false && collected?["start"]?.needsConfirmation == false)
        #expect(talk.options == ["Yes", "No", "Change"])
        #expect(talk.decisions.isEmpty)
    }

    @Test func theCustomersOwnWordsComeFirst() {
        var talk = Talk()
        talk.script["massage"] = ["service": Salon.massage()]
        talk.say("book a haircut", Self.model("book a haircut", slots: ["service": "massage"]))
        #expect(talk.state.activeTask?.paramsCollected["service"]?.value == "s1")
    }

    @Test func aValueThatNobodyWroteIsAskedAbout() {
        var talk = Talk()
        talk.configuration.actions[0].confirm = nil
        talk.script["tuesday at 5"] = ["start": Salon.at(Salon.fivePM)]
        talk.say("book a haircut", Self.model("book a haircut", slots: ["start": "tuesday at 5"]))
        #expect(talk.state.activeTask?.paramsCollected["start"]?.needsConfirmation == true)
        #expect(talk.decisions.isEmpty)
        #expect(talk.options.first == "Yes")
        talk.press("Yes")
        #expect(talk.decisions.count == 1)
    }

    @Test func aValueThatCannotBeReadIsNone() {
        var talk = Talk()
        talk.script["sunday"] = ["start": Salon.start(.closed(day: "sun", hours: []))]
        talk.say(
            "book a haircut",
            Self.model("book a haircut", slots: ["start": "sunday", "phone": "call the moon", "unknown": "x", "user": "someone else"]))
        #expect(talk.state.activeTask?.paramsCollected["start"] == nil)
        let names = talk.state.activeTask.map { Set($0.paramsCollected.keys) } ?? []
        #expect(names.isSubset(of: ["service", "phone"]))
        #expect(talk.state.activeTask?.paramsCollected["phone"]?.source == .default)
    }

    @Test func aCorrectionByTheModelIsReadAndConfirmedAnew() {
        var talk = Talk.atConfirmation()
        talk.script["6 in the evening"] = ["start": Salon.at(Salon.sixPM)]
        talk.say("better when i am off work", Self.correction("better when i am off work", slots: ["start": "6 in the evening"]))
        #expect(talk.state.activeTask?.paramsCollected["start"]?.value == .string(Salon.sixPM))
        #expect(talk.state.activeTask?.paramsCollected["start"]?.needsConfirmation == true)
        #expect(talk.text.contains("6:00 PM"))
        #expect(talk.decisions.isEmpty)
    }

    @Test func aProblemWithTheCustomersWordsIsNotCoveredUp() {
        var talk = Talk()
        talk.script["friday at 5"] = ["start": Salon.at(Salon.fivePM)]
        talk.script["book a haircut yesterday"] = ["service": Salon.haircut(), "start": Salon.start(.past)]
        talk.say("book a haircut yesterday", Self.model("book a haircut yesterday", slots: ["start": "friday at 5"]))
        #expect(talk.state.activeTask?.paramsCollected["start"]?.isKnown != true)
        #expect(talk.text.contains("passed already"))
    }

    @Test func aGuessOfTheModelAtAWriteWithoutAQuestionOfItsOwnIsAsked() {
        var talk = Talk()
        talk.say("it went missing", Self.model("it went missing", "lock_card", confidence: 0.85, slots: [:]))
        #expect(talk.decisions.isEmpty)
        #expect(talk.text.hasPrefix("Did you mean \"Lock my card\"?"))
    }

    @Test func anOptionThatTheModelChoseIsAskedAbout() {
        var talk = Talk()
        talk.configuration.actions[0].confirm = nil
        talk.say("tuesday at 5", Self.model("tuesday at 5", slots: [:]))
        talk.say(
            "the thing for my head",
            DetectedIntent(type: .response, confidence: 0.9, signal: "s1", text: "the thing for my head", source: .model))
        #expect(talk.state.activeTask?.paramsCollected["service"]?.value == "s1")
        #expect(talk.state.activeTask?.paramsCollected["service"]?.needsConfirmation == true)
        #expect(talk.decisions.isEmpty)
    }

    @Test func sourceAndMarginAreInTheLedger() {
        var talk = Talk()
        talk.say("book a haircut", Self.model("book a haircut", slots: [:]))
        #expect(talk.ledger.allSatisfy { $0.source == "model" && $0.margin == 0.4 })
        #expect(!talk.ledger.isEmpty)
    }
}

extension Entity {
    fileprivate var isKnown: Bool { problem == nil && value != nil }
}
