import Conversation

/// `actions.yaml`: what the brand lets its customers do.
struct ActionsDocument {
    let reading: BrandReading

    /// Nil when the file cannot be read at all.
    func read() -> [ActionDefinition]? {
        guard let members = reading.document("actions.yaml").root(required: true)?.members(["actions"]),
            let list = members.required("actions", "[…]"), list.isSequence
        else { return nil }
        var names = UniqueNames()
        return list.items().compactMap { item in
            guard let action = ActionReader(item: item, reading: reading).read() else { return nil }
            check(action, at: item, &names)
            return action
        }
    }

    /// Canonical names and synonyms share one space: a word must lead to one action.
    private func check(_ action: ActionDefinition, at item: Entry, _ names: inout UniqueNames) {
        guard let members = item.members(ActionReader.keys) else { return }
        _ = names.take(action.canonicalName, at: members["canonical_name"] ?? item, noun: "name or synonym")
        for synonym in members["synonyms"]?.items() ?? [] {
            guard let text = synonym.scalar()?.text else { continue }
            _ = names.take(text.lowercased(), at: synonym, noun: "name or synonym")
        }
    }
}

/// One action.
struct ActionReader {
    let item: Entry
    let reading: BrandReading

    static let keys = [
        "canonical_name", "display_name", "description", "category", "action_type", "synonyms", "examples", "params", "confirm", "request",
        "result",
        "result_list", "progress", "eligibility", "safety", "not_done_statuses", "conflict", "lookup", "priority", "retry", "timeout_s",
        "compensate", "triggers_workflow", "refused_parameter",
    ]

    /// Nil when not even name or request can be read.
    func read() -> ActionDefinition? {
        guard let members = item.members(Self.keys) else { return nil }
        let name = members.required("canonical_name", "book_service")?.identifier()
        let display = members.required("display_name", "Book a service")?.text()
        let params = ParametersReader(reading: reading).read(members["params"])
        let requestEntry = members.required("request", "{ method: GET, path: /… }")
        let request = requestEntry.flatMap { RequestReader(entry: $0, use: .action).read() }
        guard let name, let requestEntry, let request else { return nil }
        var action = ActionDefinition(canonicalName: name, displayName: display ?? name, params: params, request: request)
        readWords(members, into: &action)
        readOutcome(members, into: &action)
        readFollowing(members, into: &action)
        if let rule = members["eligibility"] { action.eligibility = EligibilityReader(entry: rule, action: name, reading: reading).read() }
        ActionCheck(members: members, requestEntry: requestEntry, action: action, reading: reading).run()
        return action
    }

    private func readWords(_ members: Members, into action: inout ActionDefinition) {
        action.description = members["description"]?.text() ?? ""
        action.category = members["category"]?.text() ?? ""
        action.synonyms = members["synonyms"]?.texts() ?? []
        action.examples = members["examples"]?.texts() ?? []
        action.progress = members["progress"]?.texts() ?? []
        action.confirm = members["confirm"]?.text()
        if let type = members["action_type"]?.oneOf(ActionType.self) { action.type = type }
    }

    private func readOutcome(_ members: Members, into action: inout ActionDefinition) {
        if let safety = members["safety"]?.oneOf(Safety.self) { action.safety = safety }
        if let conflict = members["conflict"]?.oneOf(ConflictMeaning.self) { action.conflict = conflict }
        action.notDoneStatuses = members["not_done_statuses"]?.items().compactMap { $0.integer(400...599) } ?? []
        action.lookup = members["lookup"].flatMap { RequestReader(entry: $0, use: .lookup).read() }
        for (name, entry, _) in members["result"]?.pairs() ?? [] {
            if let pointer = entry.pointer() { action.result[name] = pointer }
        }
        action.resultList = members["result_list"].flatMap { ResultListReader(entry: $0).read() }
        if let priority = members["priority"]?.oneOf(Priority.self) { action.priority = priority }
        if let retry = members["retry"]?.members(["attempts", "backoff_s"]) {
            if let attempts = retry["attempts"]?.integer(1...20) { action.retry.attempts = attempts }
            if let waits = retry["backoff_s"]?.waits() { action.retry.backoff = waits }
        }
        action.timeout = members["timeout_s"]?.seconds(upTo: 600) ?? reading.callTimeout
    }

    private func readFollowing(_ members: Members, into action: inout ActionDefinition) {
        if let entry = members["compensate"], let name = entry.text() {
            action.compensate = name
            if name == action.canonicalName { entry.problem("an action cannot undo itself", "name another action") }
            reading.requireAction(name, at: entry)
        }
        if let entry = members["triggers_workflow"], let name = entry.scalar() {
            entry.problem("no workflow \"\(name.raw)\": this version runs none", "write null or leave the key out")
        }
        if let entry = members["refused_parameter"], let name = entry.text() {
            action.refusedParameter = name
            let names = action.params.map(\.name)
            if !names.contains(name) {
                entry.problem("no parameter \"\(name)\"", Suggestion.remedy(for: name, in: names, noun: "parameter"))
            }
        }
    }
}

/// `result_list` of an action: how an array in the answer is told.
struct ResultListReader {
    let entry: Entry

    func read() -> ResultList? {
        guard let members = entry.members(["path", "item", "empty", "formats"]) else { return nil }
        let path = members.required("path", "/items")?.pointer()
        let itemEntry = members.required("item", "\"{name}\"")
        let item = itemEntry?.text()
        let empty = members.required("empty", "\"There is nothing yet.\"")?.text()
        guard let path, let itemEntry, let item, let empty else { return nil }
        let formats = FormatsReader(template: item, templateEntry: itemEntry, formats: members["formats"]).read()
        return ResultList(path: path, item: item, empty: empty, formats: formats)
    }
}

/// `formats` beside a template over items: placeholder → kind.
struct FormatsReader {
    let template: String
    let templateEntry: Entry
    let formats: Entry?

    func read() -> [String: EntityKind] {
        let parsed = Placeholder.parse(template)
        if let fault = parsed.fault { templateEntry.problem(fault, "write placeholders as {name}") }
        let names = parsed.placeholders.map(\.body)
        var result: [String: EntityKind] = [:]
        for (name, entry, _) in formats?.pairs() ?? [] {
            if !names.contains(name) {
                entry.problem("\"{\(name)}\" does not occur in the text", Suggestion.remedy(for: name, in: names, noun: "placeholder"))
            }
            if let kind = entry.oneOf(EntityKind.self) { result[name] = kind }
        }
        return result
    }
}
