package import Conversation
import Synchronization

/// Wakes one waiter: at once when raised before, on `raise`, at a deadline, or when closed.
package final class WakeSignal: Sendable {
    private struct State {
        var isRaised = false
        var isClosed = false
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    package init() {}

    package var isClosed: Bool { state.withLock { $0.isClosed } }

    package func raise() { wake { $0.isRaised = true } }
    package func close() { wake { $0.isClosed = true } }

    /// Cancellation closes it.
    package func wait(until deadline: Timestamp, clock: any WallClock) async {
        let alarm = Task {
            do { try await clock.sleep(until: deadline) } catch { return }
            self.raise()
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isReady = state.withLock { state in
                    if state.isRaised || state.isClosed {
                        state.isRaised = false
                        return true
                    }
                    state.waiter = continuation
                    return false
                }
                if isReady { continuation.resume() }
            }
        } onCancel: {
            self.close()
        }
        alarm.cancel()
    }

    private func wake(_ change: (inout State) -> Void) {
        let waiter = state.withLock { state in
            change(&state)
            guard let waiter = state.waiter else { return CheckedContinuation<Void, Never>?.none }
            state.waiter = nil
            state.isRaised = false
            return waiter
        }
        waiter?.resume()
    }
}
