import Conversation
import Testing

struct BackoffTests {
    private struct Fixed: JitterSource {
        let value: Double
        func next() -> Double { value }
    }

    @Test func waitsFollowThePolicyAndEndWithTheAttempts() {
        let backoff = Backoff(RetryPolicy())
        let waits = (1...6).map { backoff.delay(afterAttempt: $0, jitter: Fixed(value: 0)) }
        #expect(waits == [.seconds(2), .seconds(4), .seconds(8), .seconds(16), nil, nil])
    }

    @Test func lastWaitRepeats() {
        let backoff = Backoff(RetryPolicy(attempts: 5, backoff: [1, 3]))
        #expect(
            (1...5).map { backoff.delay(afterAttempt: $0, jitter: Fixed(value: 0)) } == [
                .seconds(1), .seconds(3), .seconds(3), .seconds(3), nil,
            ])
    }

    @Test func jitterOnlyLengthens() {
        let backoff = Backoff(RetryPolicy())
        for value in stride(from: 0.0, to: 1.0, by: 0.01) {
            let wait = backoff.delay(afterAttempt: 2, jitter: Fixed(value: value)) ?? .zero
            #expect(wait >= .seconds(4) && wait <= .milliseconds(4400))
        }
        #expect(Backoff(RetryPolicy(), jitterFraction: 0.5).delay(afterAttempt: 1, jitter: Fixed(value: 0.5)) == .milliseconds(2500))
    }

    @Test func longerWishOfTheOtherSideWins() {
        let backoff = Backoff(RetryPolicy())
        #expect(backoff.delay(afterAttempt: 1, jitter: Fixed(value: 0), retryAfter: .seconds(60)) == .seconds(60))
        #expect(backoff.delay(afterAttempt: 1, jitter: Fixed(value: 0), retryAfter: .seconds(1)) == .seconds(2))
        #expect(backoff.delay(afterAttempt: 5, jitter: Fixed(value: 0), retryAfter: .seconds(1)) == nil)
    }

    @Test func oddPoliciesDoNotBreak() {
        #expect(Backoff(RetryPolicy(attempts: 3, backoff: [])).delay(afterAttempt: 1, jitter: Fixed(value: 0.5)) == .zero)
        #expect(Backoff(RetryPolicy(attempts: 3, backoff: [-1])).delay(afterAttempt: 1, jitter: Fixed(value: 0.5)) == .zero)
        #expect(Backoff(RetryPolicy(attempts: 0)).delay(afterAttempt: 1, jitter: Fixed(value: 0)) == nil)
        #expect(Backoff(RetryPolicy(attempts: 3)).delay(afterAttempt: 0, jitter: Fixed(value: 0)) == .seconds(2))
    }
}
