import Conversation

extension Turn {
    /// Every reason, as a code, why this customer may not do this now; empty when allowed.
    func reasons(against action: ActionDefinition) throws(SchemasMissing) -> [String] {
        let rule = action.eligibility
        var reasons: [String] = []
        if let tier = rule.userTier, !reaches(tier) { reasons.append("tier:\(tier)") }
        if rule.requiresAuth, !input.user.isVerified { reasons.append("auth") }
        reasons += try schemaReasons(action)
        for name in rule.blockers where try holds(name) { reasons.append("blocker:\(name)") }
        reasons += rule.after.filter { !completed.contains($0) }.map { "after:\($0)" }
        reasons += rule.opposites.filter { isInFlight($0) }.map { "opposite:\($0)" }
        return Self.unique(reasons)
    }

    private func reaches(_ tier: String) -> Bool {
        guard let needed = configuration.tiers.firstIndex(of: tier), let own = configuration.tiers.firstIndex(of: input.user.tier) else {
            return false
        }
        return own >= needed
    }

    private func schemaReasons(_ action: ActionDefinition) throws(SchemasMissing) -> [String] {
        var reasons: [String] = []
        for (name, keys) in action.eligibility.schemas.sorted(by: { $0.key < $1.key }) {
            let state = try schema(name)
            if state.source == .unavailable {
                reasons.append("schema_unavailable:\(name)")
                continue
            }
            for key in keys {
                let definition = configuration.schema(named: name)?.keys.first { $0.name == key }
                let status = definition.map { SchemaCompletion.status(of: $0, in: state, matches: brain.matches) } ?? .none
                if status != .complete { reasons.append("schema_dependency_failed:\(name).\(key)") }
            }
        }
        guard action.isWrite else { return reasons }
        // Nobody knows whether a blocker holds when its schema cannot be had: a write does not bet on it.
        for name in eligibilitySchemas(of: action) where try schema(name).source == .unavailable {
            reasons.append("schema_unavailable:\(name)")
        }
        return reasons
    }

    private func holds(_ name: String) throws(SchemasMissing) -> Bool {
        guard let blocker = configuration.blockers.first(where: { $0.name == name }) else { return false }
        let state = try schema(blocker.schema)
        guard state.isKnown, let value = state.body.at(pointer: blocker.path) else { return false }
        let number = value.double ?? value.string.flatMap(Double.init)
        return switch blocker.condition {
        case .greaterThan(let limit): number.map { $0 > limit } ?? false
        case .lessThan(let limit): number.map { $0 < limit } ?? false
        case .equals(let other): value == other || (number != nil && number == other.double)
        case .present: !value.isNull && value != .string("")
        }
    }

    private func isInFlight(_ action: String) -> Bool {
        input.openActions.contains { $0.canonicalAction == action && $0.state != .unknown }
    }

    /// Ends the active task because it is not allowed, with all reasons told; `flipped` when it was allowed before.
    mutating func block(_ task: ActiveTask, _ action: ActionDefinition, _ reasons: [String], flipped: Bool) throws(SchemasMissing) {
        closeQuestion()
        setStatus(.failed)
        lastEnded = task.canonicalAction
        state.clarification = .init()
        log(task, .blocked, reasons: reasons)
        update(.actionBlocked, ["reasons": .array(reasons.map(JSONValue.string))])
        if flipped { say(.handleBlocker, template: ["flipped"]) }
        for reason in reasons { say(.handleBlocker, blockText(reason, action)) }
        try continueWithNext()
    }

    private func blockText(_ reason: String, _ action: ActionDefinition) -> String {
        let pieces = reason.split(separator: ":", maxSplits: 1).map(String.init)
        let code = pieces[0]
        let subject = pieces.count > 1 ? pieces[1] : ""
        if code == "blocker", let blocker = configuration.blockers.first(where: { $0.name == subject }) {
            let scope = PlaceholderScope(
                user: input.user, params: state.activeTask?.paramsCollected ?? [:], schemas: input.schemas,
                definitions: configuration.schemas)
            let (text, _) = scope.text(blocker.say, phrases)
            return Responder.tidied(text) + staleness(of: [blocker.schema])
        }
        let isQuoted = ["tier", "auth"].contains(code)
        let other = configuration.action(named: subject)?.displayName ?? subject
        let key = subject.split(separator: ".").last.map { Responder.fieldName(String($0)).lowercased() } ?? subject
        let schema = subject.split(separator: ".").first.map(String.init) ?? subject
        return responder.text(
            ["blocked.\(code).\(subject)", "blocked.\(code)", "blocked"],
            [
                "display_name": isQuoted ? .string(action.displayName) : name(action), "tier": .string(subject), "other": .string(other),
                "key": .string(key),
            ]) + staleness(of: [schema])
    }

    /// The action that mends all of these reasons, when one configured action can. What is missing names it; that it has not been done
    /// yet is then mended with it.
    func remedy(for reasons: [String], of action: ActionDefinition) -> ActionDefinition? {
        let prefix = "schema_dependency_failed:"
        let missing = reasons.filter { $0.hasPrefix(prefix) }
        let schemas = Set(missing.compactMap { $0.dropFirst(prefix.count).split(separator: ".").first.map(String.init) })
        let names = Set(schemas.map { configuration.schema(named: $0)?.collectWith ?? "" })
        guard names.count == 1, let name = names.first, name != action.canonicalName else { return nil }
        guard reasons.allSatisfy({ $0.hasPrefix(prefix) || $0 == "after:\(name)" }) else { return nil }
        return configuration.action(named: name)
    }
}
