import Conversation
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
            #expect(told.contains(id))
            let calls = try await rig.arrived("/salon/bookings", method: "POST")
            #expect(calls.count == 1)
            #expect(calls.first?["headers"]?["idempotency-key"]?.string?.isEmpty == false)
            #expect(await rig.stopGateway() == 0)
        }
    }
}
