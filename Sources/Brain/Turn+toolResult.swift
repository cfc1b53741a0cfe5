import Conversation

extension Turn {
    /// Tells how an action ended, and goes on with what waits.
    mutating func handle(_ report: ActionReport) throws(SchemasMissing) {
        guard let action = configuration.action(named: report.canonicalAction) else { return handleGone(report) }
        switch report.state {
        case .retrying(_, let reason): return sayRetrying(report, reason)
        case .done, .refused, .notDone, .unknown, .cancelled: break
        }
        let known = knownTask(of: report)
        // A result that was told is not told again.
        if let known, known.status == .completed, case .done = report.state { return }
        let task = known ?? self.task(for: report, action)
        switch report.state {
        case .done(let complete): try handleDone(report, action, task, complete: complete)
        case .refused(let status, let detail): try handleRefused(report, action, task, status: status, detail: detail)
        case .notDone(let reason):
            fail(report, task, "not_done:\(reason)")
            say(
                .reportError, template: ["report_error.\(action.canonicalName)", "report_error"],
                ["display_name": name(action)])
            handOver(report, "\(action.canonicalName) was not done: \(reason)")
            try wrapUp(report, .failed)
        case .unknown(let reason):
            fail(report, task, "outcome_unknown:\(reason)")
            let key = action.isWrite ? "report_unknown" : "report_unknown.read"
            say(.reportError, template: ["\(key).\(action.canonicalName)", key], ["display_name": name(action)])
            handOver(report, "The outcome of \(action.canonicalName) is unknown: \(reason)", isGrave: action.isWrite)
            try wrapUp(report, .failed)
        case .cancelled:
            log(task, .cancelled, reasons: ["stopped"])
            update(.actionFailed, ["error": "cancelled"])
            say(.reportCompletion, template: ["cancelled.\(action.canonicalName)", "cancelled"], ["display_name": name(action)])
            try wrapUp(report, .cancelled)
        case .retrying: break
        }
        if question == nil { try repeatQuestion() }
    }

    private func knownTask(of report: ActionReport) -> ActiveTask? {
        switch place(of: report.taskID) {
        case .active: state.activeTask
        case .paused(let index): state.pausedTasks[index]
        case nil: nil
        }
    }

    /// A task that is no longer remembered is told from its report alone.
    private func task(for report: ActionReport, _ action: ActionDefinition) -> ActiveTask {
        ActiveTask(
            taskID: report.taskID, intentID: report.intentID, canonicalAction: report.canonicalAction, actionType: action.type,
            paramsRequired: [], paramsCollected: report.params, status: .executing, actionID: report.id, createdAt: input.now,
            updatedAt: input.now)
    }

    /// The action left the configuration while it ran: its end is still told.
    private mutating func handleGone(_ report: ActionReport) {
        switch report.state {
        case .retrying: return
        case .done:
            say(.reportCompletion, template: ["report_completion"], ["display_name": .string(Responder.fieldName(report.canonicalAction))])
        case .refused, .notDone, .cancelled:
            say(.reportError, template: ["report_error"], ["display_name": .string(Responder.fieldName(report.canonicalAction))])
        case .unknown:
            say(.reportError, template: ["report_unknown"], ["display_name": .string(Responder.fieldName(report.canonicalAction))])
        }
        change(report.taskID) { $0.status = .failed }
        effects.append(
            .handover(
                HandoverRequest(trigger: .systemError, summary: "\(report.canonicalAction) is no longer configured", action: report.id)))
    }

    private mutating func sayRetrying(_ report: ActionReport, _ reason: String) {
        update(.actionProgress, ["progress": 0, "current_step": "retrying"])
        guard let task = knownTask(of: report), task.status == .executing, !task.interimSaid else { return }
        change(report.taskID) { $0.interimSaid = true }
        say(.reportProgress, template: ["retrying.\(report.canonicalAction)", "retrying"])
    }

    private mutating func handleDone(
        _ report: ActionReport, _ action: ActionDefinition, _ task: ActiveTask, complete: Bool
    ) throws(SchemasMissing) {
        log(task, .completed)
        update(.actionCompleted, ["result": .object(report.result)])
        completed.insert(action.canonicalName)
        forgetFailures(of: action.canonicalName)
        state.clarification.attempts[Self.refusalMark + action.canonicalName] = nil
        mustRefresh = action.isWrite
        let wasStopped = task.stopRequested && action.isWrite
        if wasStopped { say(.reportCompletion, template: ["undo.late"]) }
        say(.reportCompletion, Completion(turn: self, report: report, action: action).text(isComplete: complete))
        remember(shown: report, action)
        finishTask(report, .completed)
        userState = .afterAction
        if wasStopped { return offerUndo(of: report, action) }
        try continueAfterEnd()
    }

    /// "The second one" counts in the list that was told last.
    private mutating func remember(shown report: ActionReport, _ action: ActionDefinition) {
        guard let list = action.resultList, let items = report.body.at(pointer: list.path)?.array else { return }
        let options = items.prefix(Completion.mostLines).compactMap { item -> ChoiceOption? in
            guard let id = item["id"]?.plainText, !id.isEmpty else { return nil }
            return ChoiceOption(id: id, label: id)
        }
        if !options.isEmpty { state.shownOptions = options }
    }

