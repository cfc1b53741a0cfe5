import Foundation
import Testing

/// The command `converse`: the conversations that ship with the demo brands, and what it says about those that are wrong.
@Suite(.serialized) struct ConverseTests {
    private static let files: [String] = {
        let brands = Rig.repository + "/config/brands"
        let found = FileManager.default.enumerator(atPath: brands)?.compactMap { $0 as? String } ?? []
        return found.filter { $0.contains("/conversations/") && $0.hasSuffix(".yaml") }.map { "config/brands/\($0)" }.sorted()
    }()

    private func converse(_ files: [String], more: [String] = []) async throws -> (code: Int32, out: String, err: String) {
        try await Rig.with(.init(startsGateway: false)) { rig in
            try await rig.run(["converse", "--config", Rig.repository + "/config", "--channels", rig.channels] + more + files)
        }
    }

    /// Writes a conversation to a file of its own and holds it.
    private func converse(_ text: String) async throws -> (code: Int32, out: String, err: String, file: String) {
        let file = NSTemporaryDirectory() + "conversation-\(UUID().uuidString).yaml"
        try text.write(toFile: file, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: file) }
        let (code, out, err) = try await converse([file])
        return (code, out, err, file)
    }

    @Test func everyConversationOfTheDemoBrandsGoesAsWritten() async throws {
        for brand in ["jobs", "salon"] { #expect(Self.files.count { $0.contains("/\(brand)/") } >= 4) }
        let result = try await converse(Self.files, more: ["--timeout", "30"])
        #expect(result.code == 0, "\(result.out)\(result.err)")
        for file in Self.files { #expect(result.out.contains("ok   \(file):"), "\(result.out)") }
        // A status that comes when the gateway has ended already is told once, and is nobody's fault.
        let said = result.err.split(separator: "\n").filter { !$0.contains("a webhook was not accepted and is repeated") }
        #expect(said.isEmpty, "\(result.err)")
    }

    @Test func everyKindOfWrongExpectationIsADifferenceWithItsLine() async throws {
        let result = try await converse(
            """
            name: Nothing of this happens
            brand: salon
            turns:
              - say: "my bookings"
                expect:
                  replies: ["You have seven bookings", "and another one"]
                  intents: [book_service]
                  actions:
                    - { name: list_bookings, state: failed }
                    - { name: cancel_booking }
                  state: { active_task.status: cancelled }
                  blocked: ["auth"]
              - say: "hello"
                expect: { no_reply: true }
              - choose: "Yes"
            """)
        #expect(result.code == 1, "\(result.err)")
        let expected = [
            ":6: reply 1\n      expected /You have seven bookings/\n      got      \"You have no bookings",
            ":6: reply 2\n      expected /and another one/\n      got      no reply",
            ":7: intents\n      expected book_service\n      got      list_bookings",
            ":9: state of list_bookings\n      expected failed\n      got      completed",
            ":10: action\n      expected cancel_booking",
            ":11: state active_task.status\n      expected cancelled\n      got      completed",
            ":12: blocked\n      expected auth\n      got      nothing", ":14: reply 1\n      expected no reply\n      got      \"Hello",
            ":15: choose\n      expected \"Yes\"\n      got      no question with options",
        ]
        for part in expected { #expect(result.out.contains(result.file + part), "\(part) is not in:\n\(result.out)") }
    }

    @Test func aFileThatCannotBeUsedIsBadUsage() async throws {
        let result = try await converse("name: x\nbrand: salon\nturns:\n  - say: hi\n    expect: { replys: [x] }\n")
        #expect(result.code == 2)
        #expect(result.err == "\(result.file):5: turns[0].expect.replys: unknown key \"replys\"; did you mean \"replies\"?\n")
        #expect(result.out.isEmpty)
        let missing = try await converse(["/nonexistent.yaml"])
        #expect(missing.code == 2 && missing.err.hasPrefix("/nonexistent.yaml:1: "), "\(missing)")
        let none = try await converse([])
        #expect(none.code == 2 && none.err.contains("files"), "\(none)")
    }

    @Test func theClientSaysWhyItCannotTalk() async throws {
        try await Rig.with(.init(startsGateway: false)) { rig in
            let away = try await rig.run(["chat", "--instance", "salon-web", "--url", rig.gatewayURL])
            #expect(away.code == 3, "\(away)")
            #expect(away.err.hasPrefix("switchboard: cannot reach \(rig.gatewayURL)"), "\(away)")
            #expect(away.err.split(separator: "\n").count == 1, "\(away)")
            let wrong = try await rig.run(["chat", "--instance", "Salon Web"])
            #expect(wrong.code == 2)
            try await rig.startGateway()
            let refused = try await rig.run(["chat", "--instance", "no-such-instance", "--url", rig.gatewayURL])
            #expect(refused.code == 1, "\(refused)")
            #expect(refused.err.hasPrefix("switchboard: refused (404)"), "\(refused)")
        }
    }
}
