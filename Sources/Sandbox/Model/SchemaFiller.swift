import Conversation

/// Makes a value that a JSON Schema allows, of what was said: the same value for the same schema and texts.
struct SchemaFiller {
    /// What the conversation says, oldest first.
    let lines: [String]

    /// Objects get every required member; others are left out.
    func value(_ schema: JSONValue, name: String = "") -> JSONValue {
        if let constant = schema["const"] { return constant }
        if let first = schema["enum"]?.array?.first { return first }
        if let choice = schema["anyOf"]?.array?.first ?? schema["oneOf"]?.array?.first { return value(choice, name: name) }
        switch Self.type(schema) {
        case "object": return object(schema)
        case "array": return list(schema, name: name)
        case "string": return .string(text(schema, name: name))
        case "integer": return .integer(Int64(Self.least(schema).rounded(.up)))
        case "number": return .number(Self.least(schema))
        case "boolean": return false
        default: return .null
        }
    }

    /// The first that is not null where there are several; what the other keywords suggest where there is none.
    private static func type(_ schema: JSONValue) -> String {
        if let named = schema["type"]?.string { return named }
        if let named = schema["type"]?.array?.compactMap(\.string).first(where: { $0 != "null" }) { return named }
        return schema["properties"] != nil ? "object" : schema["items"] != nil ? "array" : "null"
    }

    private static func least(_ schema: JSONValue) -> Double { max(schema["minimum"]?.double ?? 0, 0) }

    private func object(_ schema: JSONValue) -> JSONValue {
        let properties = schema["properties"]?.object ?? [:]
        let required = (schema["required"]?.array ?? []).compactMap(\.string)
        return .object(Dictionary(uniqueKeysWithValues: Set(required).map { ($0, value(properties[$0] ?? [:], name: $0)) }))
    }

    private func list(_ schema: JSONValue, name: String) -> JSONValue {
        guard let items = schema["items"] else { return [] }
        if Self.type(items) == "string", items["enum"] == nil {
            let most = Int(clamping: schema["maxItems"]?.integer ?? 5)
            return .array(topics.prefix(most).map(JSONValue.string))
        }
        let count = Int(clamping: schema["minItems"]?.integer ?? 0)
        return .array(Array(repeating: value(items, name: name), count: count))
    }

    private func text(_ schema: JSONValue, name: String) -> String {
        let most = Int(clamping: schema["maxLength"]?.integer ?? 4000)
        let text = name.contains("summary") || name.contains("text") ? lines.joined(separator: " ") : topics.first ?? "none"
        return String(text.prefix(most))
    }

    /// The words that were said most often, longest first among equals; small words are no topics.
    var topics: [String] {
        let words = lines.flatMap { $0.lowercased().split { !($0.isLetter || $0.isNumber) }.map(String.init) }.filter { $0.count > 4 }
        let counts = Dictionary(grouping: words) { $0 }.mapValues(\.count)
        return counts.keys.sorted { left, right in
            let (first, second) = (counts[left] ?? 0, counts[right] ?? 0)
            if first != second { return first > second }
            return left.count != right.count ? left.count > right.count : left < right
        }.prefix(5).map { $0 }
    }
}
