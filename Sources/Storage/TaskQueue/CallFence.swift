import Synchronization

/// A call waited for its turn for so long that its lease may have ended, and nothing was sent.
package struct CallTooLate: Error, Sendable, CustomStringConvertible {
    package var description: String { "the lease may have ended while the call waited for its turn; nothing was sent" }
}

/// Asked before each request of one act, and remembers what it said.
final class CallFence: Sendable {
    private struct Answers {
        var passed = 0
        var stopped = 0
    }

    private let answers = Mutex(Answers())
    private let rule: @Sendable () -> Bool

    init(_ rule: @escaping @Sendable () -> Bool) { self.rule = rule }

    func mayBegin() -> Bool {
        let passes = rule()
        answers.withLock { answers in if passes { answers.passed += 1 } else { answers.stopped += 1 } }
        return passes
    }

    /// Whether it stopped a request and let none through.
    var stoppedAll: Bool { answers.withLock { $0.stopped > 0 && $0.passed == 0 } }
}
