/// A lane: everything of one customer at one instance happens in it, one thing at a time, in order.
package struct Lane: Hashable, Sendable {
    package enum Kind: String, Sendable, Hashable { case turn, delivery }

    package var brand: BrandID
    package var instance: InstanceID
    package var user: UserID
    package var kind: Kind

    package init(brand: BrandID, instance: InstanceID, user: UserID, kind: Kind = .turn) {
        self.brand = brand
        self.instance = instance
        self.user = user
        self.kind = kind
    }

    /// As stored in the queue; unique within the brand.
    package var key: String { "\(kind.rawValue):\(instance):\(user)" }
}

/// What a turn is run for.
package enum LaneEvent: Sendable {
    case message(StoredMessage)
    case toolResult(ActionReport)
    /// The inline wait for an action ended before its result came.
    case inlineWait(ActionID)
    /// People gave the conversation back.
    case handedBack(HandBack)
}

/// What came about while people had the conversation.
package struct HandBack: Sendable {
    /// What was said last, for the memory of the conversation; empty when nothing was.
    package var summary: String
    /// Ends of actions that nobody has told yet, in order.
    package var reports: [ActionReport]
    /// The template that says so: `handover.closed`, or `handover.nobody` when no person was there.
    package var words: String

    package init(summary: String, reports: [ActionReport], words: String = "handover.closed") {
        self.words = words
        self.summary = summary
        self.reports = reports
    }
}

/// An inbound message as it stands in the store.
package struct StoredMessage: Sendable, Hashable {
    package var id: MessageID
    package var content: Content
    package var providerID: String
    package var sentAt: Timestamp
    package var receivedAt: Timestamp
    package var context: JSONValue

    package init(
        id: MessageID, content: Content, providerID: String, sentAt: Timestamp, receivedAt: Timestamp, context: JSONValue = .object([:])
    ) {
        self.id = id
        self.content = content
        self.providerID = providerID
        self.sentAt = sentAt
        self.receivedAt = receivedAt
        self.context = context
    }
}

/// How an action stands, as its task tells the lane.
package struct ActionReport: Sendable {
    package enum State: Sendable, Hashable {
        /// Done; the fields that `result` maps. `complete` is false when a mapped field was missing.
        case done(complete: Bool)
        /// The brand said no: its status and what its body explains, if anything.
        case refused(status: Int, detail: String?)
        /// Every attempt was certainly not done, and no more will be made.
        case notDone(reason: String)
        /// Sent, and nobody can say whether it took effect.
        case unknown(reason: String)
        /// An attempt failed and another one follows.
        case retrying(attempt: Int, reason: String)
        /// Taken back before it was sent.
        case cancelled
    }

    package var id: ActionID
    package var taskID: UniqueID
    package var intentID: IntentID
    package var canonicalAction: String
    package var params: [String: Entity]
    package var state: State
    package var result: [String: JSONValue]
    /// The whole answer of a `done`, for lists.
    package var body: JSONValue

    package init(
        id: ActionID, taskID: UniqueID, intentID: IntentID, canonicalAction: String, params: [String: Entity], state: State,
        result: [String: JSONValue] = [:], body: JSONValue = .null
    ) {
        self.id = id
        self.taskID = taskID
        self.intentID = intentID
        self.canonicalAction = canonicalAction
        self.params = params
        self.state = state
        self.result = result
        self.body = body
    }
}
