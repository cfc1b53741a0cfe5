import Conversation
import Foundation
import JSON
import Testing

/// What customers and operators see while the brand's API is down, hangs, or loses its answers.
@Suite(.serialized) struct RetryTests {
    private static let day = NewYork.text(NewYork.openDays(around: NewYork.clockChanges[0]).after[1], "MMMM d yyyy")
    private static let denials = ["nothing has been booked", "couldn't book", "not booked", "wasn't booked", "no booking was"]

    /// Asks for a booking and confirms it, without waiting for its end.
    private func book(_ rig: Rig) async throws {
        try await rig.ask("book a facial on \(Self.day) at 11am")
        try await rig.say("yes")
    }

    /// All attempts were the same request: one key, one body.
    private func expectOneDecision(_ rig: Rig, attempts: Int) async throws {
        let calls = try await rig.bookingCalls()
        #expect(calls.count == attempts)
        #expect(Set(calls.compactMap { $0["headers"]?["idempotency-key"]?.string }).count == 1)
        #expect(Set(calls.compactMap { $0["body"]?.string }).count == 1)
        let recorded = try rig.ledger().filter { $0["path"] == "/salon/bookings" }
        #expect(recorded.count == attempts && Set(recorded.compactMap { $0["body_sha256"]?.string }).count == 1)
    }

    private func actionLetter(_ rig: Rig) async throws -> String {
        let list = try await rig.get(rig.gatewayURL + "/v1/dead-letters", key: rig.adminKey("salon"))
        #expect(list.status == 200)
        let letter = list.json["dead_letters"]?.array?.first { $0["kind"] == "action" }
        return try #require(letter?["id"]?.string, "\(list.text)")
    }

    @Test func afterFourTimes503TheFifthAttemptBooks() async throws {
        try await Rig.with(.quick) { rig in
            try await rig.fault(["path": "/salon/bookings", "method": "POST", "status": 503, "times": 4])
            try await book(rig)
            let told = try await rig.reply(with: "bk-")
            let bookings = try await rig.bookings()
            #expect(bookings.count == 1)
            #expect(told.contains(try #require(bookings.first?["id"]?.string)))
            try await expectOneDecision(rig, attempts: 5)
            let calls = try await rig.bookingCalls()
            #expect(calls.map { $0["status"] } == [503, 503, 503, 503, 201])
        }
    }

    @Test func downForGoodIsToldKeptAndDrivenAgainOnce() async throws {
        try await Rig.with(.quick) { rig in
            try await rig.fault(["path": "/salon/bookings", "method": "POST", "status": 503])
            try await book(rig)
            try await rig.reply(with: "nothing has been booked")
            let letter = try await actionLetter(rig)
            try await expectFiveAttempts(letter, rig)
            try await rig.clearFaults()
            let count = try await rig.replies().count
            let url = rig.gatewayURL + "/v1/dead-letters/\(letter)/redrive"
            async let first = rig.post(url, key: rig.adminKey("salon"))
            async let second = rig.post(url, key: rig.adminKey("salon"))
            let statuses = try await [first.status, second.status].sorted()
            #expect(statuses == [200, 409])
            let told = try await rig.reply(with: "bk-", after: count)
            let bookings = try await rig.bookings()
            #expect(bookings.count == 1)
            #expect(told.contains(try #require(bookings.first?["id"]?.string)))
            try await expectOneDecision(rig, attempts: 6)
            let late = try await rig.run(["dead-letters", "redrive", letter, "--data", rig.data])
            #expect(late.code == 1 && late.err.contains("redriven"))
            let tellings = try await rig.texts().filter { $0.contains("You're booked") }
            #expect(tellings.count == 1)
        }
    }

