import Conversation
import Testing
import Text

@testable import Understanding

@Suite struct ClassifierTests {
    let classifier: EmbeddedClassifier

    init() throws { classifier = try #require(Salon.shared) }

    private func detect(_ text: String) -> [DetectedIntent] { classifier.detect(ClassificationRequest(text: text)) }

    @Test func theHistoryNeedNotBeLoadedForIt() { #expect(!classifier.readsHistory) }

    @Test(arguments: [
        ("book a haircut", "book_service"), ("I would like to reserve a massage for saturday", "book_service"),
        ("could you fit me in for a balayage tomorrow?", "book_service"), ("schedule a facial please", "book_service"),
        ("make an appointment", "book_service"), ("i need apointment", "book_service"),
        ("can i get my nails done on tuesday", "book_service"),
        ("cancel my appointment", "cancel_booking"), ("pls cancel the booking on friday", "cancel_booking"),
        ("I can't make it tomorrow", "cancel_booking"),
        ("I have to cancel", "cancel_booking"), ("cancel_booking", "cancel_booking"), ("move my booking to thursday", "reschedule_booking"),
        ("can I reschedule my haircut", "reschedule_booking"), ("push my appointment to next week", "reschedule_booking"),
        ("what bookings do i have?", "list_bookings"), ("show me my appointments", "list_bookings"), ("list my bookings", "list_bookings"),
        ("when's my next appointment", "list_bookings"), ("I got a new phone number", "update_profile"),
        ("please update my email address", "update_profile"),
        ("which services do you have?", "list_services"), ("show services", "list_services"),
    ])
    func actionsAreFoundInOtherWords(text: String, action: String) throws {
        let intent = try #require(detect(text).first { $0.type == .action }, "\(detect(text))")
        #expect(intent.candidates.first == action)
        #expect(intent.confidence >= 0.4)
        #expect(intent.candidates.count <= 3)
        #expect(Set(intent.candidates).count == intent.candidates.count)
    }

    @Test(arguments: [
        ("hi", IntentType.greeting), ("Hello there!", .greeting), ("good morning", .greeting), ("👋", .greeting), ("hola", .greeting),
        ("bye", .goodbye),
        ("see you tomorrow", .goodbye), ("that's all, thanks", .goodbye), ("Thank you so much!!", .gratitude), ("thx", .gratitude),
        ("merci", .gratitude),
        ("thanks for the haircut", .gratitude), ("🙏", .gratitude), ("how are you?", .chitchat), ("are you a robot", .chitchat),
        ("lol", .chitchat),
        ("help", .help), ("what can you do?", .help), ("what are your opening hours?", .help), ("how much is a haircut?", .help),
        ("where are you located", .help), ("do you accept cards?", .help),
    ])
    func therestIsToldApart(text: String, type: IntentType) {
        #expect(detect(text).map(\.type) == [type], "\(detect(text))")
    }

    @Test(arguments: [
        "I want to talk to a human", "agent please", "can I speak with a real person?", "let me talk to someone", "HUMAN",
        "connect me to your manager",
    ])
    func aWishForAPersonIsHelpFromAHuman(text: String) throws {
        let intent = try #require(detect(text).first)
        #expect(intent.type == .help)
        #expect(intent.signal == "human")
        #expect(intent.confidence >= 0.8)
    }

    @Test(arguments: ["stop", "STOP!", "never mind", "forget it", "cancel that", "basta", "arrêt", "abort", "please stop"])
    func stopWordsAreASignal(text: String) {
        #expect(detect(text).map(\.signal) == ["stop"])
        #expect(detect(text).first?.type == .response)
    }

    @Test(arguments: [
        "what is the tallest building in the world", "sing me a song", "qwertz uiop", "my neighbour's dog barks all night", "42",
        "the stock market crashed",
        "😶‍🌫️", "....", "قطة على السطح", "这是什么东西", "xkcd", "how many legs does a spider have",
    ])
    func whatFitsNothingIsNoAction(text: String) {
        for intent in detect(text) {
            #expect(intent.type != .action || intent.confidence < 0.6, "\(intent)")
            #expect(intent.type != .response)
        }
        #expect(!detect(text).isEmpty)
    }

    @Test(arguments: [
        "don't book anything", "do not cancel my booking", "please don't make an appointment", "I don't want to book",
        "never book that again", "I no longer want to reschedule",
    ])
    func aRefusalIsNoAction(text: String) {
        for intent in detect(text) { #expect(intent.type != .action || intent.confidence < 0.6, "\(intent)") }
    }

    @Test func aQuestionAboutFailingIsNoRefusal() {
        #expect(detect("why don't you cancel my booking").first?.signal != "stop")
        #expect(detect("don't forget to book my massage").first?.candidates.first == "book_service")
        #expect(detect("I don't want to book, I want to cancel my appointment").map { $0.candidates.first } == ["cancel_booking"])
    }

    @Test func severalWishesKeepTheirOrder() {
        let two = detect("cancel my booking and book a massage")
        #expect(two.map { $0.candidates.first } == ["cancel_booking", "book_service"])
        #expect(two.map(\.sequence) == [1, 2])
        let thanks = detect("Thanks! Now book me a haircut tomorrow")
        #expect(thanks.map(\.type) == [.gratitude, .action])
        #expect(thanks.last?.candidates.first == "book_service")
        let greeted = detect("hi, can you show me my bookings?")
        #expect(greeted.map(\.type) == [.greeting, .action])
        #expect(greeted.last?.candidates.first == "list_bookings")
        let asked = detect("I'd like to book a facial. What are your opening hours?")
        #expect(asked.map(\.type) == [.action, .help])
    }

    @Test(arguments: [
        "book a cut and colour tomorrow", "book a massage and a facial", "Book me a haircut. Tomorrow at 5pm.",
        "I want a haircut, tomorrow, at 5.30 p.m. please",
        "can you book me in for a haircut please, thanks", "book a wash and go on friday",
    ])
    func oneWishIsNotTornApart(text: String) {
        #expect(detect(text).map { $0.candidates.first } == ["book_service"], "\(detect(text))")
    }

    @Test func aBrandsOwnPatternsAndExamplesCount() throws {
        let pattern = try #require(detect("tell me about my upcoming visits").first)
        #expect(pattern.source == .pattern)
        #expect(pattern.candidates == ["list_bookings"])
        #expect(detect("is everything vegan here").first?.type == .help)
        #expect(detect("anything coming up for me").first?.candidates.first == "list_bookings")
    }

    @Test func aBrokenPatternIsReported() {
        #expect {
            try EmbeddedClassifier(actions: [], intents: [.init(type: .help, patterns: ["(oops"])])
        } throws: { ($0 as? PatternError)?.pattern == "(oops" }
    }

    @Test func examplesForAnUnknownActionInventNothing() throws {
        let classifier = try EmbeddedClassifier(
            actions: Salon.actions,
            intents: [.init(type: .action, action: "launch_rocket", examples: ["launch the rocket now", "start the rocket"])])
        for intent in classifier.detect(ClassificationRequest(text: "launch the rocket now")) {
            #expect(!intent.candidates.contains("launch_rocket"))
        }
    }

    @Test func trainingGivesTheSameModelEachTime() throws {
        let again = try Salon.classifier()
        for text in ["book something", "I might come or cancel", "hm"] {
            #expect(again.detect(ClassificationRequest(text: text)) == detect(text))
        }
    }

    @Test func theIntentNamesItsSource() {
        #expect(detect("make appointment").first?.source == .rule)
        #expect(detect("hello").first?.source == .rule)
        #expect(detect("could someone maybe trim my hair some day").first?.source == .classifier)
    }
}
