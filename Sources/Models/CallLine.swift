internal import Conversation
internal import Synchronization

/// The line before a brand's endpoint: so many calls at once, further ones wait, first come, first served, until their deadline.
final class CallLine: Sendable {
    private struct Waiter {
        var id: Int
        var continuation: CheckedContinuation<Bool, Never>
    }

    private struct State {
        var running = 0
        var nextID = 0
        var waiters: [Waiter] = []
        /// Whose time was up before they stood in line.
        var expired: Set<Int> = []
    }

    private let limit: Int
    private let clock: any WallClock
    private let state = Mutex(State())

    init(limit: Int, clock: any WallClock) {
        self.limit = max(1, limit)
        self.clock = clock
    }

    /// How many stand in line.
    var waiting: Int { state.withLock { $0.waiters.count } }

    /// True once a call may be made: `leave` must follow. False when the deadline came first, or the task was cancelled.
    func enter(until deadline: Timestamp) async -> Bool {
        let id = state.withLock { state -> Int? in
            if state.running < limit, state.waiters.isEmpty {
                state.running += 1
                return nil
            }
            state.nextID += 1
            return state.nextID
        }
        guard let id else { return true }
        return await withTaskGroup(of: Bool?.self) { group in
            group.addTask { await self.wait(id) }
            group.addTask {
                // Cancelled or due: either way the wait is over.
                try? await self.clock.sleep(until: deadline)
                self.expire(id)
                return nil
            }
            var isIn = false
            for await outcome in group {
                guard let outcome else { continue }
                isIn = outcome
                group.cancelAll()
            }
            _ = state.withLock { $0.expired.remove(id) }
            return isIn
        }
    }

    func leave() {
        let next = state.withLock { state -> Waiter? in
            if state.waiters.isEmpty {
                state.running -= 1
                return nil
            }
            return state.waiters.removeFirst()
        }
        next?.continuation.resume(returning: true)
    }

    private func wait(_ id: Int) async -> Bool {
        await withCheckedContinuation { continuation in
            let now = state.withLock { state -> Bool? in
                if state.expired.contains(id) { return false }
                if state.running < limit {
                    state.running += 1
                    return true
                }
                state.waiters.append(Waiter(id: id, continuation: continuation))
                return nil
            }
            if let now { continuation.resume(returning: now) }
        }
    }

    private func expire(_ id: Int) {
        let waiter = state.withLock { state -> Waiter? in
            state.expired.insert(id)
            guard let index = state.waiters.firstIndex(where: { $0.id == id }) else { return nil }
            return state.waiters.remove(at: index)
        }
        waiter?.continuation.resume(returning: false)
    }
}
