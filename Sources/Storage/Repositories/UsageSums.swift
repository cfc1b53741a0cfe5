package import Conversation

/// What a number of calls used together.
package struct UsageSums: Sendable, Hashable {
    package var calls = 0
    package var failedCalls = 0
    package var inputTokens = 0
    package var outputTokens = 0
    /// What the plan set aside, over the calls that had a plan.
    package var plannedTokens = 0
    /// What those same calls used.
    package var usedOfPlannedTokens = 0
    /// Calls whose tokens the endpoint did not report.
    package var estimatedCalls = 0
    /// Calls that used tokens and had no price.
    package var unpricedCalls = 0
    /// Currency (ISO 4217) → billionths of it.
    package var costNanos: [String: Int64] = [:]

    package init() {}

    /// In and out together.
    package var tokens: Int { inputTokens + outputTokens }

    package mutating func add(_ other: UsageSums) {
        calls += other.calls
        failedCalls += other.failedCalls
        inputTokens += other.inputTokens
        outputTokens += other.outputTokens
        plannedTokens += other.plannedTokens
        usedOfPlannedTokens += other.usedOfPlannedTokens
        estimatedCalls += other.estimatedCalls
        unpricedCalls += other.unpricedCalls
        costNanos.merge(other.costNanos, uniquingKeysWith: +)
    }
}

/// What calls can be told apart by.
package enum UsageGrouping: String, Sendable, CaseIterable {
    case day, session, model, function, instance
}

/// One group of a grouping. Comparable within a grouping, in the order in which pages go.
package enum UsageKey: Sendable, Hashable {
    /// Days since 1970-01-01, UTC.
    case day(Int64)
    /// Nil for calls that belong to no session.
    case session(SessionID?)
    case name(String)
}

/// A stretch of time, its end not included.
package struct UsagePeriod: Sendable, Hashable {
    package var from: Timestamp
    package var to: Timestamp

    package init(from: Timestamp, to: Timestamp) {
        self.from = from
        self.to = to
    }

    /// A whole day, counted since 1970-01-01, UTC.
    package init(day: Int64) {
        self.init(from: Timestamp(milliseconds: day * Self.dayLength), to: Timestamp(milliseconds: (day + 1) * Self.dayLength))
    }

    /// The day, since 1970-01-01 UTC, that a moment is in.
    package static func day(of moment: Timestamp) -> Int64 {
        let (days, rest) = moment.milliseconds.quotientAndRemainder(dividingBy: dayLength)
        return rest < 0 ? days - 1 : days
    }

    /// Milliseconds.
    private static let dayLength: Int64 = 86_400_000
}
