import Foundation

/// What the bus's thread waits for while it has a connection. `@unchecked`: all of it is guarded by `condition`.
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

    func wake(_ call: Call) {
        condition.withLock {
            switch call {
            case .signals: hasSignals = true
            case .broken(let why): broken = broken ?? why
            case .end: isEnding = true
            }
            condition.signal()
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
}
