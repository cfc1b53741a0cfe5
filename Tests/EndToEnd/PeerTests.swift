import Conversation
import Foundation
import Testing

/// Holds us against implementations that others wrote. A missing interpreter or package is a failure, never a skip.
@Suite(.serialized) struct PeerTests {
    /// pywa takes the sandbox's webhooks for Meta's, and the sandbox takes pywa's texts, buttons, lists and templates: so what the gateway
    /// is tested against is the platform's format.
    @Test func pywaAndTheStandInForThePlatformUnderstandEachOther() async throws {
        try await Rig.with(.init(startsGateway: false)) { rig in
            let ended = try await Python.run(
                "pywa/check_pywa.py", ["--sandbox", rig.sandboxURL], environment: rig.environment, folder: rig.folder)
            #expect(
                ended.code == 0,
                "\(Python.interpreter) with the packages of Tests/EndToEnd/requirements.txt is needed; it said: \(ended.out)\(ended.err)")
            let passed = ended.out.split(separator: "\n").filter { $0.hasPrefix("ok") }
            #expect(passed.count >= 6, "\(ended.out)")
        }
    }

    @Test func theReferenceLibraryVerifiesEveryWrite() async throws {
        try await Rig.with { rig in
            let day = NewYork.text(NewYork.openDays(around: NewYork.clockChanges[0]).after[1], "MMMM d yyyy")
            try await rig.ask("book a facial on \(day) at 11am")
            try await rig.ask("yes")
            try await rig.ask("cancel my booking")
            try await rig.ask("yes")
            let writes = try await rig.arrived("/salon", method: "POST")
            #expect(writes.count == 2)
            try await rig.verifySignatures(of: writes)
        }
    }

    /// The library looks at the time too, so each attempt carries its own, under one id.
    @Test func everyAttemptIsSignedAfreshUnderTheSameId() async throws {
        try await Rig.with(.quick) { rig in
            try await rig.fault(["path": "/salon/bookings", "method": "POST", "status": 503, "times": 2])
            let day = NewYork.text(NewYork.openDays(around: NewYork.clockChanges[0]).after[1], "MMMM d yyyy")
            try await rig.ask("book a facial on \(day) at 11am")
            try await rig.say("yes")
            try await rig.reply(with: "bk-")
            let calls = try await rig.bookingCalls()
            #expect(calls.count == 3)
            #expect(Set(calls.compactMap { $0["headers"]?["webhook-id"]?.string }).count == 1)
            try await rig.verifySignatures(of: calls)
        }
    }
}
