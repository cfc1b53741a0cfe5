import Conversation

/// `schemas.yaml`: what the brand's systems know, and what can stand in the way of an action.
struct SchemasDocument {
    let reading: BrandReading

    /// Nil when the file is there and cannot be read. Without the file there are no schemas.
    func read() -> (schemas: [SchemaDefinition], blockers: [BlockerDefinition])? {
        let document = reading.document("schemas.yaml")
        guard document.exists else { return ([], []) }
        guard let members = document.root(required: true)?.members(["schemas", "blockers"]) else { return nil }
        var names = UniqueNames()
        let schemas = members["schemas"]?.items().compactMap { schema($0, &names) } ?? []
        var blockerNames = UniqueNames()
        let blockers = members["blockers"]?.items().compactMap { blocker($0, &blockerNames) } ?? []
        return (schemas, blockers)
    }

    private func schema(_ item: Entry, _ names: inout UniqueNames) -> SchemaDefinition? {
        guard let members = item.members(["name", "request", "ttl_s", "keys", "collect_with"]) else { return nil }
        let nameEntry = members.required("name", "profile")
        let requestEntry = members.required("request", "{ method: GET, path: /… }")
        let request = requestEntry.flatMap { RequestReader(entry: $0, use: .schema).read() }
        let ttl = members["ttl_s"]?.seconds(upTo: 604_800) ?? .seconds(300)
        let keys = members["keys"].map { self.keys($0) } ?? []
        if let entry = members["collect_with"], let name = entry.text() { reading.requireAction(name, at: entry) }
        guard let nameEntry, let name = nameEntry.identifier(), let requestEntry, let request else { return nil }
        guard names.take(name, at: nameEntry, noun: "schema") else { return nil }
        if name == "user" || name == "result" { nameEntry.problem("\"\(name)\" is reserved for placeholders", "choose another name") }
        for (text, entry) in RequestReader.texts(of: requestEntry) { PlaceholderScope.customer.check(text, at: entry) }
        return SchemaDefinition(name: name, request: request, ttl: ttl, keys: keys, collectWith: members["collect_with"]?.text())
    }

    private func keys(_ entry: Entry) -> [SchemaKey] {
        var names = UniqueNames()
        return entry.items().compactMap { item in
            guard let members = item.members(["name", "api_field_path", "complete_when"]) else { return nil }
            let nameEntry = members.required("name", "phone")
            let path = members.required("api_field_path", "/phone")?.pointer()
            let completion = members["complete_when"].map { self.completion($0) } ?? .present
            guard let nameEntry, let name = nameEntry.identifier(), let path, names.take(name, at: nameEntry, noun: "key") else {
                return nil
            }
            return SchemaKey(name: name, path: path, completion: completion)
        }
    }

    private func completion(_ entry: Entry) -> CompletionRule {
        guard let members = entry.members(["matches", "all_of"]) else { return .present }
        guard members.values.count == 1 else {
            entry.problem(
                "names \(members.values.count) rules", "give one of matches and all_of, or leave complete_when out: then present is enough")
            return .present
        }
        if let pattern = members["matches"]?.pattern() { return .matches(pattern) }
        guard let list = members["all_of"] else { return .present }
        let pointers = list.items().compactMap { $0.pointer() }
        if list.isSequence, list.items().isEmpty {
            list.problem("lists nothing", "list JSON Pointers below the key, such as [/street, /city]")
        }
        return .allOf(pointers)
    }

    private func blocker(_ item: Entry, _ names: inout UniqueNames) -> BlockerDefinition? {
        guard let members = item.members(["name", "schema", "when", "say"]) else { return nil }
        let nameEntry = members.required("name", "outstanding_balance")
        let schemaEntry = members.required("schema", "profile")
        let condition = members.required("when", "{ path: /…, greater_than: 0 }").flatMap { self.condition($0) }
        let sayEntry = members.required("say", "\"…\"")
        guard let nameEntry, let name = nameEntry.identifier(), names.take(name, at: nameEntry, noun: "blocker") else { return nil }
        guard let schemaEntry, let schema = schemaEntry.text(), let sayEntry, let say = sayEntry.text(), let condition else { return nil }
        reading.requireSchema(schema, at: schemaEntry)
        reading.afterwards { [reading] in PlaceholderScope(reading: reading, params: []).check(say, at: sayEntry) }
        return BlockerDefinition(name: name, schema: schema, path: condition.path, condition: condition.rule, say: say)
    }

    private func condition(_ entry: Entry) -> (path: String, rule: BlockerCondition)? {
        let rules = ["greater_than", "less_than", "equals", "present"]
        guard let members = entry.members(["path"] + rules) else { return nil }
        let path = members.required("path", "/balance")?.pointer()
        guard rules.filter({ members.values[$0] != nil }).count == 1 else {
            entry.problem("does not say exactly one condition", "give one of " + rules.joined(separator: ", "))
            return nil
        }
        guard let path else { return nil }
        if let limit = members["greater_than"] { return limit.number(-1e15...1e15).map { (path, .greaterThan($0)) } }
        if let limit = members["less_than"] { return limit.number(-1e15...1e15).map { (path, .lessThan($0)) } }
        if let value = members.values["equals"] { return value.json().map { (path, .equals($0)) } }
        guard let present = members["present"], let flag = present.flag() else { return nil }
        if !flag { present.problem("only true is possible", "write \"present: true\", or \"equals: null\"") }
        return (path, .present)
    }
}