    private mutating func handleRefused(
        _ report: ActionReport, _ action: ActionDefinition, _ task: ActiveTask, status: Int, detail: String?
    ) throws(SchemasMissing) {
        fail(report, task, "refused:\(status)")
        let shown = detail.flatMap { RefusalText.detail(from: .string($0)) }
        say(
            .reportError,
            template: shown == nil
                ? ["refused.\(action.canonicalName).bare", "refused.bare"] : ["refused.\(action.canonicalName)", "refused"],
            ["display_name": name(action), "detail": JSONValue(shown.map(Self.sentence))])
        let parameter = action.params.first { $0.name == action.refusedParameter }
        guard let parameter, let place = place(of: report.taskID), !task.stopRequested else { return try wrapUp(report, .failed) }
        if case .paused(let index) = place { resume(at: index) }
        var next = newTask(action, intentID: task.intentID, collected: task.paramsCollected)
        next.paramsCollected[parameter.name] = nil
        let attempts = state.clarification
        activate(next)
        state.clarification = attempts
        mustRefresh = true
        if !isFruitless(Self.refusalMark + action.canonicalName) { try advance() }
    }

    private mutating func fail(_ report: ActionReport, _ task: ActiveTask, _ reason: String) {
        log(task, .failed, reasons: [reason])
        update(.actionFailed, ["error": .string(reason)])
    }

    /// People look into one failure behind the scenes, when it is grave; the second in a row, or of the same action, is theirs to answer.
    private mutating func handOver(_ report: ActionReport, _ summary: String, isGrave: Bool = true) {
        var failures = state.failures ?? ActionFailures()
        failures.inARow += 1
        let isRepeated = failures.inARow >= 2 || failures.names.contains(report.canonicalAction)
        failures.names.append(report.canonicalAction)
        state.failures = isRepeated ? nil : failures
        if isRepeated { return handOver(.repeatedFailure, summary, action: report.id) }
        guard isGrave else { return }
        effects.append(.handover(HandoverRequest(trigger: .systemError, summary: summary, action: report.id)))
    }

    private mutating func forgetFailures(of action: String) {
        state.failures?.inARow = 0
        state.failures?.names.removeAll { $0 == action }
    }

    /// The bot has the conversation again: it says so once, with what came of actions meanwhile.
    mutating func handle(_ handBack: HandBack) throws(SchemasMissing) {
        if !handBack.summary.isEmpty { state.handBack = handBack.summary }
        state.clarification = .init()
        closeQuestion()
        say(.handover, template: [handBack.words], at: .opening)
        for report in handBack.reports { try handle(report) }
    }

    private mutating func wrapUp(_ report: ActionReport, _ status: ActiveTask.Status) throws(SchemasMissing) {
        finishTask(report, status)
        try continueAfterEnd()
    }

    /// The ended task stays visible when it is the active one; a paused one leaves.
    private mutating func finishTask(_ report: ActionReport, _ status: ActiveTask.Status) {
        lastEnded = report.canonicalAction
        switch place(of: report.taskID) {
        case .active:
            setStatus(status)
            closeQuestion()
        case .paused(let index): state.pausedTasks.remove(at: index)
        case nil: break
        }
    }

    /// What waits goes on only when nothing else is under way.
    private mutating func continueAfterEnd() throws(SchemasMissing) {
        if state.activeTask?.isOpen ?? false { return }
        if state.activeTask?.status == .executing { return }
        try continueWithNext()
    }

    /// Offers the compensation of a call that went through although the customer said stop.
    private mutating func offerUndo(of report: ActionReport, _ action: ActionDefinition) {
        guard let undo = action.compensate.flatMap(configuration.action(named:)) else {
            return say(.reportCompletion, template: ["undo.none"])
        }
        pauseActive()
        var task = newTask(undo, intentID: IntentID(brain.ids.next()), collected: Compensation.params(of: undo, from: report))
        task.doubt = .offered
        activate(task)
        askUndo(undo)
    }

    /// A refusal's detail ends like a sentence.
    private static func sentence(_ text: String) -> String {
        text.last.map { ".!?…".contains($0) } ?? true ? text : text + "."
    }

    /// The wait for a result ended first: says so once, unless the result or another interim word was faster.
    mutating func handleInlineWait(_ id: ActionID) {
        let tasks = [state.activeTask].compactMap { $0 } + state.pausedTasks
        guard let task = tasks.first(where: { $0.actionID == id }), task.status == .executing, !task.interimSaid,
            input.openActions.contains(where: { $0.id == id && $0.state != .unknown })
        else { return }
        change(task.taskID) { $0.interimSaid = true }
        let step = configuration.action(named: task.canonicalAction)?.progress.first
        say(
            .reportProgress,
            template: ["report_progress.\(task.canonicalAction)"]
                + (step == nil ? ["report_progress"] : ["report_progress.step", "report_progress"]),
            ["step": JSONValue(step)])
    }
}
