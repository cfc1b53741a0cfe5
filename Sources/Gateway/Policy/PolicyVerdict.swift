package import Conversation

/// Where on a message's way policies are asked.
package enum PolicyPoint: String, Sendable, CaseIterable {
    /// Before a message is understood.
    case preExecution = "pre_execution"
    /// Between the decision to call an action and the commit that queues the call.
    case preTool = "pre_tool"
    /// Before a reply is stored.
    case postResponse = "post_response"
}

/// What a policy says about one message, call or reply.
package struct PolicyVerdict: Sendable, Hashable {
    package enum Result: String, Sendable, CaseIterable {
        case allow, warn, deny
        case rateLimit = "rate_limit"
        case handover
    }

    package var result: Result
    /// What decided: `filter:card_number`, `rule:opening_hours` or `rate_limited:book_service`.
    package var rule: String
    /// What the customer is told: the refusal, or the warning that the answer carries. Empty for `allow`.
    package var text: String
    /// When trying again can help; nil where it cannot.
    package var retryAfter: Duration?
    /// How many more the bucket holds; nil where nothing was counted.
    package var remainingQuota: Int?

    package init(result: Result, rule: String, text: String = "", retryAfter: Duration? = nil, remainingQuota: Int? = nil) {
        self.result = result
        self.rule = rule
        self.text = text
        self.retryAfter = retryAfter
        self.remainingQuota = remainingQuota
    }

    /// The filter that matched, by name; nil when something else decided.
    package var filter: String? {
        let prefix = "filter:"
        return rule.hasPrefix(prefix) ? String(rule.dropFirst(prefix.count)) : nil
    }

    /// Whether what was asked about must not go on.
    package var isRefusal: Bool {
        switch result {
        case .allow, .warn: false
        case .deny, .rateLimit, .handover: true
        }
    }

    /// The refusal as a decision takes it; nil when the call may go on.
    package var refusal: ActionRefusal? {
        isRefusal ? ActionRefusal(code: rule, text: text, retryAfter: retryAfter, handsOver: result == .handover) : nil
    }
}
