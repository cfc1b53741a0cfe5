/// Everything a decision may depend on. The same input gives the same decision, so a turn can be replayed.
package struct TurnInput: Sendable {
    package var instance: InstanceID
    package var user: User
    package var state: ConversationState
    package var event: LaneEvent
    /// What the classifier found; empty unless the event is a message with words.
    package var intents: [DetectedIntent]
    /// What has been fetched for this turn so far, by schema name.
    package var schemas: [String: SchemaState]
    /// Decided calls of this customer whose end is not known yet.
    package var openActions: [OpenAction]
    /// Canonical names of the actions that this customer completed.
    package var completedActions: Set<String>
    /// Fingerprints of calls done lately, with when.
    package var recentFingerprints: [[UInt8]: Timestamp]
    package var sessionIsNew: Bool
    /// Calls that a policy refused when this turn was decided before, by canonical name.
    package var refusedActions: [String: ActionRefusal]
    /// The pattern of the brand that the message's words fit and whose topic is for people.
    package var sensitiveTopic: String?
    package var now: Timestamp

    package init(
        instance: InstanceID, user: User, state: ConversationState, event: LaneEvent, intents: [DetectedIntent] = [],
        schemas: [String: SchemaState] = [:], openActions: [OpenAction] = [], completedActions: Set<String> = [],
        recentFingerprints: [[UInt8]: Timestamp] = [:], sessionIsNew: Bool = false,
        refusedActions: [String: ActionRefusal] = [:], sensitiveTopic: String? = nil, now: Timestamp
    ) {
        self.sensitiveTopic = sensitiveTopic
        self.refusedActions = refusedActions
        self.instance = instance
        self.user = user
        self.state = state
        self.event = event
        self.intents = intents
        self.schemas = schemas
        self.openActions = openActions
        self.completedActions = completedActions
        self.recentFingerprints = recentFingerprints
        self.sessionIsNew = sessionIsNew
        self.now = now
    }
}

/// A decided call that has not ended.
package struct OpenAction: Sendable, Hashable {
    package enum State: String, Sendable, Codable {
        /// Decided, nothing sent.
        case queued
        /// An attempt is under way: bytes may have left.
        case executing
        /// Between attempts; whether an earlier one took effect is not known when `mayHaveTakenEffect`.
        case waiting
        /// Given up with an unknown outcome; a person looks at it.
        case unknown
    }

    package var id: ActionID
    package var taskID: UniqueID
    package var canonicalAction: String
    package var state: State
    package var mayHaveTakenEffect: Bool

    package init(id: ActionID, taskID: UniqueID, canonicalAction: String, state: State, mayHaveTakenEffect: Bool) {
        self.id = id
        self.taskID = taskID
        self.canonicalAction = canonicalAction
        self.state = state
        self.mayHaveTakenEffect = mayHaveTakenEffect
    }
}

/// What one step of deciding came to.
package enum TurnStep: Sendable {
    /// Cannot decide before these are fetched; ask again with them in `TurnInput.schemas`.
    case needs([SchemaNeed])
    case decided(TurnResult)
}

package struct SchemaNeed: Sendable, Hashable {
    package var name: String
    /// Whether a cached answer is good enough; false right before a write that depends on it.
    package var mayBeCached: Bool

    package init(name: String, mayBeCached: Bool = true) {
        self.name = name
        self.mayBeCached = mayBeCached
    }
}

package struct TurnResult: Sendable {
    package var state: ConversationState
    package var effects: [Effect]

    package init(state: ConversationState, effects: [Effect]) {
        self.state = state
        self.effects = effects
    }
}

/// A policy's no to an action.
package struct ActionRefusal: Sendable, Hashable {
    /// Such as `rule:opening_hours` or `rate_limited:book_service`.
    package var code: String
    /// What the customer is told.
    package var text: String
    package var retryAfter: Duration?
    /// People decide instead.
    package var handsOver: Bool

    package init(code: String, text: String, retryAfter: Duration? = nil, handsOver: Bool = false) {
        self.code = code
        self.text = text
        self.retryAfter = retryAfter
        self.handsOver = handsOver
    }
}
