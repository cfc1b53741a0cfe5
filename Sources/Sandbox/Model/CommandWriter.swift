import Conversation
import Understanding

/// Writes what was understood in the form that the request's schema asks for.
struct CommandWriter {
    private let schema: JSONValue
    /// Of one command.
    private let item: JSONValue
    private let hasQuestion: Bool

    init(schema: JSONValue, hasQuestion: Bool) {
        self.schema = schema
        self.hasQuestion = hasQuestion
        item = schema.at(pointer: "/properties/commands/items") ?? [:]
    }

    func answer(_ intents: [DetectedIntent]) -> JSONValue {
        var answer = SchemaFiller(lines: []).value(schema)
        answer["commands"] = .array(intents.map(command))
        return answer
    }

    private func command(_ intent: DetectedIntent) -> JSONValue {
        let name = name(of: intent)
        let slots = (item.at(pointer: "/properties/slots/properties")?.object ?? [:]).mapValues { _ in JSONValue.null }
        return [
            "command": .string(name), "text": .string(intent.text), "confidence": Self.rounded(intent.confidence), "slots": .object(slots),
            "signal": name == "answer" ? JSONValue(intent.signal) : .null,
            "candidates": .array(
                intent.candidates.enumerated().map { index, name in
                    ["name": .string(name), "confidence": Self.rounded(max(0, intent.confidence - Double(index) * intent.margin))]
                }),
        ]
    }

    private static func rounded(_ confidence: Double) -> JSONValue { .number((confidence * 100).rounded() / 100) }

    /// The command that stands for an intent.
    private func name(of intent: DetectedIntent) -> String {
        switch intent.type {
        case .action: return "start"
        case .help: return intent.signal == "human" ? "human" : "help"
        case .unknown: return "clarify"
        case .greeting, .goodbye, .gratitude, .chitchat: return intent.type.rawValue
        case .response: break
        }
        switch intent.signal {
        case "stop": return "cancel"
        case "correct": return "correct"
        case .some, .none: return hasQuestion ? "answer" : "chitchat"
        }
    }
}
