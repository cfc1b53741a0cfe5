import Conversation

/// `eligibility` of an action: who may do it, and when.
struct EligibilityReader {
    let entry: Entry
    let action: String
    let reading: BrandReading

    func read() -> EligibilityRule {
        var rule = EligibilityRule()
        guard let members = entry.members(["user_tier", "requires_auth", "schemas", "blockers", "after", "opposites"]) else { return rule }
        rule.userTier = members["user_tier"].flatMap { tier($0) }
        rule.requiresAuth = members["requires_auth"].flatMap { $0.flag() } ?? false
        for (name, keys, line) in members["schemas"]?.pairs() ?? [] { rule.schemas[name] = schemaKeys(name, keys, line) }
        rule.blockers = members["blockers"].map { blockers($0) } ?? []
        rule.after = members["after"].map { actions($0) } ?? []
        rule.opposites = members["opposites"].map { actions($0) } ?? []
        return rule
    }

    private func tier(_ entry: Entry) -> String? {
        guard let name = entry.text() else { return nil }
        if !reading.tiers.contains(name) {
            entry.problem("no tier \"\(name)\"", Suggestion.remedy(for: name, in: reading.tiers, noun: "tier"))
        }
        return name
    }

    private func schemaKeys(_ name: String, _ entry: Entry, _ line: Int) -> [String] {
        reading.afterwards { [reading] in
            guard let schemas = reading.schemas else { return }
            guard let schema = reading.schema(name) else {
                let remedy = Suggestion.remedy(for: name, in: schemas.map(\.name), noun: "schema")
                return entry.document.report(line: line, key: entry.path, "no schema \"\(name)\"", remedy)
            }
            let keys = schema.keys.map(\.name)
            for item in entry.items() {
                guard let key = item.text(), !keys.contains(key) else { continue }
                item.problem("schema \(name) has no key \"\(key)\"", Suggestion.remedy(for: key, in: keys, noun: "key"))
            }
        }
        return entry.texts()
    }

    private func blockers(_ entry: Entry) -> [String] {
        entry.items().compactMap { item in
            guard let name = item.text() else { return nil }
            reading.afterwards { [reading] in
                let names = reading.blockers.map(\.name)
                guard reading.schemas != nil, !names.contains(name) else { return }
                item.problem("no blocker \"\(name)\"", Suggestion.remedy(for: name, in: names, noun: "blocker"))
            }
            return name
        }
    }

    private func actions(_ entry: Entry) -> [String] {
        entry.items().compactMap { item in
            guard let name = item.text() else { return nil }
            if name == action { item.problem("the action names itself", "name another action") }
            reading.requireAction(name, at: item)
            return name
        }
    }
}
