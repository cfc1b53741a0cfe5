import Conversation
import Yams

/// One element of `turns`.
struct ConversationTurnReader {
    typealias Script = ConversationScript

    let brand: BrandConfiguration

    func read(_ entry: Entry) -> Script.Turn? {
        guard let members = entry.members(["say", "choose", "expect"]) else { return nil }
        let expected = members["expect"].map { expectation($0) } ?? .init()
        let acts = ["say", "choose"].compactMap { members[$0] }
        guard acts.count == 1, let act = acts.first else {
            entry.problem("does \(acts.isEmpty ? "nothing" : "two things")", "give exactly one of say and choose")
            return nil
        }
        if members["say"] != nil { return act.text().map { .init(act: .say($0), line: act.line, expected: expected) } }
        return rule(act).map { .init(act: .choose($0), line: act.line, expected: expected) }
    }

    private func expectation(_ entry: Entry) -> Script.Expectation {
        var expected = Script.Expectation()
        let keys = ["replies", "intents", "actions", "state", "blocked", "no_reply"]
        guard let members = entry.members(keys) else { return expected }
        expected.lines = members.values.mapValues(\.line)
        if entry.pairs().isEmpty { entry.problem("expects nothing", "give one of " + keys.joined(separator: ", ")) }
        expected.replies = members["replies"].map { list in list.items().compactMap { item in item.pattern().map { placed($0, item) } } }
        expected.intents = members["intents"].map { list in list.items().compactMap { intent($0) } }
        expected.actions = members["actions"].map { list in list.items().compactMap { action($0) } }
        expected.blocked = members["blocked"].map { list in list.items().compactMap { item in item.text().map { placed($0, item) } } }
        expected.state = members["state"].map { values($0) } ?? []
        if let silence = members["no_reply"] {
            if silence.flag() == false { silence.problem("only true is possible", "write \"no_reply: true\", or list replies") }
            if let replies = members["replies"] { replies.problem("stands beside no_reply", "keep one of them") }
            expected.replies = []
        }
        return expected
    }

    private func intent(_ entry: Entry) -> Script.Placed<String>? {
        guard let name = entry.text() else { return nil }
        let types = IntentType.allCases.map(\.rawValue)
        let known = types + brand.actions.map(\.canonicalName)
        if !known.contains(name), !name.hasPrefix("response:") {
            entry.problem("no intent \"\(name)\"", Suggestion.remedy(for: name, in: known, noun: "intent"))
        }
        return placed(name, entry)
    }

    private func action(_ entry: Entry) -> Script.Placed<Script.ActionRule>? {
        guard let members = entry.members(["name", "state", "params"]) else { return nil }
        guard let nameEntry = members.required("name", brand.actions.first?.canonicalName ?? "book_service"), let name = nameEntry.text()
        else { return nil }
        let definition = brand.action(named: name)
        if definition == nil {
            nameEntry.problem("no action \"\(name)\"", Suggestion.remedy(for: name, in: brand.actions.map(\.canonicalName), noun: "action"))
        }
        let params = members["params"].map { values($0) } ?? []
        if let definition, let entry = members["params"] {
            let known = definition.params.map(\.name)
            for param in params where !known.contains(param.value.path) {
                entry.document.report(
                    line: param.line, key: entry.path, "\(name) has no parameter \"\(param.value.path)\"",
                    Suggestion.remedy(for: param.value.path, in: known, noun: "parameter"))
            }
        }
        return placed(.init(name: name, state: members["state"].flatMap { $0.oneOf(IntentLedgerEntry.Status.self) }, params: params), entry)
    }

    private func values(_ entry: Entry) -> [Script.Placed<Script.ValueAt>] {
        entry.pairs().compactMap { key, value, line in
            if let pattern = pattern(value) { return .init(value: .init(path: key, rule: .pattern(pattern)), line: line) }
            return value.json().map { .init(value: .init(path: key, rule: .literal($0)), line: line) }
        }
    }

    private func rule(_ entry: Entry) -> Script.TextRule? {
        if let pattern = pattern(entry) { return .pattern(pattern) }
        return entry.text().map(Script.TextRule.literal)
    }

    /// What stands between slashes; a bad pattern is a problem.
    private func pattern(_ entry: Entry) -> String? {
        guard case .scalar(let scalar) = entry.node, scalar.string.count > 2, scalar.string.hasPrefix("/"), scalar.string.hasSuffix("/")
        else { return nil }
        let pattern = String(scalar.string.dropFirst().dropLast())
        if let fault = entry.document.validators.pattern(pattern) {
            entry.problem("is not an RE2 pattern: \(fault)", "use RE2 syntax: no look-around and no back-references")
        }
        return pattern
    }

    private func placed<Value>(_ value: Value, _ entry: Entry) -> Script.Placed<Value> { .init(value: value, line: entry.line) }
}
