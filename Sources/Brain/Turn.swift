import Conversation

/// One turn while it is being decided: the state as it becomes, the effects so far, and what will be said, as one reply.
struct Turn {
    let brain: Brain
    let input: TurnInput
    let phrases: Phrases
    let responder: Responder
    var state: ConversationState
    var effects: [Effect] = []
    var said: [Utterance] = []
    var question: Question?
    /// What was wrong with values said in this very turn, by parameter.
    var problems: [String: SlotProblem] = [:]
    /// Completed actions, those that this turn reports included.
    var completed: Set<String>
    var announcedSchemas: Set<String> = []
    /// Schemas that must be asked for anew, because a write of ours may have changed them.
    var mustRefresh = false
    /// The action whose task ended last in this turn: it is not offered again as the remedy for what it did not mend.
    var lastEnded: String?
    /// Ends that change what a customer's state is called: after an action, or nothing open.
    var userState: ConversationContext.UserState?

    init(brain: Brain, input: TurnInput) {
        self.brain = brain
        self.input = input
        let configuration = brain.configuration
        phrases = Phrases(locale: input.user.locale ?? configuration.locale, timeZone: configuration.timeZone, now: input.now)
        responder = Responder(configuration: configuration, phrases: phrases, user: input.user)
        state = input.state
        completed = input.completedActions
    }

    mutating func run() throws(SchemasMissing) {
        switch input.event {
        case .message(let message): try handle(message)
        case .toolResult(let report): try handle(report)
        case .inlineWait(let action): handleInlineWait(action)
        case .handedBack(let handBack): try handle(handBack)
        }
    }
}

/// One thing to say.
struct Utterance {
    enum Place: Int { case opening, body, closing }
    var place: Place
    var instruction: Narrative.Instruction
    var text: String
}

/// The question a reply ends with, and which answers fit.
struct Question {
    var instruction: Narrative.Instruction
    var text: String
    /// Signal and title of each button, in order; empty for open questions.
    var options: [(signal: String, title: String, description: String?)] = []
    var sheet: AnswerSheet
    var shown: [ChoiceOption] = []
    var clarification: ClarificationState.State
}

/// What a question is about, as the answer sheet's `context` spells it: the action, then the parameter or one of our own questions.
struct QuestionContext: Equatable {
    static let confirm = "confirm?"
    static let meant = "meant?"
    static let again = "again?"
    static let undo = "undo?"
    static let change = "change?"
    static let plan = "plan?"

    var action: String
    /// A parameter's name, or one of the names above, whose mark no parameter can bear.
    var subject: String

    init(_ action: String, _ subject: String) {
        self.action = action
        self.subject = subject
    }

    init(_ text: String) {
        let text = text.split(separator: "#", maxSplits: 1).first.map(String.init) ?? text
        let dot = text.lastIndex(of: ".")
        action = dot.map { String(text[..<$0]) } ?? ""
        subject = dot.map { String(text[text.index(after: $0)...]) } ?? text
    }

    var text: String { "\(action).\(subject)" }
}

extension Turn {
    var configuration: BrandConfiguration { brain.configuration }

    /// The open question's context; nil when none is open.
    var openContext: QuestionContext? {
        guard state.expectingResponse, let sheet = state.answerSheet else { return nil }
        return QuestionContext(sheet.context)
    }

    /// The active task, if it has not ended, with its action.
    var live: (task: ActiveTask, action: ActionDefinition)? {
        guard let task = state.activeTask, task.isOpen, let action = configuration.action(named: task.canonicalAction) else { return nil }
        return (task, action)
    }

    mutating func say(_ instruction: Narrative.Instruction, _ text: String, at place: Utterance.Place = .body) {
        let text = text.trimmingSpaces
        if !text.isEmpty, !said.contains(where: { $0.text == text }) {
            said.append(Utterance(place: place, instruction: instruction, text: text))
        }
    }

    mutating func say(
        _ instruction: Narrative.Instruction, template keys: [String], _ values: [String: JSONValue] = [:],
        at place: Utterance.Place = .body
    ) {
        say(instruction, responder.text(keys, values), at: place)
    }

    mutating func update(_ kind: StreamingUpdate.Kind, _ fields: [String: JSONValue] = [:]) {
        effects.append(.update(StreamingUpdate(kind, at: input.now, fields)))
    }

    mutating func closeQuestion() {
        state.expectingResponse = false
        state.answerSheet = nil
        state.clarification.state = .none
        question = nil
    }

    /// Hands over to people and says so; nothing stays asked.
    mutating func handOver(_ trigger: HandoverRequest.Trigger, _ summary: String, action: ActionID? = nil, tell: Bool = true) {
        effects.append(.handover(HandoverRequest(trigger: trigger, summary: summary, action: action)))
        if tell { say(.handover, template: ["handover"]) }
        closeQuestion()
    }

    mutating func setStatus(_ status: ActiveTask.Status) {
        guard var task = state.activeTask else { return }
        task.status = status
        task.updatedAt = input.now
        state.activeTask = task
    }

    func name(_ action: ActionDefinition) -> JSONValue { .string(Responder.inSentence(action.displayName)) }
}

extension ActiveTask {
    /// Not ended, nor on its way.
    var isOpen: Bool {
        switch status {
        case .initiated, .collectingParams, .readyToExecute: true
        case .executing, .completed, .failed, .cancelled: false
        }
    }
}

extension String {
    var trimmingSpaces: String {
        let start = firstIndex { !$0.isWhitespace } ?? endIndex
        let end = lastIndex { !$0.isWhitespace }.map(index(after:)) ?? start
        return String(self[start..<end])
    }
}
