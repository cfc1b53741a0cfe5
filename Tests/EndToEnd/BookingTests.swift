import Conversation
import Foundation
import Testing

@Suite(.serialized) struct BookingTests {
    @Test func aBookingIsAskedConfirmedMadeAndTold() async throws {
        try await Rig.with { rig in
            let question = try await rig.ask("book a haircut on Wednesday at 3pm")
            #expect(question.contains("Haircut") && question.contains("3:00"))
            let told = try await rig.ask("yes")
            let bookings = try await rig.bookings()
            #expect(bookings.count == 1)
            let id = try #require(bookings.first?["id"]?.string)
            #expect(told.contains(id) && told.contains("Haircut"))
            let calls = try await rig.arrived("/salon/bookings", method: "POST")
            #expect(calls.count == 1)
            #expect(calls.first?["headers"]?["idempotency-key"]?.string?.isEmpty == false)
            let code = await rig.stopGateway()
            #expect(code == 0)
        }
    }

    @Test func manyWordingsLandOnTheRightInstantOnBothSidesOfTheClockChanges() async throws {
        var draw = Draw("bookings by phone")
        let wishes = Wish.all(&draw)
        #expect(wishes.count >= 40)
        let offsets = Set(wishes.map { NewYork.zone.secondsFromGMT(for: $0.day) })
        #expect(offsets == [-5 * 3600, -4 * 3600])
        try await Rig.with { rig in
            var told: [String] = []
            var rephrased: [Wish] = []
            for (number, wish) in wishes.enumerated() {
                let sender = "1212555\(1000 + number)"
                let (question, isUnderstood) = try await rig.order(wish, from: sender)
                if !isUnderstood { rephrased.append(wish) }
                #expect(question.contains(Self.clock(wish)), "\(wish) was read as \"\(question)\"")
                told.append(try await rig.ask("yes", from: sender))
            }
            #expect(rephrased.count * 10 <= wishes.count, "had to be said again: \(rephrased)")
            try await expectEach(wishes, told, rig) { "+1212555\(1000 + $0)" }
        }
    }

    @Test func aSenderWithoutANumberIsAskedForOneAndBooksJustTheSame() async throws {
        var draw = Draw("bookings by user id")
        let wishes = Wish.all(&draw)
        try await Rig.with { rig in
            var told: [String] = []
            for (number, wish) in wishes.enumerated() {
                let sender = number == 0 ? "US.13491208655302741918" : "US.\(13_491_208_655_302_000 + number)"
                let line = 2000 + number
                let typed = ["+1 212 555 \(line)", "(212) 555-\(line)", "212-555-\(line)", "1212555\(line)"]
                _ = try await rig.order(wish, from: sender, phone: typed[Int.random(in: typed.indices, using: &draw)])
                let said = try await rig.texts(to: sender)
                #expect(said.contains { $0.contains("Which phone number may we reach you at?") }, "\(wish): \(said)")
                told.append(try await rig.ask("yes", from: sender))
            }
            try await expectEach(wishes, told, rig) { "+1212555\(2000 + $0)" }
        }
    }

    /// What the brand holds, what it was sent, and what the customers were told agree with what was wished.
    private func expectEach(_ wishes: [Wish], _ told: [String], _ rig: Rig, phone: (Int) -> String) async throws {
        let bookings = try await rig.bookings()
        #expect(bookings.count == wishes.count)
        #expect(Set(bookings.compactMap { $0["customer"]?.string }).count == wishes.count)
        for (number, wish) in wishes.enumerated() {
            let theirs = bookings.filter { $0["contact_phone"]?.string == phone(number) }
            #expect(theirs.count == 1, "\(wish)")
            guard let booking = theirs.first, let id = booking["id"]?.string else { continue }
            #expect(booking["service_id"]?.string == wish.service.id, "\(wish)")
            #expect(booking["start"]?.string.flatMap { Timestamp($0) } == wish.instant, "\(wish)")
            #expect(told[number].contains(id), "\(wish) was told \"\(told[number])\"")
        }
        let calls = try await rig.bookingCalls()
        #expect(calls.count == wishes.count)
        let keys = calls.compactMap { $0["headers"]?["idempotency-key"]?.string }
        #expect(Set(keys).count == wishes.count && keys.allSatisfy { !$0.isEmpty && !$0.contains(",") })
        try await rig.verifySignatures(of: calls)
    }

