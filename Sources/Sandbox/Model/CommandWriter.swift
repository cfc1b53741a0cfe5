import Conversation
import Understanding

/// Writes what was understood in the form that the request's schema asks for.
struct CommandWriter {
    /// Of one command.
    private let item: JSONValue
    private let schema: JSONValue

    init(schema: JSONValue) {
        self.schema = schema
        item = schema.at(pointer: "/properties/commands/items") ?? [:]
    }

    func answer(_ intents: [DetectedIntent]) -> JSONValue {
        var answer = SchemaFiller(lines: []).value(schema)
        answer["commands"] = .array(intents.map(command))
        return answer
    }

    private func command(_ intent: DetectedIntent) -> JSONValue {
        var command = SchemaFiller(lines: [intent.text]).value(item)
        let confidence = JSONValue.number(Self.rounded(intent.confidence))
        command["command"] = .string(name(of: intent))
        command["confidence"] = confidence
        command["text"] = .string(intent.text)
        command["candidates"] = .array(
            intent.candidates.enumerated().map { index, name in
                ["name": .string(name), "confidence": .number(Self.rounded(intent.confidence / Double(1 + index)))]
            })
        if let signal = intent.signal { command["signal"] = .string(signal) }
        return kept(command)
    }

    /// Only members that the schema knows.
    private func kept(_ command: JSONValue) -> JSONValue {
        guard let known = item["properties"]?.object, let members = command.object else { return command }
        return .object(members.filter { known[$0.key] != nil })
    }

    private static func rounded(_ confidence: Double) -> Double { (confidence * 100).rounded() / 100 }

    /// The command among those allowed that stands for the kind of intent.
    private func name(of intent: DetectedIntent) -> String {
        let allowed = (item.at(pointer: "/properties/command/enum")?.array ?? []).compactMap(\.string)
        let wanted = intent.type.rawValue
        return allowed.first { $0 == wanted } ?? allowed.first { $0.contains(wanted) } ?? wanted
    }
}
