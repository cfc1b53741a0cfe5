import Conversation
import Foundation
import Testing

/// What happens around a booking: taken times, second thoughts, double taps, words with two meanings, and taking it back.
@Suite(.serialized) struct DialogTests {
    private static let day = NewYork.text(NewYork.openDays(around: NewYork.clockChanges[0]).after[1], "MMMM d yyyy")

    @Test func aTakenTimeIsToldAndAnotherOneBookedUnderANewKey() async throws {
        try await Rig.with { rig in
            try await rig.ask("book a facial on \(Self.day) at 11am", from: "12125550101")
            try await rig.ask("yes", from: "12125550101")
            try await rig.ask("book a facial on \(Self.day) at 11am")
            let refused = try await rig.ask("yes")
            #expect(refused.contains("That time is taken") && refused.contains("When would you like to come?"))
            let again = try await rig.ask("\(Self.day) at 1pm")
            #expect(again.contains("Book Facial on") && again.contains("1:00 PM"))
            let told = try await rig.ask("yes")
            let bookings = try await rig.bookings()
            #expect(bookings.count == 2)
            let id = try #require(bookings.last?["id"]?.string)
            #expect(told.contains(id))
            let calls = try await rig.bookingCalls()
            #expect(calls.map { $0["status"] } == [201, 422, 201])
            #expect(Set(calls.compactMap { $0["headers"]?["idempotency-key"]?.string }).count == 3)
        }
    }

    @Test func aDoubleTapOnYesIsOneBooking() async throws {
        try await Rig.with { rig in
            try await rig.ask("book a haircut on \(Self.day) at 11am")
            let count = try await rig.replies().count
            async let first: Void = rig.tap("Yes")
            async let second: Void = rig.tap("Yes")
            _ = try await (first, second)
            let told = try await rig.reply(with: "bk-", after: count)
            // The second tap has its turn before a message that comes later.
            try await rig.ask("my bookings")
            let bookings = try await rig.bookings()
            #expect(bookings.count == 1)
            #expect(told.contains(try #require(bookings.first?["id"]?.string)))
            let calls = try await rig.bookingCalls()
            #expect(calls.count == 1)
            let tellings = try await rig.texts().filter { $0.contains("You're booked") }
            #expect(tellings.count == 1, "\(tellings)")
        }
    }

    @Test(arguments: ["no, make it 4pm", "4pm instead please", "change it to 4 in the afternoon"])
    func aCorrectionDuringTheQuestionIsWhatGetsBooked(correction: String) async throws {
        try await Rig.with { rig in
            try await rig.ask("book a haircut on \(Self.day) at 3pm")
            let question = try await rig.ask(correction)
            #expect(question.contains("Book Haircut on") && question.contains("4:00 PM"), "\(question)")
            let none = try await rig.bookings()
            #expect(none.isEmpty)
            try await rig.ask("yes")
            let bookings = try await rig.bookings()
            #expect(bookings.count == 1)
            let wanted = NewYork.instant(NewYork.openDays(around: NewYork.clockChanges[0]).after[1], 16, 0)
            #expect(bookings.first?["start"]?.string.flatMap { Timestamp($0) } == wanted)
        }
    }

    @Test func aNoBooksNothing() async throws {
        try await Rig.with { rig in
            try await rig.ask("book a haircut on \(Self.day) at 3pm")
            let answer = try await rig.press(title: "No")
            #expect(answer.contains("Nothing was done"))
            let calls = try await rig.bookingCalls()
            #expect(calls.isEmpty)
        }
    }

    @Test func whatFitsTwoServicesIsAsked() async throws {
        try await Rig.with { rig in
            try await rig.ask("I'd like nails or feet on \(Self.day) at noon")
            let options = try await rig.replies().last?["options"]?.array?.compactMap { $0["title"]?.string } ?? []
            #expect(options == ["Manicure", "Pedicure"])
            let question = try await rig.press(title: "Pedicure")
            #expect(question.contains("Book Pedicure on") && question.contains("12:00 PM"))
            try await rig.ask("yes")
            let bookings = try await rig.bookings()
            #expect(bookings.map { $0["service_id"] } == ["svc-pedicure"])
        }
    }

    @Test func aServiceThatDoesNotExistIsAskedAndNotGuessed() async throws {
        try await Rig.with { rig in
            let answer = try await rig.ask("book a tattoo on \(Self.day) at noon")
            #expect(answer.contains("Which service"), "\(answer)")
            let question = try await rig.ask("a massage then")
            #expect(question.contains("Book Massage on") && question.contains("12:00 PM"), "\(question)")
        }
    }

    @Test func aVoiceMessageIsAnsweredPolitely() async throws {
        try await Rig.with { rig in
            _ = try await rig.sayRaw([
                "instance": "salon-whatsapp", "from": "15550001111",
                "raw": [
                    "type": "audio", "audio": ["id": "3141592", "mime_type": "audio/ogg; codecs=opus", "sha256": "00", "voice": true],
                ],
            ])
            let answer = try await rig.nextReply(after: 0, to: "15550001111", said: "a voice message")
            #expect(answer.contains("can't listen to voice messages"))
        }
    }

    @Test func bookingsAreListedAndTheOnlyOneIsCancelledAfterAsking() async throws {
        try await Rig.with { rig in
            let none = try await rig.ask("my bookings")
            #expect(none.contains("no bookings"))
            try await rig.ask("book a massage on \(Self.day) at 10am")
            try await rig.ask("yes")
            let id = try #require(try await rig.bookings().first?["id"]?.string)
            let listed = try await rig.ask("My bookings")
            #expect(listed.contains("Massage") && listed.contains("10:00 AM") && listed.contains(id))
            let question = try await rig.ask("cancel my booking")
            #expect(question.contains("Cancel Massage on"))
            let told = try await rig.press(title: "Yes")
            #expect(told.contains("cancelled"))
            let after = try await rig.bookings()
            #expect(after.map { $0["status"] } == ["cancelled"])
            let cancels = try await rig.arrived("/salon/bookings/\(id)/cancel", method: "POST")
            #expect(cancels.count == 1)
            #expect(cancels.first?["headers"]?["idempotency-key"]?.string?.isEmpty == false)
            let empty = try await rig.ask("my bookings")
            #expect(empty.contains("no bookings"))
        }
    }

    @Test func ofTwoBookingsTheChosenOneIsCancelled() async throws {
        try await Rig.with { rig in
            for text in ["book a massage on \(Self.day) at 10am", "book a manicure on \(Self.day) at 2pm"] {
                try await rig.ask(text)
                try await rig.ask("yes")
            }
            let question = try await rig.ask("cancel my booking")
            #expect(question.contains("Which booking"), "\(question)")
            let confirm = try await rig.ask("the manicure")
            #expect(confirm.contains("Cancel Manicure on"), "\(confirm)")
            try await rig.ask("yes")
            let bookings = try await rig.bookings()
            #expect(bookings.map { $0["status"] } == ["booked", "cancelled"])
        }
    }
}
