package import Conversation
import Synchronization

/// A clock that stands still until a test moves it. Sleepers wake in the order of their deadlines.
package final class ControlledClock: WallClock {
    private struct Sleeper {
        var id: Int
        var deadline: Timestamp
        var continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var now: Timestamp
        var nextID = 0
        var sleepers: [Sleeper] = []
        var cancelled: Set<Int> = []
    }

    private let state: Mutex<State>

    package init(now: Timestamp = Timestamp(seconds: 1_800_000_000)) { state = Mutex(State(now: now)) }

    package var now: Timestamp { state.withLock { $0.now } }

    /// How many are asleep.
    package var sleepers: Int { state.withLock { $0.sleepers.count } }

    package func sleep(until deadline: Timestamp) async throws {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let wake: Result<Void, any Error>? = state.withLock { state in
                    if state.cancelled.remove(id) != nil { return .failure(CancellationError()) }
                    if state.now >= deadline { return .success(()) }
                    state.sleepers.append(Sleeper(id: id, deadline: deadline, continuation: continuation))
                    return nil
                }
                if let wake { continuation.resume(with: wake) }
            }
        } onCancel: {
            let sleeper = state.withLock { state -> Sleeper? in
                guard let index = state.sleepers.firstIndex(where: { $0.id == id }) else {
                    state.cancelled.insert(id)
                    return nil
                }
                return state.sleepers.remove(at: index)
            }
            sleeper?.continuation.resume(throwing: CancellationError())
        }
    }

    /// Moves the time on and wakes whoever is due.
    package func advance(by duration: Duration) {
        let due = state.withLock { state in
            state.now = state.now + duration
            let now = state.now
            let due = state.sleepers.filter { $0.deadline <= now }.sorted { ($0.deadline, $0.id) < ($1.deadline, $1.id) }
            state.sleepers.removeAll { $0.deadline <= now }
            return due
        }
        for sleeper in due { sleeper.continuation.resume() }
    }
}

/// Ids that count up, so that a test can be run again with the same result.
package final class CountingIDs: IDSource {
    private let count: Atomic<UInt64>
    package init(from start: UInt64 = 0) { count = Atomic(start) }
    package func next() -> UniqueID {
        UniqueID(high: 0x7000, low: 0x8000_0000_0000_0000 | count.add(1, ordering: .relaxed).newValue)
    }
}

/// No jitter, or always the same.
package struct FixedJitter: JitterSource {
    private let value: Double
    package init(_ value: Double = 0) { self.value = value }
    package func next() -> Double { value }
}
