internal import Conversation

/// What a model may write as a command.
enum CommandName: String, Sendable, CaseIterable {
    case start, answer, correct, cancel, clarify, help, human, greeting, goodbye, gratitude, chitchat
}

/// What a message does to the task at hand.
enum Deviation: String, Sendable, CaseIterable {
    case none
    case topicChange = "topic_change"
    case clarification, correction, abort, continuation
}

/// The signals that answer an open question, whoever reads the answer.
enum AnswerSignals {
    static func known(_ sheet: AnswerSheet) -> [String] {
        var signals = AnswerSheetMatcher.keys(sheet)
        switch sheet.type {
        case .entity, .text: signals.append("value")
        case .confirmation, .singleChoice, .multipleChoice: break
        }
        if !sheet.required { signals.append("skip") }
        return signals
    }

    /// The signal as the sheet spells it; for several choices all of them must be on it, and their number must be allowed.
    static func checked(_ signal: String, _ sheet: AnswerSheet) -> String? {
        if known(sheet).contains(signal) { return signal }
        guard sheet.type == .multipleChoice else { return nil }
        let keys = AnswerSheetMatcher.keys(sheet)
        var chosen: [String] = []
        for part in signal.split(separator: ",").prefix(keys.count + 1).map({ String($0).trimmed }) {
            guard keys.contains(part) else { return nil }
            if !chosen.contains(part) { chosen.append(part) }
        }
        guard chosen.count >= (sheet.minSelections ?? 1), chosen.count <= (sheet.maxSelections ?? keys.count) else { return nil }
        return chosen.joined(separator: ",")
    }
}

extension String {
    /// Without white space at the ends.
    var trimmed: String {
        let start = firstIndex { !$0.isWhitespace } ?? endIndex
        let end = lastIndex { !$0.isWhitespace }.map(index(after:)) ?? start
        return String(self[start..<end])
    }
}

extension IntentPrompt {
    /// Slot names in one schema; providers limit how many members all objects may have together.
    static let mostSlots = 60

    /// In the strict form of structured outputs: every member is required and no others are allowed; what may be absent may be null.
    static func schema(_ actions: [ActionDefinition]) -> JSONValue {
        var names: [String] = []
        for name in actions.flatMap({ $0.params.map(\.name) }) where !names.contains(name) && names.count < mostSlots { names.append(name) }
        let slots = object(Dictionary(names.map { ($0, ["type": ["string", "null"]]) }) { first, _ in first })
        let candidate = object([
            "name": ["type": "string", "enum": .array(actions.map { .string($0.canonicalName) })], "confidence": ["type": "number"],
        ])
        let command = object([
            "command": ["type": "string", "enum": .array(CommandName.allCases.map { .string($0.rawValue) })],
            "candidates": ["type": "array", "items": candidate], "slots": slots, "signal": ["type": ["string", "null"]],
            "text": ["type": "string"], "confidence": ["type": "number"],
        ])
        return object([
            "commands": ["type": "array", "items": command],
            "deviation": ["type": "string", "enum": .array(Deviation.allCases.map { .string($0.rawValue) })],
        ])
    }

    private static func object(_ properties: [String: JSONValue]) -> JSONValue {
        [
            "type": "object", "properties": .object(properties), "required": .array(properties.keys.sorted().map(JSONValue.string)),
            "additionalProperties": false,
        ]
    }
}
