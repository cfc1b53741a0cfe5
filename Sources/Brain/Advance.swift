import Conversation

extension Turn {
    /// Takes the active task as far as it goes: schema state, eligibility, parameters, duplicates, confirmation, decision.
    mutating func advance(allowsRemedy: Bool = true, allowsDuplicate: Bool = false) throws(SchemasMissing) {
        guard let (doubtful, action) = live else { return }
        switch doubtful.doubt {
        case .guessed: return askMeant(action)
        case .offered: return askUndo(action)
        case nil: break
        }
        try gather(action)
        update(.checkingEligibility)
        guard let task = state.activeTask else { return }
        let reasons = try reasons(against: action)
        update(.eligibilityChecked, ["eligible": .bool(reasons.isEmpty), "reasons": .array(reasons.map(JSONValue.string))])
        if !reasons.isEmpty {
            if allowsRemedy, let remedy = remedy(for: reasons, of: action), remedy.canonicalName != lastEnded {
                return try collect(with: remedy, before: action)
            }
            return try block(task, action, reasons, flipped: task.isConfirmed)
        }
        try fillDefaults(action)
        guard try hasAllParameters(action) else { return }
        try commit(action, allowsDuplicate: allowsDuplicate)
    }

    private mutating func gather(_ action: ActionDefinition) throws(SchemasMissing) {
        let names = schemaNames(of: action)
        // What a call of ours may have changed lately is not read from a cache.
        let changed = input.recentFingerprints.isEmpty ? [] : names.filter { configuration.schema(named: $0)?.isPersonal ?? false }
        try require(names, fresh: mustRefresh ? names : changed)
        announce(names)
    }

    /// Asks for the first parameter that is missing, or ends where nothing can be chosen.
    private mutating func hasAllParameters(_ action: ActionDefinition) throws(SchemasMissing) -> Bool {
        let collected = state.activeTask?.paramsCollected ?? [:]
        let missing = action.params.filter { parameter in
            let entity = collected[parameter.name]
            // An optional value that was said and cannot be used is asked for again; one that was never said is not.
            return parameter.required ? !(entity?.isUsable ?? false) : entity.map { !$0.isUsable } ?? false
        }
        guard let first = missing.first else { return true }
        for parameter in missing where parameter.required {
            switch try options(of: parameter) {
            case .unavailable(let schema):
                if let task = state.activeTask { try block(task, action, ["schema_unavailable:\(schema)"], flipped: false) }
                return false
            case .list(let options) where options.isEmpty:
                try endEmpty(parameter, action)
                return false
            case .list, nil: continue
            }
        }
        update(.collectingParams, ["params_missing": .array(missing.map { .string($0.name) })])
        if let task = state.activeTask, task.status != .collectingParams { log(task, .collecting) }
        try ask(for: first, action)
        return false
    }

    private mutating func endEmpty(_ parameter: ParameterDefinition, _ action: ActionDefinition) throws(SchemasMissing) {
        let note = parameter.source.map { staleness(of: [$0.schema]) } ?? ""
        let keys = ["empty.\(action.canonicalName).\(parameter.name)", "empty.\(action.canonicalName)", "empty"]
        say(.handleBlocker, responder.text(keys, ["display_name": name(action)]) + note)
        try end(.cancelled, .cancelled, reasons: ["empty:\(parameter.name)"])
    }

    private mutating func commit(_ action: ActionDefinition, allowsDuplicate: Bool) throws(SchemasMissing) {
        guard let task = state.activeTask else { return }
        setStatus(.readyToExecute)
        switch allowsDuplicate ? .none : duplicate(of: task, action) {
        case .none: break
        case .running: return try endAsRunning(action)
        case .unsettled: return askAgain(action, key: "again.unknown")
        case .done: return askAgain(action, key: "again")
        }
        if needsConfirmation(task, action) { return askConfirmation(task, action) }
        if action.isWrite {
            let names = eligibilitySchemas(of: action)
            try require(names, fresh: names)
        }
        try decide(task, action)
    }

    private func needsConfirmation(_ task: ActiveTask, _ action: ActionDefinition) -> Bool {
        guard action.isWrite, !task.isConfirmed else { return false }
        return action.confirm != nil || task.paramsCollected.values.contains { $0.needsConfirmation && $0.isUsable }
    }

    private mutating func endAsRunning(_ action: ActionDefinition) throws(SchemasMissing) {
        say(.reportProgress, template: ["being_done.\(action.canonicalName)", "being_done"], ["display_name": name(action)])
        try end(.cancelled, .cancelled, reasons: ["duplicate"])
    }

    /// Starts the action that collects what is missing, and keeps this one for afterwards.
    private mutating func collect(with remedy: ActionDefinition, before action: ActionDefinition) throws(SchemasMissing) {
        say(.handleBlocker, template: ["collect.\(action.canonicalName)", "collect"], ["display_name": name(action)])
        pauseActive()
        activate(newTask(remedy, intentID: IntentID(brain.ids.next())))
        if let task = state.activeTask { log(task, .new) }
        try advance(allowsRemedy: false)
    }

    /// Ends the active task, and goes on with what waits.
    mutating func end(
        _ status: ActiveTask.Status, _ ledger: IntentLedgerEntry.Status, reasons: [String] = [], continues: Bool = true
    ) throws(SchemasMissing) {
        closeQuestion()
        setStatus(status)
        lastEnded = state.activeTask?.canonicalAction
        state.clarification = .init()
        if let task = state.activeTask { log(task, ledger, reasons: reasons) }
        userState = status == .completed ? .afterAction : .idle
        if continues { try continueWithNext() }
    }
}
