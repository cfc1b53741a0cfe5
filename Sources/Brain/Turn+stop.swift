import Conversation

/// Single words that ask for no more marketing, in the languages customers use. Exactly the word, nothing around it.
package enum StopWords {
    /// Whether a whole message is such a word.
    package static func isOptOut(_ text: String) -> Bool { optOut.contains(normalized(text)) }

    /// Whether a whole message asks for marketing again.
    package static func isOptIn(_ text: String) -> Bool { ["start", "unstop"].contains(normalized(text)) }

    static let optOut: Set<String> = [
        "stop", "stopall", "unsubscribe", "optout", "opt out", "quit", "arret", "arrêt", "arreter", "arrêter", "stopp", "abmelden", "baja",
        "alto",
        "parar", "pare", "sair", "cancelar inscripción", "basta", "disiscrivimi", "afmelden", "stoppen", "стоп", "отписаться", "توقف", "停止",
        "退订", "बंद",
    ]

    static func normalized(_ text: String) -> String {
        text.lowercased().trimmingSpaces.trimmingDots
    }
}

extension String {
    fileprivate var trimmingDots: String {
        var text = self[...]
        while let last = text.last, ".!".contains(last) { text = text.dropLast() }
        return String(text)
    }
}

extension Turn {
    /// "Stop": no to an open question, an interrupt of a running action, else an opt-out from marketing when it is exactly that word.
    mutating func handleStop(_ text: String, _ intents: [DetectedIntent]) throws(SchemasMissing) -> Bool {
        let isWord = StopWords.optOut.contains(StopWords.normalized(text))
        let signalled = intents.first { $0.type == .response && $0.signal == "stop" }
        guard isWord || signalled != nil else { return false }
        // "Stop, make it 6pm instead" brings something else along; the answer to the question sorts that out.
        guard isWord || intents.count == 1 else { return false }
        // An option that is called like such a word is an answer.
        if signalled == nil, openContext != nil, let option = offeredSignal(text), option != "no" { return false }
        if let signalled { remember(signalled) }
        state.clarification.unknownInARow = 0
        if openContext != nil {
            say(.converse, template: ["stopped.question"])
            if live == nil || openContext?.subject == QuestionContext.plan {
                dropPlan()
            } else {
                try end(.cancelled, .cancelled, reasons: ["stopped"], continues: false)
            }
            // What was only planned goes too; flows that were begun can still be taken up again.
            drop(state.pausedTasks.filter { $0.status == .initiated }, reason: "stopped")
        } else if let running = running() {
            interrupt(running)
        } else if isWord {
            state.optedOutOfMarketing = true
            say(.converse, template: ["opted_out"])
        } else if let (task, _) = live {
            log(task, .cancelled, reasons: ["stopped"])
            setStatus(.cancelled)
            say(.converse, template: ["stopped.question"])
        } else {
            say(.converse, template: ["stopped.nothing"])
        }
        return true
    }

    /// The task whose call is under way, the active one first.
    private func running() -> ActiveTask? {
        let tasks = [state.activeTask].compactMap { $0 } + state.pausedTasks
        return tasks.first { task in
            task.status == .executing && input.openActions.contains { $0.id == task.actionID && $0.state != .unknown }
        }
    }

    /// Takes back what is not sent, aborts a read; a sent write finishes and is told together with the offer to undo it.
    mutating func interrupt(_ task: ActiveTask) {
        guard let id = task.actionID, let open = input.openActions.first(where: { $0.id == id }) else {
            return say(.converse, template: ["stopped.nothing"])
        }
        let isRead = configuration.action(named: task.canonicalAction).map { !$0.isWrite } ?? false
        let isUnsent =
            switch open.state {
            case .queued: !open.mayHaveTakenEffect
            case .waiting: !open.mayHaveTakenEffect
            case .executing, .unknown: false
            }
        let now = input.now
        change(task.taskID) {
            $0.stopRequested = true
            $0.interimSaid = true
            $0.updatedAt = now
        }
        if isRead || isUnsent { effects.append(.cancelAction(id)) }
        say(.reportProgress, template: [isRead || isUnsent ? "stopped.queued" : "stopped.sent"])
    }
}
