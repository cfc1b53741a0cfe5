import Conversation

extension Turn {
    /// Answers a policy's no to a call that had been decided: as a blocker that ends the task, with the value asked for anew where another
    /// one would be allowed, or by people.
    mutating func refuse(_ task: ActiveTask, _ action: ActionDefinition, _ refusal: ActionRefusal) throws(SchemasMissing) {
        log(task, .blocked, reasons: [refusal.code])
        var fields: [String: JSONValue] = ["reasons": [.string(refusal.code)]]
        fields["retry_after_s"] = refusal.retryAfter.map { .number($0.seconds) }
        update(.actionBlocked, fields)
        if refusal.handsOver {
            close(task)
            say(.handover, refusal.text)
            return handOver(
                .policyViolation, "\(action.canonicalName) was refused: \(refusal.code)", tell: refusal.text.trimmingSpaces.isEmpty)
        }
        say(.handleBlocker, refusal.text)
        if let parameter = correctable(refusal, task, action) { return try askAnew(parameter, action) }
        close(task)
        state.clarification = .init()
        try continueWithNext()
    }

    private mutating func close(_ task: ActiveTask) {
        closeQuestion()
        setStatus(.failed)
        lastEnded = task.canonicalAction
    }

    /// The parameter whose amount is over a limit, when it is known.
    private func correctable(_ refusal: ActionRefusal, _ task: ActiveTask, _ action: ActionDefinition) -> ParameterDefinition? {
        let rule = configuration.policies.rules.first { "rule:\($0.name)" == refusal.code }
        switch rule?.condition {
        case .atMost(let name, _, _): return action.params.first { $0.name == name && task.paramsCollected[name] != nil }
        case .hours, .tier, nil: return nil
        }
    }

    /// Asks for a value once more; the third that is refused is for a person.
    private mutating func askAnew(_ parameter: ParameterDefinition, _ action: ActionDefinition) throws(SchemasMissing) {
        state.activeTask?.paramsCollected[parameter.name] = nil
        state.activeTask?.isConfirmed = false
        if isFruitless(Self.refusalMark + action.canonicalName) { return setStatus(.failed) }
        if let task = state.activeTask { log(task, .collecting) }
        try ask(for: parameter, action)
    }
}
