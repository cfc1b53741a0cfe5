/// How long to wait before the next attempt, for whatever is tried again: calls, replies, tasks, events. Jitter only lengthens: a promised
/// pause is never cut short.
package struct Backoff: Sendable {
    private let policy: RetryPolicy
    private let jitterFraction: Double

    /// - Parameter jitterFraction: the most that chance adds, as a part of the wait.
    package init(_ policy: RetryPolicy, jitterFraction: Double = 0.1) {
        self.policy = policy
        self.jitterFraction = max(0, jitterFraction)
    }

    /// The wait after attempt `number` (1 is the first): the policy's, or the other side's own wish where that is longer. The policy's
    /// last wait repeats. Nil when all attempts are used up.
    package func delay(afterAttempt number: Int, jitter: any JitterSource, retryAfter: Duration? = nil) -> Duration? {
        guard number < policy.attempts else { return nil }
        let index = min(max(number, 1), policy.backoff.count) - 1
        let base = policy.backoff.indices.contains(index) ? max(0, policy.backoff[index]) : 0
        let wait = Duration.milliseconds((base * (1 + jitterFraction * jitter.next()) * 1000).rounded())
        return max(wait, retryAfter ?? .zero)
    }
}
