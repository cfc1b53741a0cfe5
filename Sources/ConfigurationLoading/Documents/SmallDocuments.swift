import Conversation

/// `intents.yaml`: example sentences and patterns for what messages want.
struct IntentsDocument {
    let reading: BrandReading

    func read() -> [IntentDefinition] {
        let members = reading.document("intents.yaml").root(required: false)?.members(["intents"])
        return members?["intents"]?.items().compactMap { read($0) } ?? []
    }

    private func read(_ item: Entry) -> IntentDefinition? {
        guard let members = item.members(["type", "action", "examples", "patterns"]) else { return nil }
        let examples = members["examples"]?.texts() ?? []
        let patterns = members["patterns"]?.items().compactMap { $0.pattern() } ?? []
        if members["examples"] == nil, members["patterns"] == nil { item.problem("says nothing about the intent", "add examples or patterns") }
        guard let type = members.required("type", "greeting")?.oneOf(IntentType.self) else { return nil }
        guard type == .action else {
            members["action"]?.problem("only an intent of type action names an action", "write \"type: action\" or remove it")
            return IntentDefinition(type: type, examples: examples, patterns: patterns)
        }
        guard let entry = members.required("action", "book_service"), let name = entry.text() else { return nil }
        reading.requireAction(name, at: entry)
        return IntentDefinition(type: .action, action: name, examples: examples, patterns: patterns)
    }
}

/// `policies.yaml`: how much one customer, instance or brand may send.
struct PoliciesDocument {
    let reading: BrandReading

    func read() -> RateLimits {
        var limits = RateLimits()
        let document = reading.document("policies.yaml").root(required: false)?.members(["limits"])
        guard let members = document?["limits"]?.members(["user_per_minute", "instance_per_minute", "brand_per_minute"]) else { return limits }
        if let rate = members["user_per_minute"]?.integer(1...100_000_000) { limits.userPerMinute = rate }
        if let rate = members["instance_per_minute"]?.integer(1...100_000_000) { limits.instancePerMinute = rate }
        if let rate = members["brand_per_minute"]?.integer(1...100_000_000) { limits.brandPerMinute = rate }
        return limits
    }
}

/// `templates.yaml`: the brand's own words, by key.
struct TemplatesDocument {
    let reading: BrandReading

    /// A prefix that ends in a dot stands for all keys below it.
    static let prefixes = [
        "greeting", "goodbye", "gratitude", "chitchat", "help", "capabilities", "unknown", "clarify", "unsupported.", "ask", "required", "collect",
        "problem.", "incomplete.", "options.", "empty", "confirm", "change", "changed", "meant", "not_meant", "again", "declined", "button.", "list.",
        "report_progress", "report_completion", "report_error", "report_unknown", "retrying", "stale", "refused", "blocked", "flipped",
        "not_found", "rate_limited", "stopped.", "cancelled", "cancelled_before", "being_done", "done_already", "undo", "expired", "closed_menu",
        "no_question", "plan.", "next", "resume", "take_your_time", "handover", "opted_out", "opted_in",
    ]

    /// Names that texts about one action know beside its parameters and results.
    private static let occasion = ["brand.name", "display_name", "details", "detail", "step", "key", "tier", "other", "time"]

    func read() -> [String: String] {
        guard let root = reading.document("templates.yaml").root(required: false) else { return [:] }
        var templates: [String: String] = [:]
        for (key, entry, line) in root.pairs() {
            guard let text = entry.text() else { continue }
            templates[key] = text
            check(key, entry, line)
            reading.afterwards { [self] in check(text, of: key, at: entry) }
        }
        return templates
    }

    private func check(_ key: String, _ entry: Entry, _ line: Int) {
        let isKnown = Self.prefixes.contains { prefix in
            prefix.hasSuffix(".") ? key.hasPrefix(prefix) && key.count > prefix.count : key == prefix || key.hasPrefix(prefix + ".")
        }
        guard !isKnown else { return }
        let (head, tail) = key.split(separator: ".", maxSplits: 1).first.map { (String($0), key.dropFirst($0.count)) } ?? (key, "")
        let heads = Self.prefixes.map { $0.hasSuffix(".") ? String($0.dropLast()) : $0 }
        let near = Suggestion.nearest(to: head, in: heads).map { "did you mean \"\($0)\(tail)\"?" }
        entry.document.report(.warning, line: line, key: key, "no text has this key", near ?? "known: " + Self.prefixes.joined(separator: ", "))
    }

    /// Texts about one action may use its parameters and results.
    private func check(_ text: String, of key: String, at entry: Entry) {
        let parts = key.split(separator: ".").map(String.init)
        let action = parts.count > 1 ? reading.action(parts[1]) : nil
        var scope = PlaceholderScope(reading: reading, params: action?.params ?? reading.actions?.flatMap(\.params) ?? [])
        scope.results = action.map { Array($0.result.keys) }
        scope.allowsLoneNames = action == nil
        scope.extras = Self.occasion
        scope.check(text, at: entry)
        guard action == nil, parts.count > 1, ["confirm", "report_progress", "report_completion"].contains(parts[0]) else { return }
        guard let near = Suggestion.nearest(to: parts[1], in: reading.actions?.map(\.canonicalName) ?? []) else { return }
        entry.warning("no action \"\(parts[1])\"", "did you mean \"\(near)\"?")
    }
}
