import Foundation

/// What the bus's thread waits for. `@unchecked`: all of it is guarded by `condition`.
final class Keeper: @unchecked Sendable {
    enum Call {
        case signals
        /// The connection is of no more use.
        case broken(String)
        case end
    }

    private let condition = NSCondition()
    private var hasSignals = false
    private var broken: String?
    private var isEnding = false
    private var isOver = false
    private var onEnd: [@Sendable () -> Void] = []

    func wake(_ call: Call) {
        condition.withLock {
            switch call {
            case .signals: hasSignals = true
            case .broken(let why): broken = broken ?? why
            case .end: isEnding = true
            }
            condition.broadcast()
        }
    }

    /// What was said about a connection before says nothing about the next.
    func forget() { condition.withLock { (hasSignals, broken) = (false, nil) } }

    func next() -> Call {
        condition.withLock {
            while true {
                if isEnding { return .end }
                if let why = broken { return .broken(why) }
                if hasSignals {
                    hasSignals = false
                    return .signals
                }
                condition.wait()
            }
        }
    }

    /// Returns early when the bus ends.
    func pause(seconds: Double) {
        let deadline = Date(timeIntervalSinceNow: seconds)
        condition.withLock { while !isEnding, condition.wait(until: deadline) {} }
    }

    /// Ends the bus and calls `done` when its thread is through.
    func end(_ done: @escaping @Sendable () -> Void) {
        let isOver = condition.withLock {
            isEnding = true
            condition.broadcast()
            if !self.isOver { onEnd.append(done) }
            return self.isOver
        }
        if isOver { done() }
    }

    func hasEnded() {
        let callbacks = condition.withLock {
            isOver = true
            defer { onEnd = [] }
            return onEnd
        }
        for callback in callbacks { callback() }
    }
}
