import Conversation

/// One action that a message asks for.
struct PlannedAction {
    var intent: DetectedIntent
    var match: ActionLookup.Match
    var intentID: IntentID
}

extension Turn {
    /// Dependencies first, then higher priority, then the order of the words.
    static func ordered(_ plan: [PlannedAction]) -> [PlannedAction] {
        var rest = plan.sorted {
            ($1.match.action.priority, $0.intent.sequence) < ($0.match.action.priority, $1.intent.sequence)
        }
        var ordered: [PlannedAction] = []
        while !rest.isEmpty {
            let waiting = Set(rest.map(\.match.action.canonicalName))
            // A circle of dependencies has no first one: then the order above decides.
            let index = rest.firstIndex { planned in
                let name = planned.match.action.canonicalName
                return !planned.match.action.eligibility.after.contains { $0 != name && waiting.contains($0) }
            }
            ordered.append(rest.remove(at: index ?? 0))
        }
        return ordered
    }

    /// Looks the actions up, writes them into the ledger, and says which do not exist.
    mutating func plan(_ intents: [DetectedIntent]) -> [PlannedAction] {
        let lookup = ActionLookup(actions: configuration.actions)
        var plan: [PlannedAction] = []
        for intent in intents {
            let id = IntentID(brain.ids.next())
            guard let match = lookup.find(intent.candidates) else {
                let attempted = intent.candidates.first ?? intent.text
                update(.actionLookup, ["status": "not_found", "match_type": "not_found"])
                update(.actionNotFound, ["canonical_intent_attempted": .string(attempted)])
                log(intent, id: id, name: attempted, match: .notFound, status: .actionNotFound)
                remember(intent)
                say(.clarify, template: ["not_found"])
                continue
            }
            update(.actionLookup, ["status": "found", "match_type": .string(match.type.rawValue)])
            log(intent, id: id, name: match.action.canonicalName, match: match.type)
            remember(intent, action: match.action.canonicalName)
            plan.append(PlannedAction(intent: intent, match: match, intentID: id))
        }
        if plan.isEmpty, !intents.isEmpty { say(.clarify, capabilities()) }
        return Self.ordered(plan)
    }

    /// Starts the first action and keeps the others for after it.
    mutating func start(_ plan: [PlannedAction], text: String) throws(SchemasMissing) {
        guard let first = plan.first else { return }
        if openContext?.subject == QuestionContext.plan {
            if plan.count == 1, try answerPlan(first.match.action.canonicalName) { return }
            dropPlan()
        }
        if plan.count == 1, try continueTask(first, text) { return }
        var tasks: [ActiveTask] = []
        for planned in plan {
            let words = plan.count == 1 ? text : planned.intent.text
            var task = newTask(planned.match.action, intentID: planned.intentID)
            task.paramsCollected = try extract(words, planned.match.action, proposed: planned.intent.slots)
            task.doubt = needsMeaning(planned) ? .guessed : nil
            tasks.append(task)
        }
        pauseActive()
        state.pausedTasks.insert(contentsOf: tasks.dropFirst(), at: 0)
        if let pair = oppositePair(plan) {
            // Both are kept as they were said; the answer picks one.
            state.pausedTasks.insert(tasks[0], at: 0)
            state.shownOptions = pair.map { ChoiceOption(id: $0.canonicalName, label: $0.displayName) }
            return askPlan()
        }
        activate(tasks[0])
        noteProblems()
        try advance()
    }

    private mutating func noteProblems() {
        problems = state.activeTask?.paramsCollected.compactMapValues(\.problem) ?? [:]
    }

    /// Words for a task that is under way already belong to it: "book it for 5pm" in the middle of a booking is no second booking.
    private mutating func continueTask(_ planned: PlannedAction, _ text: String) throws(SchemasMissing) -> Bool {
        let name = planned.match.action.canonicalName
        if let (task, action) = live, task.canonicalAction == name {
            let expecting = expectedParameter(action)
            let found = try extract(
                text, action, expecting: expecting, collected: task.paramsCollected, proposed: planned.intent.slots)
            let changed = merge(found, expecting: expecting)
            if !changed.isEmpty { state.activeTask?.isConfirmed = false }
            if !needsMeaning(planned) { state.activeTask?.doubt = nil }
            try advance()
            return true
        }
        guard let index = state.pausedTasks.firstIndex(where: { $0.canonicalAction == name && $0.isOpen }) else { return false }
        resume(at: index)
        say(.converse, template: ["resume.\(name)", "resume"], ["display_name": self.name(planned.match.action)])
        let found = try extract(
            text, planned.match.action, collected: state.activeTask?.paramsCollected ?? [:], proposed: planned.intent.slots)
        _ = merge(found)
        state.activeTask?.isConfirmed = false
        if !needsMeaning(planned) { state.activeTask?.doubt = nil }
        try advance()
        return true
    }

    /// The parameter that the open question asks for, if it asks for one.
    func expectedParameter(_ action: ActionDefinition) -> String? {
        guard let context = openContext, context.action == action.canonicalName else { return nil }
        return action.params.first { $0.name == context.subject }?.name
    }

    /// A guess is asked about before it leads anywhere: a fuzzy name for a write, little confidence, or middling confidence in a write
    /// that would not ask on its own.
    private func needsMeaning(_ planned: PlannedAction) -> Bool {
        let action = planned.match.action
        switch ConfidenceLevel(planned.intent.confidence) {
        case .low, .unknown: return true
        case .medium: return action.isWrite && (planned.match.type == .fuzzy || action.confirm == nil)
        case .high: return action.isWrite && planned.match.type == .fuzzy
        }
    }

    private func oppositePair(_ plan: [PlannedAction]) -> [ActionDefinition]? {
        for (index, left) in plan.enumerated() {
            for right in plan.dropFirst(index + 1) {
                let (one, other) = (left.match.action, right.match.action)
                if one.eligibility.opposites.contains(other.canonicalName) || other.eligibility.opposites.contains(one.canonicalName) {
                    return [one, other]
                }
            }
        }
        return nil
    }

    mutating func askPlan() {
        let context = QuestionContext("", QuestionContext.plan).text
        question = choice(responder.text(["plan.choose"]), state.shownOptions, context: context, instruction: .choose)
    }

    /// The two between which is being chosen.
    private var planned: [String] { state.answerSheet?.order ?? [] }

    /// Neither of the two opposites is wanted, or none was chosen: both must go, or the next free moment would run them.
    mutating func dropPlan() {
        let names = planned
        drop(state.pausedTasks.filter { names.contains($0.canonicalAction) && $0.status == .initiated }, reason: "not_chosen")
        closeQuestion()
    }

    mutating func drop(_ tasks: [ActiveTask], reason: String) {
        for task in tasks { log(task, .cancelled, reasons: [reason]) }
        state.pausedTasks.removeAll { paused in tasks.contains { $0.taskID == paused.taskID } }
    }

    /// One of two opposites was picked: it starts, the other is dropped. False when the answer picks none.
    mutating func answerPlan(_ signal: String?) throws(SchemasMissing) -> Bool {
        let names = planned
        guard let signal, names.contains(signal),
            let index = state.pausedTasks.firstIndex(where: { $0.canonicalAction == signal && $0.isOpen })
        else { return false }
        let others = state.pausedTasks.filter {
            names.contains($0.canonicalAction) && $0.canonicalAction != signal && $0.status == .initiated
        }
        let task = state.pausedTasks.remove(at: index)
        drop(others, reason: "opposite:\(signal)")
        activate(task)
        try advance()
        return true
    }
}
