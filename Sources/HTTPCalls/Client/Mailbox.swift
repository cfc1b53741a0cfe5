import CCurl
import Synchronization

/// What other threads ask of the transfer thread.
enum Command {
    case start(Transfer)
    case cancel(Transfer)
}

/// The one way into the transfer thread. A command put into an empty mailbox wakes the thread; those that follow ride along.
final class Mailbox: Sendable {
    private struct State {
        var commands: [Command] = []
        var isStopping = false
        /// Nil once the thread has freed it.
        var multi: Multi?
        var waitingForEnd: [CheckedContinuation<Void, Never>] = []
    }

    private let state: Mutex<State>

    init(multi: Multi) { state = Mutex(State(multi: multi)) }

    /// False once the client was shut down: the command was not taken.
    func put(_ command: Command) -> Bool {
        state.withLock { state in
            guard !state.isStopping, let multi = state.multi else { return false }
            state.commands.append(command)
            if state.commands.count == 1 { multi.wake() }
            return true
        }
    }

    func stop() {
        state.withLock { state in
            state.isStopping = true
            state.multi?.wake()
        }
    }

    /// Returns once the thread has let go of every connection.
    func ended() async {
        await withCheckedContinuation { continuation in
            let hasEnded = state.withLock { state in
                if state.multi != nil { state.waitingForEnd.append(continuation) }
                return state.multi == nil
            }
            if hasEnded { continuation.resume() }
        }
    }

    /// For the transfer thread: all that has come in.
    func take() -> (commands: [Command], isStopping: Bool) {
        state.withLock { state in
            defer { state.commands = [] }
            return (state.commands, state.isStopping)
        }
    }

    /// For the transfer thread, after its last transfer and before it frees the multi handle: nobody wakes it from here on.
    func retire() -> [CheckedContinuation<Void, Never>] {
        state.withLock { state in
            state.multi = nil
            defer { state.waitingForEnd = [] }
            return state.waitingForEnd
        }
    }
}

/// A libcurl multi handle and what wakes its thread. Unchecked, because only the transfer thread uses it; `ccurl_events_wake` is the one
/// call that any thread may make.
struct Multi: @unchecked Sendable {
    let raw: UnsafeMutableRawPointer
    let events: OpaquePointer

    /// Nil when the system gives no memory or no descriptors.
    init?() {
        guard let raw = curl_multi_init() else { return nil }
        guard let events = ccurl_events_open(raw) else {
            curl_multi_cleanup(raw)
            return nil
        }
        self.raw = raw
        self.events = events
    }

    func wake() { ccurl_events_wake(events) }

    func free() {
        curl_multi_cleanup(raw)
        ccurl_events_close(events)
    }
}
