import Conversation

/// `params` of an action.
struct ParametersReader {
    let reading: BrandReading
    private static let keys = [
        "name", "entity", "required", "from", "options", "open", "default", "ask", "pattern", "minimum", "maximum", "rest",
    ]
    /// Words that placeholders already use for something else.
    private static let reservedNames: Set<String> = ["user", "result", "brand", "idempotency_key", "task_id"]

    func read(_ entry: Entry?) -> [ParameterDefinition] {
        var names = UniqueNames()
        return entry?.items().compactMap { item in
            guard let members = item.members(Self.keys) else { return nil }
            let nameEntry = members.required("name", "start")
            let kind = members.required("entity", "text")?.oneOf(EntityKind.self)
            guard let nameEntry, let name = nameEntry.identifier(), let kind else { return nil }
            guard names.take(name, at: nameEntry, noun: "parameter") else { return nil }
            check(name, at: nameEntry)
            return parameter(name, kind, members)
        } ?? []
    }

    private func check(_ name: String, at entry: Entry) {
        if Self.reservedNames.contains(name) { entry.problem("\"\(name)\" is reserved for placeholders", "choose another name") }
        reading.afterwards { [reading] in
            if reading.schema(name) != nil {
                entry.problem("a schema is called \"\(name)\" too, so {\(name)} would be ambiguous", "rename the parameter")
            }
        }
    }

    private func parameter(_ name: String, _ kind: EntityKind, _ members: Members) -> ParameterDefinition {
        var parameter = ParameterDefinition(name: name, entity: kind, required: members["required"].flatMap { $0.flag() } ?? true)
        parameter.ask = members["ask"]?.text() ?? ""
        if parameter.required, members["ask"] == nil {
            members.entry.problem(
                "nothing asks for the required parameter \"\(name)\"", "add \"ask: …\", the question, or \"required: false\"")
        }
        parameter.defaultValue = members["default"]?.text()
        if let entry = members["default"], let text = parameter.defaultValue {
            reading.afterwards { [reading] in PlaceholderScope(reading: reading, params: []).check(text, at: entry) }
        }
        readChoice(members, into: &parameter)
        readBounds(members, into: &parameter)
        return parameter
    }

    private func readChoice(_ members: Members, into parameter: inout ParameterDefinition) {
        for key in ["from", "options"] {
            guard parameter.entity != .choice, let entry = members[key] else { continue }
            entry.problem("only a choice has options, this is a \(parameter.entity.rawValue)", "write \"entity: choice\" or remove it")
        }
        if let entry = members["from"] { parameter.source = source(entry) }
        if let entry = members["options"] { parameter.options = options(entry) }
        if parameter.entity == .choice, (members["from"] == nil) == (members["options"] == nil) {
            members.entry.problem(
                "a choice needs one source of options", "add either \"from: { schema: …, path: /… }\" or \"options: [{ id: …, label: … }]\""
            )
        }
        guard let open = members["open"] else { return }
        if ![.datetime, .date, .time].contains(parameter.entity) {
            open.problem("only a datetime, date or time has opening hours", "change the entity or remove it")
        }
        guard let members = open.members(["schema", "path"]) else { return }
        let path = members.required("path", "/hours")?.pointer()
        guard let entry = members.required("schema", "catalog"), let schema = entry.text(), let path else { return }
        reading.requireSchema(schema, at: entry)
        parameter.open = OpeningSource(schema: schema, path: path)
    }

    private func source(_ entry: Entry) -> OptionSource? {
        guard let members = entry.members(["schema", "path", "id", "label", "synonyms", "formats"]) else { return nil }
        let path = members.required("path", "/items")?.pointer()
        guard let schemaEntry = members.required("schema", "catalog"), let schema = schemaEntry.text(), let path else { return nil }
        reading.requireSchema(schema, at: schemaEntry)
        var source = OptionSource(schema: schema, path: path)
        if let id = members["id"]?.pointer() { source.id = id }
        if let label = members["label"]?.text() { source.label = label }
        if let synonyms = members["synonyms"]?.pointer() { source.synonyms = synonyms }
        source.formats = FormatsReader(template: source.label, templateEntry: members["label"] ?? entry, formats: members["formats"]).read()
        return source
    }

    private func options(_ entry: Entry) -> [ChoiceOption] {
        var names = UniqueNames()
        if entry.isSequence, entry.items().isEmpty { entry.problem("offers nothing", "list at least one { id: …, label: … }") }
        return entry.items().compactMap { item in
            guard let members = item.members(["id", "label", "synonyms", "description"]) else { return nil }
            let idEntry = members.required("id", "short")
            let label = members.required("label", "Short")?.text()
            guard let idEntry, let id = idEntry.text(), let label, names.take(id, at: idEntry, noun: "option") else { return nil }
            return ChoiceOption(
                id: id, label: label, synonyms: members["synonyms"]?.texts() ?? [], description: members["description"]?.text(),
                item: .object(["id": .string(id), "label": .string(label)]))
        }
    }

    private func readBounds(_ members: Members, into parameter: inout ParameterDefinition) {
        if let entry = members["pattern"] {
            parameter.pattern = entry.pattern()
            if ![.text, .url].contains(parameter.entity) {
                entry.problem("only a text or url has a pattern", "change the entity or remove it")
            }
        }
        for key in ["minimum", "maximum"] {
            guard let entry = members[key], ![.number, .money].contains(parameter.entity) else { continue }
            entry.problem("only a number or money has bounds", "change the entity or remove it")
        }
        parameter.takesRest = members["rest"].flatMap { $0.flag() } ?? false
        if parameter.takesRest, parameter.entity != .text, let entry = members["rest"] {
            entry.problem("only a text takes the rest of a sentence", "write \"entity: text\" or remove it")
        }
        parameter.minimum = members["minimum"]?.number(-1e15...1e15)
        parameter.maximum = members["maximum"]?.number(-1e15...1e15)
        if let low = parameter.minimum, let high = parameter.maximum, low > high, let entry = members["minimum"] {
            entry.problem("minimum is above maximum", "swap them")
        }
    }
}
