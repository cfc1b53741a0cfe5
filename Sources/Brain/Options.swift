import Conversation

/// The options of a choice, as far as they can be had.
enum Options {
    case list([ChoiceOption])
    /// The schema that holds them cannot be had.
    case unavailable(String)
}

extension Turn {
    /// Nil when the parameter is no choice.
    func options(of parameter: ParameterDefinition) throws(SchemasMissing) -> Options? {
        if !parameter.options.isEmpty { return .list(parameter.options) }
        guard let source = parameter.source else { return nil }
        let state = try schema(source.schema)
        switch state.source {
        case .unavailable: return .unavailable(source.schema)
        case .absent: return .list([])
        case .fetched, .cached, .stale: return .list((state.body.at(pointer: source.path)?.array ?? []).compactMap { option($0, source) })
        }
    }

    /// An item without an id or with nothing to call it is no option.
    private func option(_ item: JSONValue, _ source: OptionSource) -> ChoiceOption? {
        guard let id = item.at(pointer: source.id)?.plainText, !id.isEmpty else { return nil }
        let scope = PlaceholderScope(values: item.object ?? ["item": item], formats: source.formats)
        let label = Responder.tidied(scope.text(source.label, phrases).text).trimmingSpaces
        let synonyms = source.synonyms.flatMap { item.at(pointer: $0)?.array?.compactMap(\.string) } ?? []
        return ChoiceOption(
            id: id, label: label.isEmpty ? id : label, synonyms: synonyms, description: item["description"]?.string, item: item)
    }

    func list(of parameter: ParameterDefinition) throws(SchemasMissing) -> [ChoiceOption] {
        switch try options(of: parameter) {
        case .list(let options): options
        case .unavailable, nil: []
        }
    }

    /// Reads parameters out of words; the names that the action does not have are dropped. `proposed` is what a model read in the message.
    func extract(
        _ text: String, _ action: ActionDefinition, expecting: String? = nil, collected: [String: Entity] = [:],
        proposed: [String: String] = [:]
    ) throws(SchemasMissing) -> [String: Entity] {
        guard !text.trimmingSpaces.isEmpty, !action.params.isEmpty else { return [:] }
        try require(schemaNames(of: action))
        var choices: [String: [ChoiceOption]] = [:]
        var hours: [String: JSONValue] = [:]
        for parameter in action.params {
            let options = try list(of: parameter)
            if !options.isEmpty { choices[parameter.name] = options }
            if let open = parameter.open, let value = try schema(open.schema).body.at(pointer: open.path) { hours[parameter.name] = value }
        }
        let request = SlotRequest(
            text: text, parameters: action.params, options: choices, openingHours: hours, reference: message?.sentAt ?? input.now,
            timeZone: configuration.timeZone, locale: input.user.locale ?? configuration.locale, expecting: expecting, collected: collected,
            shown: state.shownOptions, vocabulary: action.vocabulary)
        let known = Set(action.params.map(\.name))
        let found = brain.slots.extract(request).filter { known.contains($0.key) }
        return found.merging(proposals(proposed, request, found: found)) { $1 }
    }

    /// What a pressed or named option means for a parameter; nil when it is none of its options.
    func entity(for signal: String, _ parameter: ParameterDefinition) throws(SchemasMissing) -> Entity? {
        let asked = state.activeTask?.paramsCollected[parameter.name]?.problem?.readings ?? []
        guard let option = try (list(of: parameter) + asked).first(where: { $0.id == signal }) else { return nil }
        return Self.entity(option, parameter, source: .reply)
    }

    static func entity(_ option: ChoiceOption, _ parameter: ParameterDefinition, source: Entity.Source) -> Entity {
        switch parameter.entity {
        case .choice:
            return Entity(
                name: parameter.name, kind: .choice, value: .string(option.id), raw: option.label, label: option.label, item: option.item,
                source: source)
        case .number, .money:
            let number = Int64(option.id).map(JSONValue.integer) ?? Double(option.id).map(JSONValue.number)
            return Entity(
                name: parameter.name, kind: parameter.entity, value: number ?? .string(option.id), raw: option.label, source: source)
        case .datetime, .date, .time, .phone, .email, .text, .url:
            return Entity(name: parameter.name, kind: parameter.entity, value: .string(option.id), raw: option.label, source: source)
        }
    }
}

extension ActionDefinition {
    /// What the action and its parameters go by, in words.
    var vocabulary: [String] {
        let names = [canonicalName] + synonyms + params.map(\.name)
        return names.map { $0.replacing("_", with: " ") } + [displayName, description] + params.map(\.ask)
    }
}

extension SlotProblem {
    /// The readings of an ambiguous value.
    var readings: [ChoiceOption] {
        switch self {
        case .ambiguous(let options): options
        case .incomplete, .past, .closed, .invalid, .nonexistent: []
        }
    }
}
