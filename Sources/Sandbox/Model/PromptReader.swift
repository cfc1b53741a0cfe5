import Conversation

/// Finds out from a request alone which actions there are and what people say for them, as a model has to.
struct PromptReader: Sendable, Hashable {
    struct Action: Sendable, Hashable {
        var name: String
        var description: String
        var examples: [String]
        var parameters: [String]
    }

    var actions: [Action]

    /// - Parameters:
    ///   - schema: The answer's schema; the strings that it allows for an action's name are the actions there are.
    ///   - instructions: The text whose lines describe them.
    init(schema: JSONValue, instructions: String) {
        let names = Self.names(in: schema)
        let lines = instructions.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let starts = lines.indices.compactMap { index in Self.subject(of: lines[index], among: names).map { (index, $0) } }
        var found: [String: [String]] = [:]
        for (place, (index, name)) in starts.enumerated() {
            let end = place + 1 < starts.count ? starts[place + 1].0 : lines.count
            let block = lines[index..<end].prefix { !$0.trimmed.isEmpty }
            found[name, default: []] += block
        }
        actions = names.compactMap { name in found[name].map { Self.action(name, lines: $0) } }
    }

    /// Every string that an `enum` allows for a member called `name`, wherever it stands in the schema.
    private static func names(in schema: JSONValue) -> [String] {
        var found: [String] = []
        walk(schema, key: "") { key, schema in
            guard key == "name" else { return }
            for name in (schema["enum"]?.array ?? []).compactMap(\.string) where !found.contains(name) { found.append(name) }
        }
        return found
    }

    private static func walk(_ schema: JSONValue, key: String, _ visit: (String, JSONValue) -> Void) {
        visit(key, schema)
        for (name, member) in (schema["properties"]?.object ?? [:]).sorted(by: { $0.key < $1.key }) { walk(member, key: name, visit) }
        if let items = schema["items"] { walk(items, key: key, visit) }
        for keyword in ["anyOf", "oneOf", "allOf"] {
            for choice in schema[keyword]?.array ?? [] { walk(choice, key: key, visit) }
        }
        for (name, member) in (schema["$defs"]?.object ?? [:]).sorted(by: { $0.key < $1.key }) { walk(member, key: name, visit) }
    }

    /// The name that a line begins with, behind bullets and quotes.
    private static func subject(of line: String, among names: [String]) -> String? {
        let marks: Set<Character> = ["-", "*", "•", "`", "\"", "'", "#", " ", "\t", "{", "[", "("]
        let bare = line.drop { marks.contains($0) }
        let word = bare.prefix { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "-" }
        return names.first { $0 == word }
    }

    private static func action(_ name: String, lines: [String]) -> Action {
        let text = lines.joined(separator: "\n")
        let quoted = text.matches(of: /"([^"\n]{2,200})"/).map { String($0.1) }
        let head = (lines.first ?? "").trimmed.drop { !$0.isLetter }.dropFirst(name.count).drop { !$0.isLetter }
        let description = head.prefix { $0 != "\"" }
        return Action(name: name, description: String(description), examples: quoted.filter { $0 != name }, parameters: [])
    }
}

extension String {
    var trimmed: String {
        var text = self[...]
        while let first = text.first, first.isWhitespace { text.removeFirst() }
        while let last = text.last, last.isWhitespace { text.removeLast() }
        return String(text)
    }
}
