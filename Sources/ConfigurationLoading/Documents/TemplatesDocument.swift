import Conversation

/// `templates.yaml`: the brand's own words, by key.
struct TemplatesDocument {
    let reading: BrandReading

    /// A prefix that ends in a dot stands for all keys below it.
    static let prefixes = [
        "greeting", "goodbye", "gratitude", "chitchat", "help", "capabilities", "unknown", "clarify", "unsupported.", "ask", "required",
        "collect",
        "problem.", "incomplete.", "options.", "empty", "confirm", "change", "changed", "meant", "not_meant", "again", "declined",
        "button.", "list.",
        "report_progress", "report_completion", "report_error", "report_unknown", "retrying", "stale", "refused", "blocked", "flipped",
        "not_found", "rate_limited", "stopped.", "cancelled", "cancelled_before", "being_done", "done_already", "undo", "expired",
        "closed_menu",
        "no_question", "status.", "plan.", "next", "resume", "take_your_time", "handover", "filtered", "opted_out", "opted_in",
    ]

    /// Names that texts about one action know beside its parameters and results.
    private static let occasion = [
        "brand.name", "display_name", "details", "detail", "step", "key", "tier", "other", "time", "retry_after", "amount",
    ]

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
        entry.document.report(
            .warning, line: line, key: key, "no text has this key", near ?? "known: " + Self.prefixes.joined(separator: ", "))
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
