import Conversation

extension Turn {
    /// How many offered buttons are remembered.
    static let offeredLimit = 50

    /// Makes one reply of all that is to be said, and brings the wires up to date.
    mutating func finish() -> TurnResult {
        if let reply = composeReply() {
            effects.append(.reply(reply))
            state.lastRepliedAt = input.now
        }
        refreshContext()
        return TurnResult(state: state, effects: effects)
    }

    private mutating func composeReply() -> Reply? {
        let ordered = [Utterance.Place.opening, .body, .closing].map { place in said.filter { $0.place == place } }
        var text = ordered[0].map(\.text).joined(separator: " ")
        let middle = (ordered[1].map(\.text) + [question?.text].compactMap { $0 }).joined(separator: "\n")
        if !middle.isEmpty { text += (text.isEmpty ? "" : " ") + middle }
        let closing = ordered[2].map(\.text).joined(separator: " ")
        if !closing.isEmpty { text += (text.isEmpty ? "" : " ") + closing }
        guard !text.isEmpty else { return nil }
        let content = question.map { ask($0, text) } ?? .text(text)
        return Reply(content: content, narrative: narrative(), inReplyTo: message?.providerID)
    }

    private func narrative() -> Narrative {
        let body = said.filter { $0.place == .body }
        let self_ = said.filter { $0.place != .body }.map(\.text)
        let must = body.map(\.text) + [question?.text].compactMap { $0 }
        // Bad news and good news outrank talk; a question, when there is one, is what the reply is for.
        let instruction = question?.instruction ?? body.last?.instruction ?? said.last?.instruction ?? .converse
        let primary = question?.text ?? body.last?.text ?? self_.last ?? ""
        return Narrative(
            instruction: instruction, primary: primary, must: must, optional: self_,
            expectingResponse: question != nil || state.expectingResponse)
    }

    /// Opens the question: the answer sheet, and fresh opaque ids for its buttons.
    private mutating func ask(_ question: Question, _ text: String) -> OutboundContent {
        state.expectingResponse = true
        state.answerSheet = question.sheet
        state.clarification.state = question.clarification
        if !question.shown.isEmpty { state.shownOptions = question.shown }
        guard !question.options.isEmpty else { return .text(text) }
        var options: [ChoicePrompt.Option] = []
        for option in question.options {
            let id = brain.ids.next().description
            options.append(ChoicePrompt.Option(id: id, title: option.title, description: option.description))
            state.offeredReplies.append(
                OfferedReply(
                    id: id, signal: option.signal, context: offeredContext(question.sheet), taskID: state.activeTask?.taskID,
                    title: option.title))
        }
        state.offeredReplies = state.offeredReplies.suffix(Self.offeredLimit)
        return .choices(ChoicePrompt(text: text, options: options, listTitle: responder.text(["list.open"])))
    }

    /// The question's context; for one about values also a digest of them, so that a yes to other values is no yes to these.
    func offeredContext(_ sheet: AnswerSheet) -> String {
        guard sheet.type == .confirmation, let task = state.activeTask, let action = configuration.action(named: task.canonicalAction)
        else {
            return sheet.context
        }
        // FNV-1a: tells wordings apart, keeps no secret.
        let digest = CanonicalJSON.bytes(signedParams(task, action)).reduce(0xcbf2_9ce4_8422_2325 as UInt64) {
            ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3
        }
        return "\(sheet.context)#\(String(digest, radix: 16))"
    }

    var message: StoredMessage? {
        switch input.event {
        case .message(let message): message
        case .toolResult, .inlineWait, .handedBack: nil
        }
    }

    private mutating func refreshContext() {
        let missing = missingNames(of: state.activeTask)
        state.activeTask?.paramsMissing = missing
        let action = state.activeTask.flatMap { configuration.action(named: $0.canonicalAction) }
        if let action {
            state.context.domain = action.category
            state.context.lastAction = action.canonicalName
        }
        state.context.pendingConfirmation = state.expectingResponse && state.answerSheet?.type == .confirmation
        state.context.awaiting = openContext.map { $0.subject.hasSuffix("?") ? String($0.subject.dropLast()) : $0.subject }
        state.context.userState = currentUserState()
    }

    private func currentUserState() -> ConversationContext.UserState {
        if state.expectingResponse, state.activeTask?.isOpen ?? false { return .acting }
        if state.activeTask?.status == .executing { return .waiting }
        if let userState { return userState }
        switch input.event {
        case .message: return state.turn <= 1 && input.sessionIsNew && state.activeTask == nil ? .new : .browsing
        case .toolResult, .inlineWait, .handedBack: return state.context.userState
        }
    }

    private func missingNames(of task: ActiveTask?) -> [String] {
        guard let task else { return [] }
        return task.paramsRequired.filter { !(task.paramsCollected[$0]?.isUsable ?? false) }
    }
}
