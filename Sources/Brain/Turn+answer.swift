import Conversation

extension Turn {
    /// Takes an answer to the open question. `signal` is the matched option, `value`, or nil for words that matched nothing.
    mutating func answer(_ signal: String?, _ text: String, isPressed: Bool = false) throws(SchemasMissing) {
        guard let context = openContext else { return try answerNothing(text) }
        let signal = signal.map { $0 == "value" } ?? true ? offeredSignal(text) ?? signal : signal
        switch signal {
        case "repeat": return try repeatQuestion()
        case "wait": return say(.converse, template: ["take_your_time"])
        default: break
        }
        if context.subject == QuestionContext.plan {
            if try answerPlan(signal) { return }
            if signal == "no" {
                say(.converse, template: ["declined"])
                return dropPlan()
            }
            let names = state.answerSheet
            guard isFruitless(context.text) else { return askPlan() }
            state.answerSheet = names
            return dropPlan()
        }
        guard let (_, action) = live, action.canonicalName == context.action else {
            closeQuestion()
            return try answerNothing(text)
        }
        try require(schemaNames(of: action))
        switch context.subject {
        case QuestionContext.confirm, QuestionContext.change: try answerConfirmation(signal, isPressed ? "" : text, action, context)
        case QuestionContext.meant: try answerMeant(signal, text, action, context)
        case QuestionContext.again: try answerAgain(signal, action, context)
        case QuestionContext.undo: try answerUndo(signal, action, context)
        default:
            guard let parameter = action.params.first(where: { $0.name == context.subject }) else { return closeQuestion() }
            try answerSlot(signal, text, parameter, action)
        }
    }

    /// The signal of which these are exactly the words, for answers that nobody matched before.
    func offeredSignal(_ text: String) -> String? {
        let words = text.lowercased().trimmingSpaces
        return state.answerSheet?.options.first { signal, others in ([signal] + others).contains { $0.lowercased() == words } }?.key
    }

    /// An answer without a question: news about what runs, or a correction that comes late.
    private mutating func answerNothing(_ text: String) throws(SchemasMissing) {
        let running = ([state.activeTask].compactMap { $0 } + state.pausedTasks).first { $0.status == .executing }
        guard let running, let action = configuration.action(named: running.canonicalAction) else {
            return say(.clarify, template: ["no_question"])
        }
        let found = try extract(text, action, collected: running.paramsCollected, proposed: answerSlots)
        guard action.isWrite, found.contains(where: { $1.isUsable && running.paramsCollected[$0]?.value != $1.value }) else {
            return say(.reportProgress, template: ["being_done"], ["display_name": name(action)])
        }
        try supersede(running, action, found)
    }

    /// A correction supersedes a decision only while that is not sent: the call is taken back, and the corrected one confirmed anew.
    private mutating func supersede(
        _ running: ActiveTask, _ action: ActionDefinition, _ found: [String: Entity]
    ) throws(SchemasMissing) {
        interrupt(running)
        let isTakenBack = effects.contains { effect in
            guard case .cancelAction(let id) = effect else { return false }
            return id == running.actionID
        }
        guard isTakenBack else { return }
        pauseActive()
        activate(newTask(action, intentID: running.intentID, collected: running.paramsCollected))
        _ = merge(found)
        try advance(allowsDuplicate: true)
    }

    private mutating func answerSlot(
        _ signal: String?, _ text: String, _ parameter: ParameterDefinition, _ action: ActionDefinition
    ) throws(SchemasMissing) {
        switch signal {
        case "no" where !(state.answerSheet?.options.keys.contains("no") ?? false), "stop": return try decline()
        case "skip":
            if parameter.required {
                say(.askForParams, template: ["required"])
            } else {
                state.activeTask?.paramsCollected[parameter.name] = nil
            }
            return try advance()
        default: break
        }
        let changed: Set<String>
        if let signal, var entity = try entity(for: signal, parameter) {
            if answerIsModels, !Self.occurs(entity.raw, in: text) { entity.needsConfirmation = true }
            changed = merge([parameter.name: entity])
        } else {
            let collected = state.activeTask?.paramsCollected ?? [:]
            let found = try extract(text, action, expecting: parameter.name, collected: collected, proposed: answerSlots)
            changed = merge(found, expecting: parameter.name)
        }
        let isFilled = state.activeTask?.paramsCollected[parameter.name]?.isUsable ?? false
        let context = QuestionContext(action.canonicalName, parameter.name).text
        if isFilled {
            state.clarification.attempts[context] = nil
        } else {
            if problems[parameter.name] == nil, changed.isEmpty { problems[parameter.name] = .invalid }
            let isProgress = !changed.isEmpty && problems[parameter.name]?.isNews ?? true
            if !isProgress, isFruitless(context) { return }
        }
        try advance()
    }

