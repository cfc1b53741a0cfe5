import Conversation

extension Turn {
    /// A pressed button or row. False when it is none of ours and its title has been understood as words.
    mutating func handle(_ reply: InteractiveReply) throws(SchemasMissing) -> Bool {
        guard let offered = state.offeredReplies.last(where: { $0.id == reply.id }) else {
            // A button that the brand itself sent. Its "Yes" is none to our own question.
            if openContext == nil, !input.intents.isEmpty, reply.title?.trimmingSpaces.isEmpty == false { return false }
            say(.clarify, template: ["expired"])
            try repeatQuestion()
            return true
        }
        remember(
            DetectedIntent(
                type: .response, confidence: 1, signal: offered.signal, text: offered.title, source: .answerSheet))
        state.clarification.unknownInARow = 0
        let isSameQuestion = state.expectingResponse && state.answerSheet.map(offeredContext) == offered.context
        let isOpenQuestion = isSameQuestion && (offered.taskID == nil || state.activeTask?.taskID == offered.taskID)
        if isOpenQuestion {
            try answer(offered.signal, offered.title, isPressed: true)
        } else {
            try pressOld(offered)
        }
        if question == nil { try repeatQuestion() }
        return true
    }

    /// A press of an old menu: it may still fill its own task, and never does anything twice.
    private mutating func pressOld(_ offered: OfferedReply) throws(SchemasMissing) {
        let context = QuestionContext(offered.context)
        let name = configuration.action(named: context.action).map { self.name($0) } ?? ""
        guard let taskID = offered.taskID, let place = place(of: taskID) else {
            let isRunning = input.openActions.contains { $0.taskID == offered.taskID && $0.state != .unknown }
            return say(.converse, template: [isRunning ? "being_done" : "closed_menu"], ["display_name": name])
        }
        let task =
            switch place {
            case .active: state.activeTask
            case .paused(let index): state.pausedTasks[index]
            }
        switch task?.status {
        case .executing:
            if offered.signal == "no", let task { return interrupt(task) }
            say(.reportProgress, template: ["being_done"], ["display_name": name])
        case .completed: say(.converse, template: ["done_already"], ["display_name": name])
        case .cancelled: say(.converse, template: ["cancelled_before"], ["display_name": name])
        case .failed, nil: say(.converse, template: ["closed_menu"], ["display_name": name])
        case .initiated, .collectingParams, .readyToExecute: try pressOpen(offered, context, place)
        }
    }

    /// An old menu of a task that is still open: another choice for its parameter is a correction.
    private mutating func pressOpen(_ offered: OfferedReply, _ context: QuestionContext, _ place: Place) throws(SchemasMissing) {
        if case .paused(let index) = place { resume(at: index) }
        guard let (_, action) = live else { return }
        if let parameter = action.params.first(where: { $0.name == context.subject }) {
            try require(schemaNames(of: action))
            guard let entity = try entity(for: offered.signal, parameter) else { return try advance() }
            if !merge([parameter.name: entity]).isEmpty { state.activeTask?.isConfirmed = false }
        } else if offered.signal == "no" {
            // A no is a no, whatever has been asked since.
            return try decline()
        }
        // A yes to an older wording is not a yes to this one: advancing asks again.
        try advance()
    }
}
