import Conversation

/// `policies.yaml`: how much one customer, instance or brand may send, what must not be said, and the conditions on actions.
struct PoliciesDocument {
    let reading: BrandReading

    func read() -> Policies {
        let root = reading.document("policies.yaml").root(required: false)
        guard let members = root?.members(["limits", "filters", "rules"]) else { return Policies() }
        return Policies(
            limits: members["limits"].map { limits($0) } ?? RateLimits(),
            filters: members["filters"].map { FiltersReader(entry: $0).read() } ?? [],
            rules: members["rules"].map { RulesReader(entry: $0, reading: reading).read() } ?? [])
    }

    private func limits(_ entry: Entry) -> RateLimits {
        var limits = RateLimits()
        guard let members = entry.members(["user_per_minute", "instance_per_minute", "brand_per_minute", "tool_per_minute"]) else {
            return limits
        }
        let rates = 1...100_000_000
        if let rate = members["user_per_minute"]?.integer(rates) { limits.userPerMinute = rate }
        if let rate = members["instance_per_minute"]?.integer(rates) { limits.instancePerMinute = rate }
        if let rate = members["brand_per_minute"]?.integer(rates) { limits.brandPerMinute = rate }
        for (action, value, _) in members["tool_per_minute"]?.pairs() ?? [] {
            reading.requireAction(action, at: value)
            if let rate = value.integer(rates) { limits.toolPerMinute[action] = rate }
        }
        return limits
    }
}

/// `filters`: patterns that texts are held against, the first that matches deciding.
struct FiltersReader {
    let entry: Entry

    func read() -> [ContentFilter] {
        var names = UniqueNames()
        let filters = entry.items().compactMap { filter($0, &names) }
        checkSize(filters)
        return filters
    }

    /// All of them become one set, which is matched in one pass and has to fit into memory as a whole.
    private func checkSize(_ filters: [ContentFilter]) {
        let all = filters.map { "(?:\($0.pattern))" }.joined(separator: "|")
        // Each pattern has been found good by itself; a group name that stands in two of them is no fault.
        guard let fault = entry.document.validators.pattern(all), fault.contains("too large") else { return }
        entry.problem("the patterns together are too large", "use fewer or simpler ones; counted repetitions cost most")
    }

    private func filter(_ item: Entry, _ names: inout UniqueNames) -> ContentFilter? {
        guard let members = item.members(["name", "pattern", "side", "verdict", "say"]) else { return nil }
        let nameEntry = members.required("name", "card_number")
        let pattern = members.required("pattern", "'…'")?.pattern()
        let side = members["side"].map { $0.oneOf(ContentFilter.Side.self) } ?? .inbound
        let verdict = members.required("verdict", "deny")?.oneOf(ContentFilter.Verdict.self)
        let say = members["say"]?.words(placeholders: [])
        if verdict == .allow, let entry = members["say"], say != nil {
            entry.problem("a filter that allows says nothing", "remove it, or choose another verdict")
        }
        guard let nameEntry, let name = nameEntry.identifier(), names.take(name, at: nameEntry, noun: "filter") else { return nil }
        guard let pattern, let side, let verdict else { return nil }
        return ContentFilter(name: name, pattern: pattern, side: side, verdict: verdict, say: say)
    }
}

extension Entry {
    /// What a customer is told, with no placeholders but these; nil when it is empty, for then our own words are used.
    func words(placeholders: [String]) -> String? {
        guard let value = scalar(), !value.text.allSatisfy(\.isWhitespace) else { return nil }
        let (found, fault) = Placeholder.parse(value.text)
        if let fault { problem(fault, "write {name}") }
        for placeholder in found where placeholder.format != nil || !placeholders.contains(placeholder.body) {
            let remedy =
                placeholders.isEmpty
                ? "write it out: these words have no placeholders"
                : Suggestion.remedy(for: placeholder.body, in: placeholders, noun: "placeholder")
            problem("{\(placeholder.body)}: nothing has this name here", remedy)
        }
        return value.text
    }
}
