import Conversation
import Synchronization

/// Rings the bells of all open streams every so often, each at its own second, with one timer for them all.
final class HeartBeat: Sendable {
    private struct State {
        /// By the second in which they ring next; never more seconds than the interval has.
        var due: [Int64: [ObjectIdentifier: Doorbell]] = [:]
        var runner: Task<Void, Never>?
    }

    private let clock: any WallClock
    private let interval: Duration
    private let state = Mutex(State())

    /// `interval` is whole seconds.
    init(clock: any WallClock, interval: Duration) {
        self.clock = clock
        self.interval = interval
    }

    /// Rings from one interval after now on, until it is cancelled.
    func add(_ bell: Doorbell) -> FeedSubscription {
        let id = ObjectIdentifier(bell)
        let second = Self.second(clock.now + interval)
        state.withLock { state in
            state.due[second, default: [:]][id] = bell
            // A task of nobody: it serves all streams, begins with the first of them and is cancelled with the last.
            if state.runner == nil { state.runner = Task { await self.run() } }
        }
        return FeedSubscription { [weak self] in self?.remove(id) }
    }

    private func remove(_ id: ObjectIdentifier) {
        let ended = state.withLock { state -> Task<Void, Never>? in
            for second in state.due.keys where state.due[second]?.removeValue(forKey: id) != nil {
                if state.due[second]?.isEmpty == true { state.due[second] = nil }
                break
            }
            guard state.due.isEmpty else { return nil }
            defer { state.runner = nil }
            return state.runner
        }
        ended?.cancel()
    }

    private func run() async {
        while !Task.isCancelled, let next = state.withLock({ $0.due.keys.min() }) {
            // Cancelled when nobody is left.
            guard (try? await clock.sleep(until: Timestamp(seconds: next))) != nil else { return }
            ring(now: clock.now)
        }
    }

    private func ring(now: Timestamp) {
        let again = Self.second(now + interval)
        let bells = state.withLock { state -> [Doorbell] in
            var bells: [Doorbell] = []
            for second in state.due.keys where Timestamp(seconds: second) <= now {
                for (id, bell) in state.due.removeValue(forKey: second) ?? [:] {
                    state.due[again, default: [:]][id] = bell
                    bells.append(bell)
                }
            }
            return bells
        }
        for bell in bells { bell.ring(.beat) }
    }

    private static func second(_ time: Timestamp) -> Int64 { time.milliseconds / 1000 }
}
