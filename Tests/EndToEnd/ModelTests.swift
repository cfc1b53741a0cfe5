import Conversation
import Foundation
import Testing

/// A model that understands: the demo conversations with it, what it decides, and that nobody asks it twice.
@Suite(.serialized) struct ModelTests {
    /// Words that no rule is sure of.
    static let vague = "flurble grommet wibble"

    @Test func everyDemoConversationPassesWithAModelToo() async throws {
        try await Rig.with(.withModel()) { rig in
            let found = FileManager.default.enumerator(atPath: rig.config + "/brands")?.compactMap { $0 as? String } ?? []
            let files = found.filter { $0.contains("/conversations/") && $0.hasSuffix(".yaml") }.sorted()
            #expect(files.count >= 14)
            let result = try await rig.run(
                ["converse", "--config", rig.config, "--channels", rig.channels, "--timeout", "30", "--with-model"]
                    + files.map { "\(rig.config)/brands/\($0)" }, ["LLM_URL": rig.modelURL])
            #expect(result.code == 0, "\(result.out)\(result.err)")
            let asked = try await rig.modelCalls()
            #expect(!asked.commands.isEmpty)
            let refused = try await rig.arrived("/llm").filter { $0["status"] != 200 }
            #expect(refused.isEmpty, "\(refused.first?["json"]?.plainText ?? "")")
        }
    }

    @Test func whatTheRulesDoNotUnderstandTheModelDecides() async throws {
        try await Rig.with(.withModel()) { rig in
            try await rig.startGatewayWithModel()
            try await rig.modelSays(Rig.commands([Rig.command("start", action: "book_service", text: Self.vague)]))
            let reply = try await rig.ask(Self.vague)
            #expect(reply.contains("service"), "\(reply)")
            let session = try #require(try await rig.sessions(of: "15550001111").first)
            let intents = try await rig.get("\(rig.gatewayURL)/v1/sessions/\(session)/intents", key: rig.adminKey("salon")).json
            let text = CanonicalJSON.text(intents)
            #expect(text.contains("\"model\"") && text.contains("book_service"), "\(text)")
            let plain = "my bookings"
            _ = try await rig.ask(plain)
            #expect(try await rig.modelCalls().about(plain).isEmpty, "a sure message needs no model")
        }
    }

    /// The process dies after the model answered: the turn runs again, and only then is there a reply.
    @Test(arguments: 1...Chaos.crashes) func aTurnWhoseModelAnswerWasLostRunsAgain(death: Int) async throws {
        try await Rig.with(.withModel()) { rig in
            try await rig.modelSays(Rig.commands([Rig.command("start", action: "book_service", text: Self.vague)]))
            try await rig.startGatewayWithModel(["SWITCHBOARD_CRASH_AT": "model-answered-not-stored"])
            let process = try #require(rig.gateway)
            try await rig.say(Self.vague)
            await rig.exited(process)
            #expect(process.terminationReason == .uncaughtSignal)
            #expect(try await rig.replies().isEmpty)
            try await rig.startGatewayWithModel()
            #expect(try await rig.nextReply(after: 0, to: "15550001111", said: Self.vague).contains("service"))
            try await rig.drain()
            #expect(try await rig.replies().count == 1)
            #expect(try await rig.modelCalls().about(Self.vague).count == 2)
            try await rig.expectPeace()
        }
    }

    /// The process dies with the decision stored: what was decided is done, byte for byte, and nobody asks the model again.
    @Test func onceADecisionIsStoredTheModelIsNotAskedAgain() async throws {
        try await Rig.with(.withModel()) { rig in
            try await rig.modelSays(Rig.commands([Rig.command("start", action: "list_bookings", text: Self.vague)]))
            try await rig.startGatewayWithModel(["SWITCHBOARD_CRASH_AT": "decision-stored-not-sent"])
            let process = try #require(rig.gateway)
            try await rig.say(Self.vague)
            await rig.exited(process)
            #expect(process.terminationReason == .uncaughtSignal)
            #expect(try await rig.modelCalls().commands.count == 1)
            #expect(try await rig.arrived("/salon/bookings").isEmpty)
            let (intents, actions) = (
                try await rig.count("SELECT count(*) FROM intents"), try await rig.count("SELECT count(*) FROM actions")
            )
            #expect(intents == 1 && actions == 1)
            try await rig.startGatewayWithModel()
            try await rig.reply(with: "no bookings")
            try await rig.drain()
            #expect(try await rig.modelCalls().commands.count == 1)
            #expect(try await rig.arrived("/salon/bookings").count == 1)
            #expect(await rig.stopGateway() == 0)
            #expect(try await rig.count("SELECT count(*) FROM intents") == intents)
            #expect(try await rig.count("SELECT count(*) FROM actions") == actions)
            #expect(try await rig.checked() == [])
        }
    }

    /// The same for a write: it leaves with the key and the bytes that were stored before the crash.
    @Test func aWriteThatTheModelLedToLeavesAsItWasStored() async throws {
        try await Rig.with(.withModel()) { rig in
            try await rig.startGatewayWithModel()
            try await rig.modelSays(Rig.commands([Rig.command("start", action: "book_service", text: Self.vague)]))
            _ = try await rig.ask(Self.vague)
            var answer = try await rig.ask("haircut")
            if answer.contains("When") { answer = try await rig.ask("next wednesday at 3pm") }
            #expect(answer.contains("Book Haircut"), "\(answer)")
            #expect(await rig.stopGateway() == 0)
            let before = try await rig.modelCalls().commands.count
            try await rig.startGatewayWithModel(["SWITCHBOARD_CRASH_AT": "sent-no-response"])
            let process = try #require(rig.gateway)
            try await rig.say("yes")
            await rig.exited(process)
            #expect(process.terminationReason == .uncaughtSignal)
            try await rig.startGatewayWithModel()
            try await rig.reply(with: "booked")
            try await rig.drain()
            let calls = try await rig.bookingCalls()
            #expect(calls.count == 2)
            #expect(Set(calls.compactMap { $0["body"]?.string }).count == 1)
            #expect(Set(calls.compactMap { $0["headers"]?["idempotency-key"]?.string }).count == 1)
            #expect(try await rig.bookings().count == 1)
            #expect(try await rig.modelCalls().commands.count == before)
            try await rig.expectPeace()
        }
    }
}
