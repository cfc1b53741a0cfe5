import Conversation

extension Turn {
    /// Asks before a write: in the words of `confirm`, else from the action's name and its values.
    mutating func askConfirmation(_ task: ActiveTask, _ action: ActionDefinition) {
        let scope = PlaceholderScope(
            user: input.user, params: task.paramsCollected, schemas: input.schemas, definitions: configuration.schemas)
        let text = action.confirm.map { Responder.tidied(scope.text($0, phrases).text) } ?? confirmation(task, action)
        ask(
            .confirm, text + staleness(of: schemaNames(of: action)), action, QuestionContext.confirm,
            options: action.params.isEmpty ? ["yes", "no"] : ["yes", "no", "change"])
    }

    private func confirmation(_ task: ActiveTask, _ action: ActionDefinition) -> String {
        let details = details(of: task, action)
        return responder.text(
            [details.isEmpty ? "confirm.bare" : "confirm"],
            ["display_name": .string(action.displayName), "details": .string(details)])
    }

    private func details(of task: ActiveTask, _ action: ActionDefinition) -> String {
        action.params.compactMap { parameter -> String? in
            guard let entity = task.paramsCollected[parameter.name], entity.isUsable, let value = entity.value else { return nil }
            return "\(Responder.fieldName(parameter.name).lowercased()) \(entity.label ?? phrases.text(value, as: entity.kind))"
        }.joined(separator: ", ")
    }

    /// The same call is done, or not settled: only a clear yes makes a second one.
    mutating func askAgain(_ action: ActionDefinition, key: String) {
        let details = state.activeTask.map { self.details(of: $0, action) } ?? ""
        let text = responder.text(
            ["\(key).\(action.canonicalName)"] + (details.isEmpty ? ["\(key).bare"] : []) + [key],
            ["display_name": name(action), "details": .string(details)])
        ask(.confirm, text, action, QuestionContext.again)
    }

    /// The action was guessed: asked before anything else.
    mutating func askMeant(_ action: ActionDefinition) {
        ask(.clarify, responder.text(["meant"], ["display_name": .string(action.displayName)]), action, QuestionContext.meant)
    }

    mutating func askUndo(_ action: ActionDefinition) {
        ask(
            .confirm, responder.text(["undo.\(action.canonicalName)", "undo"], ["display_name": name(action)]), action, QuestionContext.undo
        )
    }

    mutating func askChange(_ action: ActionDefinition) {
        let context = QuestionContext(action.canonicalName, QuestionContext.change).text
        question = Question(
            instruction: .clarify, text: responder.text(["change"]), sheet: AnswerSheet(type: .text, context: context),
            clarification: .awaitingSlot)
    }

    private mutating func ask(
        _ instruction: Narrative.Instruction, _ text: String, _ action: ActionDefinition, _ subject: String,
        options: [String] = ["yes", "no"]
    ) {
        let words = [
            "yes": ["yeah", "yep", "yup", "sure", "ok", "okay", "please do", "go ahead", "confirm", "correct", "right", "do it"],
            "no": ["nope", "nah", "don't", "do not", "no thanks", "cancel"],
            "change": ["change it", "change that", "change something", "edit", "correct it", "correct that"],
        ]
        let titles = options.map { responder.text(["button.\($0)"]) }
        // The signal for "change" is `correct`: what is wrong with the question's values, not a third answer to it.
        let signals = options.map { $0 == "change" ? "correct" : $0 }
        let sheet = AnswerSheet(
            type: .confirmation, options: Dictionary(zip(signals, zip(options, titles).map { [$1] + (words[$0] ?? []) })) { $1 },
            order: signals,
            context: QuestionContext(action.canonicalName, subject).text)
        question = Question(
            instruction: instruction, text: text,
            options: zip(signals, titles).map { ($0, $1, nil) }, sheet: sheet,
            clarification: .awaitingConfirmation)
    }

    /// Asks the open question once more, as it stands now.
    mutating func repeatQuestion() throws(SchemasMissing) {
        guard let context = openContext else { return }
        if context.subject == QuestionContext.plan { return askPlan() }
        guard let (task, action) = live, action.canonicalName == context.action else { return closeQuestion() }
        try require(schemaNames(of: action))
        switch context.subject {
        case QuestionContext.confirm: askConfirmation(task, action)
        case QuestionContext.meant: askMeant(action)
        case QuestionContext.again: askAgain(action, key: duplicate(of: task, action) == .unsettled ? "again.unknown" : "again")
        case QuestionContext.undo: askUndo(action)
        case QuestionContext.change: askChange(action)
        default:
            guard let parameter = action.params.first(where: { $0.name == context.subject }) else { return closeQuestion() }
            try ask(for: parameter, action)
        }
    }
}