    private mutating func answerConfirmation(
        _ signal: String?, _ text: String, _ action: ActionDefinition, _ context: QuestionContext
    ) throws(SchemasMissing) {
        let changed = merge(try extract(text, action, collected: state.activeTask?.paramsCollected ?? [:], proposed: answerSlots))
        if !changed.isEmpty || !problems.isEmpty {
            state.activeTask?.isConfirmed = false
            if problems.isEmpty { say(.confirm, template: ["changed"]) }
            return try advance()
        }
        switch signal {
        case "yes" where context.subject == QuestionContext.confirm:
            state.activeTask?.isConfirmed = true
            for name in state.activeTask?.paramsCollected.keys.sorted() ?? [] {
                state.activeTask?.paramsCollected[name]?.needsConfirmation = false
            }
            try advance()
        case "yes": try advance()
        case "no", "stop": try decline()
        case "correct" where !action.params.isEmpty: askChange(action)
        default:
            if !isFruitless(context.text) {
                say(.clarify, template: ["unknown"])
                try repeatQuestion()
            }
        }
    }

    private mutating func answerMeant(
        _ signal: String?, _ text: String, _ action: ActionDefinition, _ context: QuestionContext
    ) throws(SchemasMissing) {
        switch signal {
        case "yes":
            state.activeTask?.doubt = nil
            if action.confirm == nil { state.activeTask?.isConfirmed = true }
            try advance()
        case "no", "stop":
            say(.clarify, template: ["not_meant"])
            try end(.cancelled, .cancelled, reasons: ["not_meant"])
        default: try askOnce(more: context)
        }
    }

    private mutating func answerAgain(_ signal: String?, _ action: ActionDefinition, _ context: QuestionContext) throws(SchemasMissing) {
        switch signal {
        case "yes":
            // A call of its own: a new task, and with it a new key.
            let taskID = brain.ids.next()
            state.activeTask?.taskID = taskID
            state.activeTask?.isConfirmed = true
            try advance(allowsDuplicate: true)
        case "no", "stop":
            say(.converse, template: ["again.declined"])
            try end(.cancelled, .cancelled, reasons: ["duplicate"])
        default: try askOnce(more: context)
        }
    }

    private mutating func answerUndo(_ signal: String?, _ action: ActionDefinition, _ context: QuestionContext) throws(SchemasMissing) {
        switch signal {
        case "yes":
            state.activeTask?.doubt = nil
            state.activeTask?.isConfirmed = true
            if let task = state.activeTask { log(task, .new) }
            try advance(allowsDuplicate: true)
        case "no", "stop":
            say(.converse, template: ["declined.undo"])
            try end(.cancelled, .cancelled)
        default: try askOnce(more: context)
        }
    }

    private mutating func askOnce(more context: QuestionContext) throws(SchemasMissing) {
        if !isFruitless(context.text) { try repeatQuestion() }
    }

    /// The customer does not want it after all.
    mutating func decline() throws(SchemasMissing) {
        say(.converse, template: ["declined"])
        try end(.cancelled, .cancelled, reasons: ["declined"])
    }
}

extension SlotProblem {
    /// Whether a try with this problem still told us something: half a value is progress, a closed day is not.
    var isNews: Bool {
        switch self {
        case .incomplete, .ambiguous: true
        case .past, .closed, .invalid, .nonexistent: false
        }
    }
}
