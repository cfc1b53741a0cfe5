import Conversation
import Foundation
import Testing

extension Rig.Options {
    /// Both demo brands ask a model on this machine, a call may take `timeout` and understanding altogether `deadline` seconds.
    static func withModel(timeout: Int = 8, deadline: Int = 15, pause: Int? = nil) -> Rig.Options {
        let rest = pause.map { "  pause_s: \($0)\n" } ?? ""
        return withModel(timeout: timeout, deadline: deadline, rest: rest)
    }

    private static func withModel(timeout: Int, deadline: Int, rest: String) -> Rig.Options {
        let edits = ["salon", "jobs"].map { brand in
            (file: "brands/\(brand)/brand.yaml", from: "\n  timeout_s: 8\n", to: "\n  timeout_s: \(timeout)\n\(rest)")
        }
        let patience = (
            file: "switchboard.yaml", from: "understanding_deadline_s: 15", to: "understanding_deadline_s: \(deadline)"
        )
        return Rig.Options(edits: edits + [patience] + Rig.Options.quick.edits, startsGateway: false)
    }
}

/// How often the model's endpoint was asked, and for what.
struct ModelCalls {
    /// The schema that commands of a message come in.
    static let commands = "customer_commands"

    /// Requests for commands, oldest first.
    let commands: [JSONValue]

    init(_ requests: [JSONValue]) {
        commands = requests.filter { $0["json"]?.at(pointer: "/response_format/json_schema/name")?.string == Self.commands }
    }

    /// Those of the message with these words in it.
    func about(_ words: String) -> [JSONValue] {
        commands.filter { request in
            let messages = request["json"]?["messages"]?.array ?? []
            return messages.contains { $0["role"] == "user" && $0["content"]?.string?.contains(words) == true }
        }
    }

    /// Whether a request is the one that asks for a better answer.
    static func isRepair(_ request: JSONValue) -> Bool {
        request["json"]?["messages"]?.array?.contains { $0["role"] == "assistant" } == true
    }
}

extension Rig {
    var modelURL: String { sandboxURL + "/llm/v1" }

    func startGatewayWithModel(_ extra: [String: String] = [:]) async throws {
        try await startGateway(["LLM_URL": modelURL].merging(extra) { $1 })
    }

    /// Orders what the model says; see the sandbox's `/_sandbox/llm`.
    func model(_ order: [String: JSONValue]) async throws {
        let answer = try await post(sandboxURL + "/_sandbox/llm", .object(order))
        guard answer.status == 200 else { throw Timeout(description: "the model refused: \(answer.text)") }
    }

    /// From now on the model answers every question for commands with this text.
    func modelSays(_ content: String, more: [String: JSONValue] = [:]) async throws {
        try await model(["mode": "normal"])
        let order: [String: JSONValue] = [
            "mode": "say", "content": .string(content), "for": .string(ModelCalls.commands), "times": 1_000_000,
        ]
        try await model(order.merging(more) { $1 })
    }

    func modelTotals() async throws -> JSONValue { try await get(sandboxURL + "/_sandbox/llm").json }

    func modelCalls() async throws -> ModelCalls { ModelCalls(try await arrived("/llm", method: "POST")) }

    /// Everybody says something of their own at once and waits for an answer; the longest wait.
    func askAll(_ customers: [(phone: String, text: String)], within limit: Duration) async throws -> Duration {
        let began = ContinuousClock.now
        for customer in customers { try await say(customer.text, from: customer.phone) }
        for customer in customers {
            _ = try await nextReply(after: 0, to: customer.phone, said: customer.text, within: limit)
        }
        return ContinuousClock.now - began
    }

    /// A command as a model writes it.
    static func command(
        _ name: String, action: String? = nil, slots: [String: JSONValue] = [:], signal: String? = nil, text: String = "it"
    ) -> JSONValue {
        [
            "command": .string(name), "candidates": action.map { [["name": .string($0), "confidence": 0.99]] } ?? [],
            "slots": .object(slots), "signal": JSONValue(signal), "text": .string(text), "confidence": 0.99,
        ]
    }

    static func commands(_ commands: [JSONValue], deviation: String = "none") -> String {
        CanonicalJSON.text(["commands": .array(commands), "deviation": .string(deviation)])
    }
}
