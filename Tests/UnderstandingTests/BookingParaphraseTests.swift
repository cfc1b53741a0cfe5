import Conversation
import Testing

@testable import Understanding

/// From a customer's words to the intent and its slots, over many ways of saying it.
@Suite struct BookingParaphraseTests {
    private static let frames = [
        "book a {s} {d} {t}", "I'd like to book a {s} {d} {t} please", "can I get an appointment for a {s} {d} {t}?",
        "hi, could you reserve a {s} for me {d} {t}",
        "{d} {t} I need a {s} appointment", "please schedule a {s} {d} {t}, thanks", "is there a free slot for a {s} {d} {t}",
        "put me down for a {s} {d} {t}",
        "make an appointment: {s}, {d}, {t}", "Hello! I want to come in for a {s} {d} {t}", "I need an appointment for {s} {d} {t}.",
    ]
    private static let services = [
        ("balayage", "balayage"), ("deep tissue massage", "massage"), ("manicure", "manicure"), ("beard trim", "beard"),
        ("women's haircut", "cut-w"),
        ("cut and colour", "colour"), ("facial", "facial"),
    ]
    private static let days = [
        ("tomorrow", "2026-11-21"), ("next tuesday", "2026-11-24"), ("on wednesday", "2026-11-25"), ("on the 26th", "2026-11-26"),
        ("on Nov 27", "2026-11-27"),
    ]
    private static let hours = [
        ("at 11am", "11:00"), ("at half past two in the afternoon", "14:30"), ("at 15:00", "15:00"), ("at noon", "12:00"),
        ("at quarter past 3 pm", "15:15"),
    ]

    struct Case: Sendable, CustomStringConvertible {
        var text: String
        var service: String
        var moment: String
        var description: String { text }
    }

    /// Every frame with each service; days and hours go round.
    static let cases: [Case] = frames.enumerated().flatMap { row, frame in
        services.enumerated().map { column, service in
            let (day, hour) = (days[(row + column) % days.count], hours[(row * 2 + column) % hours.count])
            let text = frame.replacing("{s}", with: service.0).replacing("{d}", with: day.0).replacing("{t}", with: hour.0)
            return Case(text: text, service: service.1, moment: "\(day.1) \(hour.1)")
        }
    }

    @Test func thereAreManyParaphrases() {
        #expect(Self.cases.count >= 60)
        #expect(Set(Self.cases.map(\.text)).count == Self.cases.count)
    }

    @Test func hardlyAnyOfThemMustBeAsked() throws {
        let classifier = try #require(Salon.shared)
        let sure = Self.cases.count { wish in
            classifier.detect(ClassificationRequest(text: wish.text)).contains { $0.type == .action && $0.confidence >= 0.6 }
        }
        #expect(sure * 100 >= Self.cases.count * 95, "\(sure) of \(Self.cases.count)")
    }

    @Test(arguments: cases)
    func aBookingIsUnderstood(_ wish: Case) throws {
        let classifier = try #require(Salon.shared)
        let intents = classifier.detect(ClassificationRequest(text: wish.text))
        let action = try #require(intents.first { $0.type == .action }, "\(intents)")
        #expect(action.candidates.first == "book_service")
        #expect(action.confidence >= 0.5)
        #expect(intents.count { $0.type == .action } == 1, "\(intents)")
        let found = SlotExtractor().extract(
            SlotRequest(
                text: wish.text, parameters: Salon.params, options: ["service": Salon.services], openingHours: ["start": Ask.hours],
                reference: try #require(Timestamp(friday)), timeZone: "America/New_York"))
        #expect(found["service"]?.value == .string(wish.service), "\(String(describing: found["service"]))")
        #expect(Ask.wall(found["start"]) == wish.moment, "\(String(describing: found["start"]))")
        #expect(found["phone"] == nil)
    }

    @Test func aBookingIsCompletedOverSeveralMessages() throws {
        let steps: [(String, String?)] = [
            ("I need an appointment", nil), ("the massage", "service"), ("tuesday", "start"), ("5", "start"), ("no, make it 4", nil),
            ("415 555 2671", "phone"),
        ]
        var collected: [String: Entity] = [:]
        for (text, asked) in steps {
            let found = SlotExtractor().extract(
                SlotRequest(
                    text: text, parameters: Salon.params, options: ["service": Salon.services], openingHours: ["start": Ask.hours],
                    reference: try #require(Timestamp(friday)), timeZone: "America/New_York", expecting: asked, collected: collected,
                    shown: Salon.services))
            collected.merge(found) { $1 }
        }
        #expect(collected["service"]?.value == "massage")
        #expect(Ask.wall(collected["start"]) == "2026-11-24 16:00")
        #expect(collected["phone"]?.value == "+14155552671")
    }
}
