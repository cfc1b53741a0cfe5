/// What a decision wants done. The turn carries effects out in the one transaction that also stores the new state.
package enum Effect: Sendable {
    case reply(Reply)
    case queue(ActionDecision)
    case timer(Timer)
    /// Take back what is not sent, abort a read, let a sent write finish.
    case cancelAction(ActionID)
    case update(StreamingUpdate)
    case ledger(IntentLedgerEntry)
    /// Needs a person: opens a handover, or adds a note to the one that is open.
    case handover(HandoverRequest)
}

package struct Reply: Sendable {
    package var content: OutboundContent
    package var narrative: Narrative
    /// Provider id of the message this answers; channels quote it where that helps.
    package var inReplyTo: String?

    package init(content: OutboundContent, narrative: Narrative, inReplyTo: String? = nil) {
        self.content = content
        self.narrative = narrative
        self.inReplyTo = inReplyTo
    }
}

package struct Timer: Sendable {
    package enum Kind: String, Sendable, Codable { case inlineWait = "inline_wait" }
    package var kind: Kind
    package var after: Duration
    package var action: ActionID

    package init(kind: Kind, after: Duration, action: ActionID) {
        self.kind = kind
        self.after = after
        self.action = action
    }
}

package struct HandoverRequest: Sendable {
    package enum Trigger: String, Sendable, Codable, CaseIterable {
        case policyViolation = "policy_violation"
        case repeatedFailure = "repeated_failure"
        case userRequest = "user_request"
        case complexity
        case unknownIntent = "unknown_intent"
        case sensitiveTopic = "sensitive_topic"
        case systemError = "system_error"
    }

    package var trigger: Trigger
    package var summary: String
    package var action: ActionID?

    package init(trigger: Trigger, summary: String, action: ActionID? = nil) {
        self.trigger = trigger
        self.summary = summary
        self.action = action
    }
}

/// One intent in the ledger; written again under the same id whenever its status changes.
package struct IntentLedgerEntry: Sendable, Codable, Hashable {
    package enum MatchType: String, Sendable, Codable {
        case exact, synonym, fuzzy
        case notFound = "not_found"
    }
    package enum Status: String, Sendable, Codable, CaseIterable {
        case new, blocked, queued, completed, failed, cancelled
        case collecting = "collecting_params"
        case actionNotFound = "action_not_found"
    }

    package var id: IntentID
    package var intentType: IntentType
    package var canonicalIntent: String
    package var matchType: MatchType?
    package var confidence: Double
    package var turn: Int
    package var entities: [String: Entity]
    package var status: Status
    package var reasons: [String]
    /// What decided: `answer_sheet`, `pattern`, `classifier` …
    package var source: String
    /// How far the best candidate was ahead of the next, `0...1`; nil in entries of before it was kept.
    package var margin: Double?

    package init(
        id: IntentID, intentType: IntentType, canonicalIntent: String, matchType: MatchType?, confidence: Double, turn: Int,
        entities: [String: Entity] = [:], status: Status = .new, reasons: [String] = [], source: String,
        margin: Double? = nil
    ) {
        self.margin = margin
        self.id = id
        self.intentType = intentType
        self.canonicalIntent = canonicalIntent
        self.matchType = matchType
        self.confidence = confidence
        self.turn = turn
        self.entities = entities
        self.status = status
        self.reasons = reasons
        self.source = source
    }
}
