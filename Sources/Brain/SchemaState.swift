package import Conversation

/// When the parts of a brand's answer count as complete.
package enum SchemaCompletion {
    /// One key's status. Nothing is complete in a schema that could not be had. `matches` tells whether a whole text matches a pattern.
    package static func status(of key: SchemaKey, in state: SchemaState, matches: Brain.PatternMatch) -> CompletionStatus {
        switch state.source {
        case .absent, .unavailable: return .none
        case .fetched, .cached, .stale: break
        }
        guard let value = state.body.at(pointer: key.path), isPresent(value) else { return .none }
        switch key.completion {
        case .present: return .complete
        case .matches(let pattern): return matches(pattern, value.plainText) ? .complete : .incomplete
        case .allOf(let pointers):
            let present = pointers.count { value.at(pointer: $0).map(isPresent) ?? false }
            return present == pointers.count ? .complete : present == 0 ? .none : .incomplete
        }
    }

    /// Every key's status and the schema's own: complete when all keys are, none when no key has anything.
    package static func status(
        of schema: SchemaDefinition, in state: SchemaState, matches: Brain.PatternMatch
    ) -> (schema: CompletionStatus, keys: [String: CompletionStatus]) {
        let keys = Dictionary(schema.keys.map { ($0.name, status(of: $0, in: state, matches: matches)) }) { $1 }
        if keys.isEmpty { return (state.isKnown ? .complete : .none, [:]) }
        if keys.values.allSatisfy({ $0 == .complete }) { return (.complete, keys) }
        return (keys.values.allSatisfy { $0 == .none } ? .none : .incomplete, keys)
    }

    private static func isPresent(_ value: JSONValue) -> Bool {
        switch value {
        case .null: false
        case .string(let text): !text.allSatisfy(\.isWhitespace)
        case .bool, .integer, .number, .array, .object: true
        }
    }
}

extension SchemaState {
    /// Whether there is a body to look into.
    var isKnown: Bool {
        switch source {
        case .fetched, .cached, .stale: true
        case .absent, .unavailable: false
        }
    }
}

extension Turn {
    /// The schemas an action may need before it can be decided, each once.
    func schemaNames(of action: ActionDefinition) -> [String] {
        var names = eligibilitySchemas(of: action)
        names += action.params.compactMap { $0.source?.schema } + action.params.compactMap { $0.open?.schema }
        let sayings = action.eligibility.blockers.compactMap { name in configuration.blockers.first { $0.name == name }?.say }
        let templates: [String] =
            [action.confirm ?? "", action.request.path] + action.request.query.values.sorted() + action.params.compactMap(\.defaultValue)
            + sayings
        var mentioned: [String] = templates.flatMap { Placeholders.names($0) }
        if let body = action.request.body { mentioned += Placeholders.names(in: body) }
        names += mentioned.compactMap { $0.split(separator: ".").first.map(String.init) }
            .filter { root in configuration.schema(named: root) != nil && !action.params.contains { $0.name == root } }
        return Self.unique(names)
    }

    /// Those that decide whether the action is allowed, checked again right before a write.
    func eligibilitySchemas(of action: ActionDefinition) -> [String] {
        let blockers = action.eligibility.blockers.compactMap { name in
            brain.configuration.blockers.first { $0.name == name }?.schema
        }
        return Self.unique(action.eligibility.schemas.keys.sorted() + blockers)
    }

    static func unique(_ names: [String]) -> [String] {
        var seen: Set<String> = []
        return names.filter { seen.insert($0).inserted }
    }

    /// Makes sure that all of them are here; `fresh` ones must have been asked for in this turn.
    func require(_ names: [String], fresh: [String] = []) throws(SchemasMissing) {
        var needs: [SchemaNeed] = []
        for name in Self.unique(names + fresh) where brain.configuration.schema(named: name) != nil {
            let mustBeFresh = fresh.contains(name)
            let state = input.schemas[name]
            if state == nil || (mustBeFresh && state?.source == .cached) { needs.append(SchemaNeed(name: name, mayBeCached: !mustBeFresh)) }
        }
        if !needs.isEmpty { throw SchemasMissing(needs: needs) }
    }

    /// What is known of a schema; one that is not configured cannot be had.
    func schema(_ name: String) throws(SchemasMissing) -> SchemaState {
        try require([name])
        return input.schemas[name] ?? SchemaState(name: name, source: .unavailable, fetchedAt: input.now)
    }

    /// Tells once per turn which schemas were looked at.
    mutating func announce(_ names: [String]) {
        let new = names.filter { !announcedSchemas.contains($0) && input.schemas[$0] != nil }
        guard !new.isEmpty else { return }
        announcedSchemas.formUnion(new)
        update(.fetchingSchemas, ["schemas": .array(new.map(JSONValue.string))])
        let isHit = new.allSatisfy { input.schemas[$0]?.source == .cached || input.schemas[$0]?.source == .stale }
        update(.schemasFetched, ["cache_hit": .bool(isHit)])
    }

    /// " (as of 10:42)" when one of these is a stale answer, else nothing.
    func staleness(of names: [String]) -> String {
        let stale = names.compactMap { input.schemas[$0] }.filter { $0.source == .stale }
        guard let oldest = stale.map(\.fetchedAt).min() else { return "" }
        return " " + responder.text(["stale"], ["time": .string(phrases.clockTime(oldest))])
    }
}
