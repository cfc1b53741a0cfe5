/// `policies.yaml`: what a customer may ask for, how often, and what must not be said.
package struct Policies: Sendable {
    package var limits: RateLimits
    package var filters: [ContentFilter]
    package var rules: [BusinessRule]

    package init(limits: RateLimits = .init(), filters: [ContentFilter] = [], rules: [BusinessRule] = []) {
        self.limits = limits
        self.filters = filters
        self.rules = rules
    }
}

/// Token buckets: how many messages a minute one user, one instance or one brand may send us before a polite word is the answer.
package struct RateLimits: Sendable, Hashable {
    package var userPerMinute: Int
    package var instancePerMinute: Int
    package var brandPerMinute: Int
    /// Calls of an action a minute by one user, by the action's canonical name.
    package var toolPerMinute: [String: Int]

    package init(
        userPerMinute: Int = 30, instancePerMinute: Int = 60_000, brandPerMinute: Int = 120_000, toolPerMinute: [String: Int] = [:]
    ) {
        self.userPerMinute = userPerMinute
        self.instancePerMinute = instancePerMinute
        self.brandPerMinute = brandPerMinute
        self.toolPerMinute = toolPerMinute
    }
}

/// A pattern that text is held against.
package struct ContentFilter: Sendable, Hashable {
    package enum Side: String, Sendable, Codable, CaseIterable {
        /// What customers write.
        case inbound
        /// What is answered.
        case outbound
        case both
    }
    package enum Verdict: String, Sendable, Codable, CaseIterable { case allow, warn, deny, handover }

    package var name: String
    /// RE2, case-insensitive.
    package var pattern: String
    package var side: Side
    package var verdict: Verdict
    /// What the customer is told; nil for our own words.
    package var say: String?

    package init(name: String, pattern: String, side: Side, verdict: Verdict, say: String? = nil) {
        self.name = name
        self.pattern = pattern
        self.side = side
        self.verdict = verdict
        self.say = say
    }
}

/// A condition on an action.
package struct BusinessRule: Sendable, Hashable {
    package enum Condition: Sendable, Hashable {
        /// Only then, in the brand's time zone: minutes from midnight by weekday (1 Monday to 7 Sunday).
        case hours([Int: [Range<Int>]])
        /// A parameter's number, or a number in its chosen option, at most that.
        case atMost(parameter: String, path: String?, amount: Double)
        /// At least that tier.
        case tier(String)
    }
    package enum Verdict: String, Sendable, Codable, CaseIterable { case warn, deny, handover }

    package var name: String
    /// Canonical names; empty for every write.
    package var actions: [String]
    package var condition: Condition
    package var verdict: Verdict
    package var say: String?

    package init(name: String, actions: [String], condition: Condition, verdict: Verdict, say: String? = nil) {
        self.name = name
        self.actions = actions
        self.condition = condition
        self.verdict = verdict
        self.say = say
    }
}