    private static func clock(_ wish: Wish) -> String {
        let hour = (wish.hour.hour + 11) % 12 + 1
        return "\(hour):\(wish.hour.minute < 10 ? "0" : "")\(wish.hour.minute) \(wish.hour.hour < 12 ? "AM" : "PM")"
    }

    /// Meta may deliver late: "tomorrow" counts from when it was written.
    @Test func daysAreCountedFromTheMessagesOwnTimeInTheSalonsZone() async throws {
        let changes = NewYork.clockChanges
        try #require(changes.count == 2)
        try await Rig.with { rig in
            for (number, change) in changes.enumerated() {
                let (before, after) = NewYork.openDays(around: change)
                // Half past eleven on Friday evening there is Saturday already in UTC; the change comes on Sunday.
                let written = NewYork.instant(before[2], 23, 30)
                let cases = [("book a facial tomorrow at 3pm", before[3], 15), ("book a massage on Tuesday at 10am", after[0], 10)]
                for (place, (text, day, hour)) in cases.enumerated() {
                    let sender = "121255530\(number)\(place)"
                    let count = try await rig.replies(to: sender).count
                    try await rig.say(text, from: sender, more: ["timestamp": .integer(written.milliseconds / 1000)])
                    _ = try await rig.nextReply(after: count, to: sender, said: text)
                    try await rig.ask("yes", from: sender)
                    let booking = try await rig.bookings().first { $0["contact_phone"]?.string == "+\(sender)" }
                    #expect(booking?["start"]?.string.flatMap { Timestamp($0) } == NewYork.instant(day, hour, 0), "\(text)")
                }
            }
        }
    }

    @Test func aNeighboursNumberOpensNothingOfTheNeighbours() async throws {
        let neighbour = "12125550190"
        let guest = "US.13491208655302741918"
        let day = NewYork.text(NewYork.openDays(around: NewYork.clockChanges[0]).after[1], "MMMM d yyyy")
        try await Rig.with { rig in
            try await rig.ask("book a facial on \(day) at 11am", from: neighbour)
            try await rig.ask("yes", from: neighbour)
            let theirs = try #require(try await rig.bookings().first?["id"]?.string)
            try await rig.ask("book a pedicure on \(day) at 2pm", from: guest)
            try await rig.ask("+1 212 555 0190", from: guest)
            try await rig.ask("yes", from: guest)
            let bookings = try await rig.bookings()
            #expect(bookings.count == 2)
            #expect(Set(bookings.compactMap { $0["customer"]?.string }).count == 2)
            for text in [
                "my bookings", "show the bookings of +1 212 555 0190", "cancel the facial on \(day)", "no",
                "cancel booking \(theirs)", "no", "cancel the appointment of 212 555 0190", "no", "cancel my booking", "yes",
                "cancel my booking", "yes", "my bookings",
            ] {
                let answer = try await rig.ask(text, from: guest)
                #expect(!answer.contains(theirs) && !answer.contains("Facial on"), "\"\(text)\" was answered \"\(answer)\"")
            }
            let after = try await rig.bookings()
            #expect(after.first { $0["id"]?.string == theirs }?["status"] == "booked")
            #expect(after.first { $0["id"]?.string != theirs }?["status"] == "cancelled")
            let cancels = try await rig.arrived("/salon/bookings/\(theirs)")
            #expect(cancels.isEmpty)
            let own = try await rig.ask("my bookings", from: neighbour)
            #expect(own.contains(theirs))
        }
    }
}