    /// Over HTTP with the brand's key, and with the command over the control socket.
    private func expectFiveAttempts(_ letter: String, _ rig: Rig) async throws {
        let shown = try await rig.get(rig.gatewayURL + "/v1/dead-letters/\(letter)", key: rig.adminKey("salon"))
        #expect(shown.status == 200)
        let command = try await rig.run(["dead-letters", "show", letter, "--data", rig.data])
        #expect(command.code == 0, "\(command.err)")
        for answer in [shown.json, try JSONValue(parsing: Array(command.out.utf8))] {
            let attempts = answer["attempts"]?.array ?? []
            #expect(attempts.map { $0["number"] } == [1, 2, 3, 4, 5])
            #expect(attempts.allSatisfy { $0["detail"]?.string?.contains("503") == true })
            #expect(answer["reason"] == "not_done" && answer["state"] == "open" && answer["redrivable"] == true)
        }
        let foreign = try await rig.get(rig.gatewayURL + "/v1/dead-letters/\(letter)", key: rig.adminKey("jobs"))
        #expect(foreign.status == 404)
    }

    @Test func stopWhileTheBrandHangsIsReadAtOnceAndTheEffectOfferedForUndo() async throws {
        try await Rig.with { rig in
            try await rig.fault(["path": "/salon/bookings", "method": "POST", "delay_ms": 10_000, "times": 1])
            try await book(rig)
            try await eventually("the call is under way") {
                try rig.ledger().contains { $0["path"] == "/salon/bookings" }
            }
            let answer = try await rig.ask("stop", within: .seconds(9))
            let none = try await rig.bookings()
            #expect(none.isEmpty, "the answer to stop must not wait for the brand")
            #expect(answer.contains("already on its way"), "\(answer)")
            #expect(!Self.denials.contains { answer.contains($0) } && !answer.lowercased().contains("cancelled"))
            let told = try await rig.reply(with: "It had gone through")
            let id = try #require(try await rig.bookings().first?["id"]?.string)
            #expect(told.contains(id))
            let undone = try await rig.press(title: "Yes")
            #expect(undone.contains("cancelled"), "\(undone)")
            let bookings = try await rig.bookings()
            #expect(bookings.map { $0["status"] } == ["cancelled"])
            try await expectOneDecision(rig, attempts: 1)
        }
    }

    @Test func stopBetweenAttemptsTakesBackWhatWasNotDone() async throws {
        let slow = Rig.Options(edits: [
            (file: "brands/salon/actions.yaml", from: "backoff_s: [2, 4, 8, 16]", to: "backoff_s: [60, 60, 60, 60]")
        ])
        try await Rig.with(slow) { rig in
            try await rig.fault(["path": "/salon/bookings", "method": "POST", "status": 503, "times": 1])
            try await book(rig)
            try await eventually("the first attempt has failed") { try await rig.bookingCalls().contains { $0["status"] == 503 } }
            let answer = try await rig.ask("stop")
            #expect(!answer.contains("on its way"), "\(answer)")
            let bookings = try await rig.bookings()
            #expect(bookings.isEmpty)
            try await rig.ask("my bookings")
            let calls = try await rig.bookingCalls()
            #expect(calls.count == 1)
        }
    }

    @Test func aLostAnswerIsAskedForAgainWithTheSameKey() async throws {
        try await Rig.with(.quick) { rig in
            try await rig.fault(["path": "/salon/bookings", "method": "POST", "drop": "after", "times": 2])
            try await book(rig)
            let told = try await rig.reply(with: "bk-")
            let bookings = try await rig.bookings()
            #expect(bookings.count == 1)
            #expect(told.contains(try #require(bookings.first?["id"]?.string)))
            try await expectOneDecision(rig, attempts: 3)
        }
    }

