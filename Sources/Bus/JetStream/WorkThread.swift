import Foundation

/// A thread of its own for calls that block. `@unchecked`: all of it is guarded by `condition`.
final class WorkThread: @unchecked Sendable {
    private let condition = NSCondition()
    private var waiting: [() -> Void] = []
    private var isClosed = false
    private var isOver = false
    private var onEnd: [@Sendable () -> Void] = []

    init(name: String) {
        let thread = Thread { [self] in
            while let work = next() { work() }
            end()
        }
        thread.name = name
        thread.start()
    }

    /// Whether it was told to end: work that goes on and on does so no longer.
    var isClosing: Bool { condition.withLock { isClosed } }

    /// Runs after what was added before; what comes after the end never runs, and false says so.
    @discardableResult func add(_ work: @escaping @Sendable () -> Void) -> Bool {
        condition.withLock {
            guard !isClosed else { return false }
            waiting.append(work)
            condition.broadcast()
            return true
        }
    }

    /// Runs what waits, then ends and calls `done`.
    func close(_ done: @escaping @Sendable () -> Void = {}) {
        let isOver = condition.withLock {
            isClosed = true
            condition.broadcast()
            if !self.isOver { onEnd.append(done) }
            return self.isOver
        }
        if isOver { done() }
    }

    /// The same, and returns when the thread is through; for other threads than this one.
    func closeAndWait() {
        condition.withLock {
            isClosed = true
            condition.broadcast()
            while !isOver { condition.wait() }
        }
    }

    /// For the work on this thread; returns early when it is told to end.
    func pause(seconds: Double) {
        let deadline = Date(timeIntervalSinceNow: seconds)
        condition.withLock { while !isClosed, condition.wait(until: deadline) {} }
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

    private func end() {
        let callbacks = condition.withLock {
            isOver = true
            condition.broadcast()
            defer { onEnd = [] }
            return onEnd
        }
        for callback in callbacks { callback() }
    }
}
