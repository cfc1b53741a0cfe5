import Synchronization

/// Lets tasks run side by side, and a suspect one only while nothing else runs. First come, first served: while a suspect waits for the
/// others to end, nobody overtakes it.
final class TaskGate: Sendable {
    private struct Waiter {
        var number: Int
        var isAlone: Bool
        var continuation: CheckedContinuation<Void, any Error>
    }

    /// Says who may go on; its owner lets them.
    private struct State {
        var running = 0
        var aloneRuns = false
        var waiting: [Waiter] = []
        var lastNumber = 0
        /// Those who were cancelled before they began to wait.
        var cancelled: Set<Int> = []

        func admits(alone: Bool) -> Bool { !aloneRuns && (!alone || running == 0) }

        mutating func begin(alone: Bool) {
            running += 1
            aloneRuns = alone
        }

        mutating func admitted() -> [Waiter] {
            var admitted: [Waiter] = []
            while let first = waiting.first, admits(alone: first.isAlone) {
                begin(alone: first.isAlone)
                admitted.append(waiting.removeFirst())
            }
            return admitted
        }
    }

    private let state = Mutex(State())

    /// Whether a task that is no suspect could begin at once.
    var isOpen: Bool { state.withLock { !$0.aloneRuns && $0.waiting.isEmpty } }

    /// Returns when the task may run; `leave` must follow. Throws `CancellationError`, and then nothing must follow.
    func enter(alone: Bool) async throws {
        let number = state.withLock { state -> Int? in
            if state.waiting.isEmpty, state.admits(alone: alone) {
                state.begin(alone: alone)
                return nil
            }
            state.lastNumber += 1
            return state.lastNumber
        }
        guard let number else { return }
        defer { state.withLock { _ = $0.cancelled.remove(number) } }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { wait(Waiter(number: number, isAlone: alone, continuation: $0)) }
        } onCancel: {
            self.cancel(number)
        }
    }

    /// Ends what `enter` began.
    func leave() {
        resume { state in
            state.running -= 1
            state.aloneRuns = false
        }
    }

    /// Returns when no suspect runs or waits. Throws `CancellationError`.
    func waitUntilOpen() async throws {
        guard !isOpen else { return }
        try await enter(alone: false)
        leave()
    }

    private func wait(_ waiter: Waiter) {
        var isCancelled = false
        resume { state in
            isCancelled = state.cancelled.contains(waiter.number)
            if !isCancelled { state.waiting.append(waiter) }
        }
        if isCancelled { waiter.continuation.resume(throwing: CancellationError()) }
    }

    private func cancel(_ number: Int) {
        var waiter: Waiter?
        resume { state in
            guard let place = state.waiting.firstIndex(where: { $0.number == number }) else {
                state.cancelled.insert(number)
                return
            }
            waiter = state.waiting.remove(at: place)
        }
        waiter?.continuation.resume(throwing: CancellationError())
    }

    private func resume(after change: (inout State) -> Void) {
        let admitted = state.withLock { state in
            change(&state)
            return state.admitted()
        }
        for waiter in admitted { waiter.continuation.resume() }
    }
}
