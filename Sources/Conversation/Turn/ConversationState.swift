/// What a session remembers from turn to turn: the wires, and what is being collected. Written with compare-and-set on its version.
package struct ConversationState: Sendable, Codable, Hashable {
    package var turn: Int = 0
    package var expectingResponse: Bool = false
    package var answerSheet: AnswerSheet?
    package var activeTask: ActiveTask?
    package var pausedTasks: [ActiveTask] = []
    /// The last five.
    package var previousIntents: [PreviousIntent] = []
    package var context: ConversationContext = .init()
    package var clarification: ClarificationState = .init()
    /// The last fifty, oldest first.
    package var offeredReplies: [OfferedReply] = []
    /// Options shown last, for "the second one".
    package var shownOptions: [ChoiceOption] = []
    package var sessionSummary: String?
    /// What people and the customer said last while people had the conversation; nil when they never had it.
    package var handBack: String?
    package var optedOutOfMarketing: Bool = false
    package var lastRepliedAt: Timestamp?
    /// Nil as long as nothing failed, and in states of before it was kept.
    package var failures: ActionFailures?

    package init() {}

    /// Makes the summary of the session's own and of what was said while people had it.
    package mutating func summarize(_ notes: String?) {
        let parts = [notes, handBack].compactMap { $0 }.filter { !$0.isEmpty }
        sessionSummary = parts.isEmpty ? nil : parts.joined(separator: "\n")
    }
}

/// Actions that failed for good, in the count of which people take over.
package struct ActionFailures: Sendable, Codable, Hashable {
    package var inARow: Int = 0
    /// Canonical names of those that failed and have not been done since.
    package var names: [String] = []

    package init() {}
}

/// The action a customer is in the middle of.
package struct ActiveTask: Sendable, Codable, Hashable {
    package enum Status: String, Sendable, Codable {
        case initiated
        case collectingParams = "collecting_params"
        case readyToExecute = "ready_to_execute"
        case executing, completed, failed, cancelled
    }
    /// Why a task must be asked about before anything else is done for it, however often it is put aside meanwhile.
    package enum Doubt: String, Sendable, Codable {
        /// Which action was meant was guessed.
        case guessed
        /// We offered it (an undo); nobody asked for it yet.
        case offered
    }

    /// Minted when the action is first asked for; part of the idempotency key.
    package var taskID: UniqueID
    package var intentID: IntentID
    package var canonicalAction: String
    package var actionType: ActionType
    package var paramsRequired: [String]
    package var paramsCollected: [String: Entity]
    package var paramsMissing: [String]
    package var status: Status
    package var isConfirmed: Bool
    package var doubt: Doubt?
    /// The decided call, once there is one.
    package var actionID: ActionID?
    /// Whether "working on it" or the result has been said; whichever is first sets it.
    package var interimSaid: Bool
    /// The customer said stop after the call had been sent: its result is told together with the offer to undo it.
    package var stopRequested: Bool
    package var createdAt: Timestamp
    package var updatedAt: Timestamp

    package init(
        taskID: UniqueID, intentID: IntentID, canonicalAction: String, actionType: ActionType, paramsRequired: [String],
        paramsCollected: [String: Entity] = [:], paramsMissing: [String] = [], status: Status = .initiated, isConfirmed: Bool = false,
        doubt: Doubt? = nil, actionID: ActionID? = nil, interimSaid: Bool = false, stopRequested: Bool = false, createdAt: Timestamp,
        updatedAt: Timestamp
    ) {
        self.taskID = taskID
        self.intentID = intentID
        self.canonicalAction = canonicalAction
        self.actionType = actionType
        self.paramsRequired = paramsRequired
        self.paramsCollected = paramsCollected
        self.paramsMissing = paramsMissing
        self.status = status
        self.isConfirmed = isConfirmed
        self.doubt = doubt
        self.actionID = actionID
        self.interimSaid = interimSaid
        self.stopRequested = stopRequested
        self.createdAt = createdAt
        self.updatedAt = updatedAt
    }
}

package struct PreviousIntent: Sendable, Codable, Hashable {
    package var intentType: IntentType
    package var canonicalAction: String?
    package var matchedSignal: String?
    package var confidence: Double
    package var timestamp: Timestamp
    package var turn: Int

    package init(
        intentType: IntentType, canonicalAction: String? = nil, matchedSignal: String? = nil, confidence: Double, timestamp: Timestamp,
        turn: Int
    ) {
        self.intentType = intentType
        self.canonicalAction = canonicalAction
        self.matchedSignal = matchedSignal
        self.confidence = confidence
        self.timestamp = timestamp
        self.turn = turn
    }
}

package struct ConversationContext: Sendable, Codable, Hashable {
    package enum UserState: String, Sendable, Codable {
        case new, browsing, acting, waiting
        case afterAction = "after_action"
        case idle
    }

    package var domain: String = ""
    package var userState: UserState = .new
    package var lastAction: String?
    package var pendingConfirmation: Bool = false
    package var awaiting: String?

    package init() {}
}

package struct ClarificationState: Sendable, Codable, Hashable {
    package enum State: String, Sendable, Codable {
        case none
        case awaitingSlot = "awaiting_slot"
        case awaitingConfirmation = "awaiting_confirmation"
        case awaitingSelection = "awaiting_selection"
        case maxRetriesExceeded = "max_retries_exceeded"
    }

    package var state: State = .none
    /// Slot → fruitless tries; three per slot and ten in all end in a handover.
    package var attempts: [String: Int] = [:]
    package var total: Int = 0
    /// Fruitless tries to understand what is wanted at all.
    package var unknownInARow: Int = 0

    package init() {}
}

/// The eight wires in their outside form, for models and for whoever looks inside.
package struct Wires: Sendable {
    package var state: ConversationState
    package var popularActions: [ActionDefinition]

    package init(state: ConversationState, popularActions: [ActionDefinition]) {
        self.state = state
        self.popularActions = popularActions
    }
}
