import Conversation
import Testing

@testable import Understanding

@Suite struct AnswerSheetTests {
    let classifier: EmbeddedClassifier

    init() throws { classifier = try #require(Salon.shared) }

    private func detect(_ text: String, _ sheet: AnswerSheet, active: String? = "book_service") -> [DetectedIntent] {
        classifier.detect(ClassificationRequest(text: text, answerSheet: sheet, expectingResponse: true, activeAction: active))
    }

    @Test(arguments: [
        "yes", "Yes!", "y", "yeah", "yep that's right", "yes please", "sure, go ahead", "ok", "OK 👍", "👍🏽", "✅", "that's correct",
        "sounds good", "perfect, thanks",
        "Yes, book it", "yes thank you", "sí", "oui", "ja", "sim", "correct", "why not", "of course", "yes that works for me", "please do",
        "no problem",
    ])
    func agreementIsYes(text: String) {
        #expect(detect(text, Salon.confirmation).map(\.signal) == ["yes"], "\(detect(text, Salon.confirmation))")
        #expect(detect(text, Salon.confirmation).first?.source == .answerSheet)
    }

    @Test(arguments: [("the manicure", "b2"), ("massage please", "b1"), ("the second one", "b2")])
    func oneTellingWordIsEnoughWhenItWasAsked(text: String, id: String) {
        let sheet = AnswerSheet(
            type: .singleChoice,
            options: ["b1": ["Massage on Wed, Mar 17, 2027 at 10:00 AM"], "b2": ["Manicure on Wed, Mar 17, 2027 at 2:00 PM"]],
            order: ["b1", "b2"], context: "cancel_booking.booking")
        #expect(detect(text, sheet, active: "cancel_booking").map(\.signal) == [id])
        #expect(detect("on Wed", sheet, active: "cancel_booking").compactMap(\.signal).allSatisfy { $0 == "value" })
    }

    @Test(arguments: [
        "no", "No.", "nope", "no thanks", "no thank you", "nah", "not now", "👎", "❌", "non", "nein", "não", "rather not", "don't do it",
        "don't book it", "that's wrong", "No, thanks",
    ])
    func refusalIsNo(text: String) {
        #expect(detect(text, Salon.confirmation).map(\.signal) == ["no"], "\(detect(text, Salon.confirmation))")
    }

    @Test(arguments: [
        "no, make it 6pm", "actually on Friday instead", "yes but at 6pm", "6pm", "can you make it thursday", "no, 5:30",
        "change it to saturday", "not friday, saturday",
        "no I meant the massage", "change it to 4pm", "change to 4pm please", "could you move it to 4 in the afternoon",
    ])
    func aChangeOfMindIsACorrection(text: String) {
        #expect(detect(text, Salon.confirmation).first?.signal == "correct", "\(detect(text, Salon.confirmation))")
    }

    @Test func anAnswerMayComeWithAQuestion() {
        let found = detect("yes, and what does it cost?", Salon.confirmation)
        #expect(found.map(\.type) == [.response, .help])
        #expect(found.first?.signal == "yes")
        #expect(found.map(\.sequence) == [1, 2])
        let other = detect("no, cancel my appointment instead", Salon.confirmation)
        #expect(other.first?.signal != "yes")
        let thanks = detect("yes please. thank you!", Salon.confirmation)
        #expect(thanks.first?.signal == "yes")
    }

    @Test func anotherWishIsNoAnswer() {
        #expect(detect("show my bookings", Salon.confirmation).map { $0.candidates.first } == ["list_bookings"])
        #expect(detect("cancel my booking", Salon.when).first?.candidates.first == "cancel_booking")
        #expect(detect("I want to talk to a human", Salon.when).first?.signal == "human")
        #expect(detect("stop", Salon.when).map(\.signal) == ["stop"])
        #expect(detect("cancel my appointment", Salon.choice).first?.candidates.first == "cancel_booking")
    }

    @Test(arguments: [
        ("Women's haircut", "cut-w"), ("womens haircut please", "cut-w"), ("the second one", "cut-m"), ("2", "cut-m"), ("#2", "cut-m"),
        ("option 3", "colour"),
        ("last", "beard"), ("the last one please", "beard"), ("number four", "massage"), ("balyage", "balayage"),
        ("I'd like the manicure", "manicure"), ("MASSAGE", "massage"),
        ("deep tisue massage", "massage"), ("highlights", "balayage"), ("cut and colour", "colour"), ("cut & color", "colour"),
        ("facial-please", "facial"),
        ("not the facial, the massage", "massage"), ("first", "cut-w"), ("2nd", "cut-m"), ("nails", "manicure"), ("balayage", "balayage"),
        ("six", "facial"),
    ])
    func choicesAreMeantInManyWays(text: String, id: String) {
        #expect(detect(text, Salon.choice).map(\.signal) == [id], "\(detect(text, Salon.choice))")
    }

    @Test(arguments: ["haircut", "a cut", "9", "0", "#20"])
    func whatFitsSeveralOrNoneIsNoOption(text: String) {
        let signals = detect(text, Salon.choice).compactMap(\.signal)
        #expect(signals.allSatisfy { $0 == "value" }, "\(signals)")
    }

    @Test func aChoiceMayComeWithAQuestion() {
        let found = detect("the second one, and what does it cost?", Salon.choice)
        #expect(found.map(\.type) == [.response, .help], "\(found)")
        #expect(found.first?.signal == "cut-m")
    }

    @Test func exactGoesBeforePosition() {
        let sheet = AnswerSheet(
            type: .singleChoice, options: ["a": ["2"], "b": ["1"], "c": ["Last"]], order: ["a", "b", "c"], context: "x")
        #expect(detect("2", sheet).first?.signal == "a")
        #expect(detect("1", sheet).first?.signal == "b")
        #expect(detect("last", sheet).first?.signal == "c")
        #expect(detect("3", sheet).first?.signal == "c")
        let stop = AnswerSheet(
            type: .singleChoice, options: ["keep": ["Keep"], "drop": ["Cancel"]], order: ["keep", "drop"], context: "x")
        #expect(detect("cancel", stop).first?.signal == "drop")
    }

    @Test func aNumberThatMayBeAPlaceOrANameIsAsked() {
        let sheet = AnswerSheet(
            type: .singleChoice, options: ["two": ["2 guests"], "four": ["4 guests"]], order: ["four", "two"], context: "x")
        #expect(detect("2", sheet).first?.signal == "two")
        let crossed = AnswerSheet(
            type: .singleChoice, options: ["one": ["1 guest"], "two": ["2 guests"]], order: ["two", "one"], context: "x")
        #expect(detect("2", crossed).first?.signal == "value")
        #expect(detect("#2", crossed).first?.signal == "one")
    }

    @Test(arguments: [
        ("1 and 3", "a,c"), ("the first two", "a,b"), ("all of them", "a,b,c"), ("Red, blue", "a,c"), ("blue and red please", "a,c"),
        ("2", "b"), ("green", "b"), ("1,2", "a,b"),
    ])
    func severalMayBeChosen(text: String, ids: String) {
        let sheet = AnswerSheet(
            type: .multipleChoice, options: ["a": ["Red"], "b": ["Green"], "c": ["Blue"]], order: ["a", "b", "c"], minSelections: 1,
            maxSelections: 3, context: "x")
        #expect(detect(text, sheet).map(\.signal) == [ids])
    }

    @Test func tooManyOrTooFewAreNoAnswer() {
        let sheet = AnswerSheet(
            type: .multipleChoice, options: ["a": ["Red"], "b": ["Green"], "c": ["Blue"]], order: ["a", "b", "c"], minSelections: 2,
            maxSelections: 2, context: "x")
        #expect(detect("red", sheet).allSatisfy { $0.type != .response })
        #expect(detect("all", sheet).allSatisfy { $0.type != .response })
        #expect(detect("red and blue", sheet).map(\.signal) == ["a,c"])
    }

    @Test(arguments: [
        "tomorrow at 5", "5", "next tuesday", "in two hours", "friday morning", "book it for tomorrow at 5pm", "28/11",
        "how about thursday around 3?",
    ])
    func whatHoldsAMomentAnswersWhen(text: String) {
        #expect(detect(text, Salon.when).first?.signal == "value", "\(detect(text, Salon.when))")
    }

    @Test func otherKindsOfValuesAreSeen() {
        func signal(_ text: String, _ kind: EntityKind) -> String? {
            detect(text, AnswerSheet(type: .entity, entityType: kind, context: "x"), active: nil).first?.signal
        }
        #expect(signal("415 555 2671", .phone) == "value")
        #expect(signal("it's someone@example.com", .email) == "value")
        #expect(signal("four of us", .number) == "value")
        #expect(signal("$20", .money) == "value")
        #expect(signal("https://example.com/cv", .url) == "value")
        #expect(signal("what do you mean", .number) == nil)
        #expect(signal("hello", .datetime) == nil)
    }

    @Test func textsFitBetweenTheirBounds() {
        let note = AnswerSheet(type: .text, minLength: 3, maxLength: 30, context: "note.text", required: false)
        #expect(detect("gate code is 4711", note).first?.signal == "value")
        #expect(detect("ab", note).first?.signal != "value")
        #expect(detect(String(repeating: "long ", count: 20), note).first?.signal != "value")
        #expect(detect("skip", note).first?.signal == "skip")
        let code = AnswerSheet(type: .text, validation: "[A-Z]{3}-[0-9]{3}", context: "code.text")
        #expect(detect("ABC-123", code).first?.signal == "value")
        #expect(detect("abc 123", code).first?.signal != "value")
    }

    @Test func theAnswerIsFoundWithoutAnyClassifier() {
        let matcher = AnswerSheetMatcher()
        #expect(matcher.match("yes", to: Salon.confirmation)?.signal == "yes")
        #expect(matcher.match("", to: Salon.confirmation) == nil)
        #expect(matcher.match("beard", to: Salon.choice)?.signal == "beard")
    }

    @Test func theSameWishAtItsConfirmationIsYes() {
        let sheet = AnswerSheet(type: .confirmation, context: "cancel_booking.confirm")
        #expect(detect("cancel my booking", sheet, active: "cancel_booking").map(\.signal) == ["yes"])
        #expect(detect("don't cancel my booking", sheet, active: "cancel_booking").map(\.signal) == ["no"])
    }
}
