import Conversation

/// Finds out from a request alone which actions there are, what people say for them and what was asked last, as a model has to.
struct PromptReader: Sendable {
    struct Action: Sendable, Hashable {
        var name: String
        var title: String
        var description: String
        var examples: [String]
    }

    /// Those that the answer's schema allows, as the instructions describe them.
    let actions: [Action]
    let question: AnswerSheet?
    let activeAction: String?
    /// What the customer wrote, out of the marks around it.
    let message: String

    init(_ chat: ChatRequest, schema: JSONValue) {
        let allowed = Set(Self.names(in: schema))
        let facts = chat.instructions.split(separator: "\n").compactMap { line -> JSONValue? in
            guard line.hasPrefix("[") || line.hasPrefix("{") else { return nil }
            return JSONText.read(Array(line.utf8))
        }
        let listed = facts.compactMap(\.array).joined().compactMap(Self.action).filter { allowed.contains($0.name) }
        let known = Set(listed.map(\.name))
        // A name alone says something too.
        actions =
            listed + allowed.subtracting(known).sorted().map { Action(name: $0, title: Self.words($0), description: "", examples: []) }
        question = facts.lazy.compactMap { $0["open_question"] }.first.flatMap(Self.sheet)
        activeAction = facts.lazy.compactMap { $0.at(pointer: "/task_at_hand/action")?.string }.first
        message = Self.unmarked(chat.lastWords)
    }

    private static func words(_ name: String) -> String { name.replacing("_", with: " ") }

    private static func action(_ value: JSONValue) -> Action? {
        guard let name = value["name"]?.string else { return nil }
        return Action(
            name: name, title: value["title"]?.string ?? words(name), description: value["does"]?.string ?? "",
            examples: (value["said_like"]?.array ?? []).compactMap(\.string))
    }

    private static func sheet(_ value: JSONValue) -> AnswerSheet? {
        guard let kind = value["kind"]?.string.flatMap(AnswerSheet.Kind.init) else { return nil }
        let meanings = (value["meanings"]?.object ?? [:]).mapValues { ($0.array ?? []).compactMap(\.string) }
        let signals = (value["signals"]?.array ?? []).compactMap(\.string)
        return AnswerSheet(
            type: kind, options: meanings, order: signals.filter { meanings[$0] != nil }, context: value["about"]?.string ?? "",
            required: !signals.contains("skip"))
    }

    /// What stands between the last pair of marks such as `<reply>`, each on a line of its own; all of it when there are none.
    static func unmarked(_ text: String) -> String {
        for name in ["customer_message", "reply"] {
            let parts = text.components(between: "<\(name)>\n", and: "\n</\(name)>")
            if let last = parts.last { return last }
        }
        return text
    }

    /// Every string that an `enum` allows for a member called `name`, wherever it stands in the schema.
    private static func names(in schema: JSONValue, key: String = "") -> [String] {
        var found = key == "name" ? (schema["enum"]?.array ?? []).compactMap(\.string) : []
        for (name, member) in schema["properties"]?.object ?? [:] { found += names(in: member, key: name) }
        if let items = schema["items"] { found += names(in: items, key: key) }
        for choice in schema["anyOf"]?.array ?? [] { found += names(in: choice, key: key) }
        return found
    }
}

extension String {
    /// Every part that stands between the two.
    fileprivate func components(between start: String, and end: String) -> [String] {
        var parts: [String] = []
        var rest = self[...]
        while let open = rest.firstRange(of: start) {
            guard let close = rest[open.upperBound...].firstRange(of: end) else { break }
            parts.append(String(rest[open.upperBound..<close.lowerBound]))
            rest = rest[close.upperBound...]
        }
        return parts
    }
}
