import Conversation

extension Turn {
    mutating func handle(_ message: StoredMessage) throws(SchemasMissing) {
        switch message.content {
        // Neither asks for anything: an answer would be noise.
        case .reaction, .system: return
        case .text, .media, .location, .contacts, .reply, .order, .unsupported: state.turn += 1
        }
        if input.sensitiveTopic != nil {
            return handOver(.sensitiveTopic, "The customer wrote about a topic that is for people")
        }
        if case .reply(let reply) = message.content, try handle(reply) { return }
        guard let text = message.content.text, !text.trimmingSpaces.isEmpty else {
            say(.converse, template: ["unsupported.\(message.content.kind)", "unsupported.unsupported"])
            return try repeatQuestion()
        }
        try understand(text)
    }

    /// Answers words: what belongs to the open question first, then new wishes; talk is answered in the same reply.
    private mutating func understand(_ text: String) throws(SchemasMissing) {
        let intents = input.intents.sorted { $0.sequence < $1.sequence }
        if try handleStop(text, intents) { return }
        var actions: [DetectedIntent] = []
        var understood = false
        let wasAsking = openContext != nil
        let words = Self.words(of: intents, in: text)
        let isSingle = intents.count { [.action, .response, .help].contains($0.type) } == 1
        for intent in intents where intent.type != .action && intent.type != .unknown {
            remember(intent)
            switch intent.type {
            case .greeting, .goodbye, .gratitude, .chitchat: converse(intent.type, alone: intents.count == 1 && !wasAsking)
            case .help: help(intent)
            case .response: try answer(intent.signal, isSingle ? words : intent.text)
            case .action, .unknown: break
            }
            understood = true
        }
        for intent in intents where intent.type == .action {
            if try isAnswer(intent) { understood = true } else { actions.append(intent) }
        }
        if !actions.isEmpty {
            understood = true
            let plan = plan(actions)
            try start(plan, text: isSingle ? words : actions[0].text)
        }
        // Words that fitted nothing beside words that did may still answer the question.
        if understood, question == nil {
            for intent in intents where intent.type == .unknown { _ = try isAnswer(intent) }
        }
        if !understood { try handleUnknown(text, intents) } else { state.clarification.unknownInARow = 0 }
        // A digression does not lose the question that was open.
        if question == nil { try repeatQuestion() }
    }

    /// What a message with one wish says about it: everything but the talk around it.
    private static func words(of intents: [DetectedIntent], in text: String) -> String {
        guard intents.contains(where: { $0.type.isSelfResponse }) else { return text }
        return intents.filter { !$0.type.isSelfResponse }.map(\.text).joined(separator: " ")
    }

    /// A weak guess at an action while a question is open is read as an answer first.
    private mutating func isAnswer(_ intent: DetectedIntent) throws(SchemasMissing) -> Bool {
        guard let (task, action) = live, openContext != nil, intent.type == .unknown || ConfidenceLevel(intent.confidence) == .low
        else { return false }
        let found = try extract(intent.text, action, expecting: expectedParameter(action), collected: task.paramsCollected)
        guard found.values.contains(where: { $0.isUsable || $0.partial != nil }) else { return false }
        remember(intent)
        try answer("value", intent.text)
        return true
    }

    private mutating func converse(_ type: IntentType, alone: Bool) {
        let place: Utterance.Place = type == .goodbye ? .closing : .opening
        // Beside something else an opening must not ask a question of its own.
        let keys = alone || type == .goodbye ? [type.rawValue] : ["\(type.rawValue).short", type.rawValue]
        say(.converse, template: keys, at: place)
        if type == .goodbye, !(state.activeTask?.isOpen ?? false) { userState = .idle }
    }

    private mutating func help(_ intent: DetectedIntent) {
        if intent.signal == "human" {
            return handOver(.userRequest, "The customer asked for a person: \(intent.text.prefix(200))")
        }
        if intent.signal != "capabilities", !Self.asksWhatWeDo(intent.text) { say(.converse, template: ["help"]) }
        say(.converse, capabilities())
    }

    private static func asksWhatWeDo(_ text: String) -> Bool {
        let words = text.lowercased().split { !$0.isLetter }.joined(separator: " ")
        let questions = ["what can you do", "what do you do", "how can you help", "how does this work", "what can i do", "what can i ask"]
        return ["", "help", "help me", "menu", "options", "commands"].contains(words) || questions.contains { words.contains($0) }
    }

    func capabilities() -> String {
        let list = brain.popularActions.map { "• \($0.displayName)" }.joined(separator: "\n")
        return responder.text([list.isEmpty ? "capabilities.none" : "capabilities"], ["list": .string(list)])
    }

    /// Words that fit nothing: an answer to the open question if they can be read as one, else a clarification;
    /// the third in a row is for a person.
    private mutating func handleUnknown(_ text: String, _ intents: [DetectedIntent]) throws(SchemasMissing) {
        for intent in intents { remember(intent) }
        if openContext != nil { return try answer(nil, text) }
        if StopWords.isOptIn(text), state.optedOutOfMarketing {
            state.optedOutOfMarketing = false
            return say(.converse, template: ["opted_in"])
        }
        state.clarification.unknownInARow += 1
        guard state.clarification.unknownInARow < 3 else {
            state.clarification.unknownInARow = 0
            return handOver(.unknownIntent, "Three messages in a row were not understood")
        }
        let list = brain.popularActions.map { "• \($0.displayName)" }.joined(separator: "\n")
        say(.clarify, template: [list.isEmpty ? "unknown" : "clarify"], ["list": .string(list)])
    }
}