    /// "Not booked" could be a lie: the first attempt did book.
    @Test(arguments: [422, 404, 429]) func aRefusalAfterALostAnswerIsNeverToldAsNotBooked(status: Int) async throws {
        try await Rig.with(.quick) { rig in
            try await rig.fault(["path": "/salon/bookings", "method": "POST", "drop": "after", "times": 1])
            var refusal: [String: JSONValue] = [
                "path": "/salon/bookings", "method": "POST", "status": .integer(Int64(status)),
                "body": ["error": "slot_taken", "message": "That time is taken."],
            ]
            // "Later" is tried until the attempts are used up, "no" ends it at once.
            if status != 429 { refusal["times"] = 1 }
            try await rig.fault(refusal)
            try await book(rig)
            try await rig.reply(with: "could not confirm")
            let texts = try await rig.texts()
            #expect(!texts.contains { text in (Self.denials + ["That time is taken"]).contains { text.contains($0) } }, "\(texts)")
            let letter = try await actionLetter(rig)
            let shown = try await rig.get(rig.gatewayURL + "/v1/dead-letters/\(letter)", key: rig.adminKey("salon"))
            #expect(shown.json["reason"] == "unknown")
            // A person drives it again: same key, so the brand repeats its first answer, and the customer hears how it ended.
            try await rig.clearFaults()
            let count = try await rig.replies().count
            let redriven = try await rig.post(rig.gatewayURL + "/v1/dead-letters/\(letter)/redrive", key: rig.adminKey("salon"))
            #expect(redriven.status == 200)
            try await rig.reply(with: "bk-", after: count)
            let bookings = try await rig.bookings()
            #expect(bookings.count == 1)
            let keys = try await rig.bookingCalls().compactMap { $0["headers"]?["idempotency-key"]?.string }
            #expect(Set(keys).count == 1)
        }
    }

    /// Nobody knows whether it was booked, and a second booking cannot be ruled out.
    @Test func anUnsafeActionOfUnknownEndIsNeitherRepeatedNorDrivenAgain() async throws {
        let unsafe = Rig.Options(edits: [
            (
                file: "brands/salon/actions.yaml", from: "opposites: [cancel_booking] }\n    safety: idempotent",
                to: "opposites: [cancel_booking] }\n    safety: unsafe"
            )
        ])
        try await Rig.with(unsafe) { rig in
            try await rig.fault(["path": "/salon/bookings", "method": "POST", "drop": "after", "times": 1])
            try await book(rig)
            try await rig.reply(with: "could not confirm")
            let letter = try await actionLetter(rig)
            let shown = try await rig.get(rig.gatewayURL + "/v1/dead-letters/\(letter)", key: rig.adminKey("salon"))
            #expect(shown.json["reason"] == "unknown" && shown.json["redrivable"] == false)
            let refused = try await rig.post(rig.gatewayURL + "/v1/dead-letters/\(letter)/redrive", key: rig.adminKey("salon"))
            rig.expectProblem(refused, 409, "a redrive of what must not be repeated")
            #expect(refused.text.contains("unsafe"), "\(refused.text)")
            let command = try await rig.run(["dead-letters", "redrive", letter, "--data", rig.data])
            #expect(command.code == 1 && command.err.contains("unsafe"), "\(command)")
            let letters = try await rig.deadLetters("salon").filter { $0["kind"] == "action" }
            #expect(letters.count == 1 && letters.first?["state"] == "open")
            try await expectOneDecision(rig, attempts: 1)
            let metrics = try await rig.get(rig.gatewayURL + "/metrics", key: rig.operatorKey)
            #expect(metrics.text.contains("switchboard_dead_letters_total{brand=\"salon\",kind=\"action\"} 1.0"))
        }
    }

    @Test func aBrandThatIsGoneForGoodIsNotToldAsNotBooked() async throws {
        try await Rig.with(.quick) { rig in
            try await rig.fault(["path": "/salon/bookings", "method": "POST", "drop": "before"])
            try await book(rig)
            try await rig.reply(with: "could not confirm")
            let texts = try await rig.texts()
            #expect(!texts.contains { text in Self.denials.contains { text.contains($0) } }, "\(texts)")
            try await expectOneDecision(rig, attempts: 5)
        }
    }
}
