import Foundation

/// A thread of its own for calls that block. `@unchecked`: what waits is guarded by `condition`.
final class WorkThread: @unchecked Sendable {
    private let condition = NSCondition()
    private var waiting: [() -> Void] = []
    private var isClosed = false

    init(name: String) {
        let thread = Thread { [self] in
            while let work = next() { work() }
        }
        thread.name = name
        thread.start()
    }

    /// Runs after what was added before; what comes after the end never runs, and false says so.
    func add(_ work: @escaping @Sendable () -> Void) -> Bool {
        condition.withLock {
            guard !isClosed else { return false }
            waiting.append(work)
            condition.signal()
            return true
        }
    }

    /// Runs what waits, then ends.
    func close() {
        condition.withLock {
            isClosed = true
            condition.signal()
        }
    }

    private func next() -> (() -> Void)? {
        condition.withLock {
            while waiting.isEmpty {
                if isClosed { return nil }
                condition.wait()
            }
            return waiting.removeFirst()
        }
    }
}
