import Conversation

/// `rules`: conditions on actions, held against every call before it is queued.
struct RulesReader {
    let entry: Entry
    let reading: BrandReading

    private static let conditions = ["hours", "at_most", "tier"]

    func read() -> [BusinessRule] {
        var names = UniqueNames()
        return entry.items().compactMap { rule($0, &names) }
    }

    private func rule(_ item: Entry, _ names: inout UniqueNames) -> BusinessRule? {
        guard let members = item.members(["name", "actions", "verdict", "say"] + Self.conditions) else { return nil }
        let nameEntry = members.required("name", "opening_hours")
        let actions = members["actions"].map { self.actions($0) } ?? []
        let verdict = members["verdict"].map { $0.oneOf(BusinessRule.Verdict.self) } ?? .deny
        let condition = condition(members, actions)
        let say = members["say"]?.words(placeholders: ["display_name"] + (condition.map(Self.placeholders) ?? []))
        if verdict == .warn, say == nil {
            (members["verdict"] ?? item).problem("a warning without words", "add \"say: …\" with what the customer should know")
        }
        guard let nameEntry, let name = nameEntry.identifier(), names.take(name, at: nameEntry, noun: "rule") else { return nil }
        guard let verdict, let condition else { return nil }
        return BusinessRule(name: name, actions: actions, condition: condition, verdict: verdict, say: say)
    }

    private static func placeholders(of condition: BusinessRule.Condition) -> [String] {
        switch condition {
        case .hours: ["retry_after"]
        case .atMost: ["amount"]
        case .tier: ["tier"]
        }
    }

    private func actions(_ entry: Entry) -> [String] {
        if entry.isSequence, entry.items().isEmpty {
            entry.problem("names no action", "name at least one, or leave it out: then the rule holds for every write")
        }
        return entry.items().compactMap { item in
            guard let name = item.text() else { return nil }
            reading.requireAction(name, at: item)
            return name
        }
    }

    private func condition(_ members: Members, _ actions: [String]) -> BusinessRule.Condition? {
        let given = Self.conditions.filter { members[$0] != nil }
        guard given.count == 1 else {
            let what = given.isEmpty ? "has no condition" : "has \(given.count) conditions: \(given.joined(separator: ", "))"
            members.entry.problem(what, "give exactly one of " + Self.conditions.joined(separator: ", "))
            return nil
        }
        if let hours = members["hours"] { return WeekHoursReader(entry: hours).read().map { .hours($0) } }
        if let amount = members["at_most"] { return atMost(amount, actions) }
        return members["tier"].flatMap { tier($0) }.map { .tier($0) }
    }

    private func tier(_ entry: Entry) -> String? {
        guard let name = entry.text() else { return nil }
        if !reading.tiers.contains(name) {
            entry.problem("no tier \"\(name)\"", Suggestion.remedy(for: name, in: reading.tiers, noun: "tier"))
        }
        return name
    }

    private func atMost(_ entry: Entry, _ actions: [String]) -> BusinessRule.Condition? {
        guard let members = entry.members(["parameter", "path", "amount"]) else { return nil }
        let parameterEntry = members.required("parameter", "amount")
        let path = members["path"].map { $0.pointer() }
        let amount = members.required("amount", "100")?.number(-1e15...1e15)
        guard let parameterEntry, let parameter = parameterEntry.text(), let amount else { return nil }
        if case .some(.none) = path { return nil }
        let pointer = path.flatMap { $0 }
        reading.afterwards { [reading] in Self.check(parameter, pointer, actions, at: parameterEntry, reading) }
        return .atMost(parameter: parameter, path: pointer, amount: amount)
    }

    /// Every named action has the parameter, and it holds a number.
    private static func check(_ name: String, _ path: String?, _ actions: [String], at entry: Entry, _ reading: BrandReading) {
        guard let all = reading.actions else { return }
        let concerned = actions.isEmpty ? all.filter(\.isWrite) : all.filter { actions.contains($0.canonicalName) }
        let having = concerned.filter { action in action.params.contains { $0.name == name } }
        let lacking = concerned.first { action in !action.params.contains { $0.name == name } }
        if having.isEmpty || !actions.isEmpty, let lacking {
            let who = actions.isEmpty ? "no write" : lacking.canonicalName
            let known = concerned.flatMap { $0.params.map(\.name) }
            return entry.problem(
                "\(who) has \(actions.isEmpty ? "a" : "no") parameter \"\(name)\"",
                Suggestion.remedy(for: name, in: known, noun: "parameter"))
        }
        for parameter in having.flatMap({ $0.params.filter { $0.name == name } }) {
            guard let fault = fault(of: parameter, path) else { continue }
            return entry.problem(fault.what, fault.remedy)
        }
    }

    private static func fault(of parameter: ParameterDefinition, _ path: String?) -> (what: String, remedy: String)? {
        switch parameter.entity {
        case .number, .money:
            return path == nil ? nil : ("a \(parameter.entity.rawValue) has no fields", "remove path")
        case .choice where path == nil:
            return ("a choice has no amount of its own", "add \"path: /price\", where the chosen item holds the amount")
        case .choice where parameter.source == nil:
            return ("options that are written out hold no amount", "take them from a schema, or choose another parameter")
        case .choice: return nil
        case .datetime, .date, .time, .phone, .email, .text, .url:
            return ("a \(parameter.entity.rawValue) is no amount", "choose a parameter that is a number, money or a choice")
        }
    }
}
