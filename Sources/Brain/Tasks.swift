import Conversation

extension Turn {
    func newTask(_ action: ActionDefinition, intentID: IntentID, collected: [String: Entity] = [:]) -> ActiveTask {
        ActiveTask(
            taskID: brain.ids.next(), intentID: intentID, canonicalAction: action.canonicalName, actionType: action.type,
            paramsRequired: action.params.filter(\.required).map(\.name), paramsCollected: collected, createdAt: input.now,
            updatedAt: input.now)
    }

    /// Makes a task the active one; whoever calls has put the former one away.
    mutating func activate(_ task: ActiveTask) {
        closeQuestion()
        state.activeTask = task
        state.clarification = .init()
    }

    /// Puts the active task aside: an open one to come back to, an executing one to be found by its result.
    mutating func pauseActive() {
        guard let task = state.activeTask, task.isOpen || task.status == .executing else { return }
        if !state.pausedTasks.contains(where: { $0.taskID == task.taskID }) { state.pausedTasks.insert(task, at: 0) }
        state.activeTask = nil
        closeQuestion()
    }

    /// Brings a paused task back, and puts the active one aside.
    mutating func resume(at index: Int) {
        let task = state.pausedTasks.remove(at: index)
        pauseActive()
        activate(task)
    }

    /// Goes on with the first task that waits, in the same reply.
    mutating func continueWithNext() throws(SchemasMissing) {
        guard let index = state.pausedTasks.firstIndex(where: { $0.isOpen }) else { return }
        let task = state.pausedTasks.remove(at: index)
        keepExecuting()
        activate(task)
        guard let action = configuration.action(named: task.canonicalAction) else {
            setStatus(.cancelled)
            log(task, .cancelled, reasons: ["action_gone"])
            return try continueWithNext()
        }
        let key = task.status == .initiated ? "next" : "resume"
        say(.converse, template: ["\(key).\(action.canonicalName)", key], ["display_name": name(action)])
        try advance()
    }

    /// An executing task stays findable when another one becomes active.
    private mutating func keepExecuting() {
        if let task = state.activeTask, task.status == .executing { state.pausedTasks.append(task) }
    }

    /// Where a decided call's task is now.
    enum Place {
        case active
        case paused(Int)
    }

    func place(of report: UniqueID) -> Place? {
        if state.activeTask?.taskID == report { return .active }
        return state.pausedTasks.firstIndex { $0.taskID == report }.map(Place.paused)
    }

    /// Changes the task of a decided call wherever it is.
    mutating func change(_ taskID: UniqueID, _ body: (inout ActiveTask) -> Void) {
        switch place(of: taskID) {
        case .active:
            if var task = state.activeTask {
                body(&task)
                state.activeTask = task
            }
        case .paused(let index): body(&state.pausedTasks[index])
        case nil: break
        }
    }
}
