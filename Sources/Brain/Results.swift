package import Conversation

/// Reads a brand's answer to a done call.
package enum ResultMapping {
    /// The fields that the action's `result` maps out of the brand's answer; not complete when a mapped field or the list is missing.
    package static func map(action: ActionDefinition, body: JSONValue) -> (result: [String: JSONValue], complete: Bool) {
        var result: [String: JSONValue] = [:]
        var isComplete = true
        for (name, pointer) in action.result {
            if let value = body.at(pointer: pointer), !value.isNull { result[name] = value } else { isComplete = false }
        }
        if let list = action.resultList, body.at(pointer: list.path)?.array == nil { isComplete = false }
        return (result, isComplete)
    }
}

/// Reads a brand's answer to a refused call.
package enum RefusalText {
    /// What a refusal's body explains, fit for a customer: one line, at most 200 characters, with addresses and long numbers masked;
    /// nil when it explains nothing.
    package static func detail(from body: JSONValue) -> String? {
        guard let text = words(body, depth: 0) else { return nil }
        let line = text.map { $0.isWhitespace || $0.isNewline ? " " : $0 }.split(separator: " ").map { masked(String($0)) }.joined(
            separator: " ")
        let clean = String(line.unicodeScalars.filter { $0.properties.generalCategory != .control })
        guard !clean.isEmpty, !clean.contains("<") else { return nil }
        return clean.count <= 200 ? clean : clean.prefix(199) + "…"
    }

    private static func words(_ value: JSONValue, depth: Int) -> String? {
        guard depth < 4 else { return nil }
        switch value {
        case .string(let text): return text
        case .object:
            for key in ["message", "detail", "error", "error_description", "title", "errors"] {
                if let inner = value[key], let text = words(inner, depth: depth + 1) { return text }
            }
            return nil
        case .array(let items): return items.first.flatMap { words($0, depth: depth + 1) }
        case .null, .bool, .integer, .number: return nil
        }
    }

    private static func masked(_ word: String) -> String {
        if let at = word.firstIndex(of: "@"), at > word.startIndex, word[at...].contains(".") { return "•••" }
        var output = ""
        var digits = ""
        for character in word + " " {
            if character.isNumber {
                digits.append(character)
                continue
            }
            output += digits.count >= 7 ? "•••" : digits
            digits = ""
            output.append(character)
        }
        return String(output.dropLast())
    }
}
