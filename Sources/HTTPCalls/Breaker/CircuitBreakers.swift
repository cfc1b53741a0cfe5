package import Conversation
import Synchronization

/// An `HTTPClient` that does not call what is down: a circuit for each pool and host opens when most of the recent calls failed, and lets
/// one call through now and then to see whether it can close. What it refuses was not sent (`breakerOpen`).
package final class CircuitBreakers: HTTPClient {
    private struct Key: Hashable {
        var pool: String
        var host: String
    }

    private struct State {
        var circuits: [Key: Circuit] = [:]
        var listeners: [@Sendable (_ pool: String, _ isOpen: Bool) -> Void] = []
        var calls = 0
    }

    private let inner: any HTTPClient
    private let settings: CircuitSettings
    private let clock: any WallClock
    private let guards: @Sendable (HTTPCall) -> Bool
    private let state = Mutex(State())

    /// `guards` says which calls have a circuit; the others pass as they are.
    package init(
        _ inner: any HTTPClient, settings: CircuitSettings = .init(), clock: any WallClock,
        guards: @escaping @Sendable (HTTPCall) -> Bool = { _ in true }
    ) {
        self.inner = inner
        self.settings = settings
        self.clock = clock
        self.guards = guards
    }

    package func call(_ call: HTTPCall) async -> HTTPResult {
        guard guards(call) else { return await inner.call(call) }
        let key = Key(pool: call.pool, host: Self.host(call.url))
        let (settings, now) = (settings, clock.now)
        let (admission, number) = state.withLock { state in
            state.calls += 1
            return (state.circuits[key, default: Circuit(settings)].admit(at: now), state.calls)
        }
        if case .refused(let until) = admission {
            let detail = "\(key.host) is not answering; it is tried again at \(until)"
            return .failed(HTTPFailure(kind: .breakerOpen, mayHaveBeenSent: false, detail: detail))
        }
        let result = await inner.call(call)
        guard let failed = Self.isFailure(result) else { return result }
        let ended = clock.now
        let change = state.withLock {
            $0.circuits[key]?.ended(admission, failed: failed, subject: call.subject ?? "call \(number)", at: ended)
        }
        if let change { tell(call.pool, isOpen: change == .opened) }
        return result
    }

    /// Calls `listener` whenever a circuit of a pool opens or closes.
    package func onChange(_ listener: @escaping @Sendable (_ pool: String, _ isOpen: Bool) -> Void) {
        state.withLock { $0.listeners.append(listener) }
    }

    /// When an open circuit of the pool lets the next call through, the earliest of several; nil when none is open. One that nobody has
    /// probed for long is of a host that is no longer called.
    package func nextProbe(of pool: String) -> Timestamp? {
        let now = clock.now
        return state.withLock { state in
            state.circuits.filter { $0.key.pool == pool }.compactMap(\.value.nextProbe).filter { now - $0 < settings.probeEvery * 12 }.min()
        }
    }

    /// An open circuit lets one call through in this time.
    package var probeEvery: Duration { settings.probeEvery }

    private func tell(_ pool: String, isOpen: Bool) {
        for listener in state.withLock({ $0.listeners }) { listener(pool, isOpen) }
    }

    /// Whether a result speaks against the other side; nil for what says nothing about it.
    private static func isFailure(_ result: HTTPResult) -> Bool? {
        switch result {
        case .answer(let answer): return answer.status >= 500
        case .failed(let failure):
            switch failure.kind {
            case .resolve, .connect, .tls, .timeout, .reset, .protocolError: return true
            case .invalidRequest, .forbiddenAddress, .tooLarge, .secondPass, .cancelled, .breakerOpen: return nil
            }
        }
    }

    /// Scheme and authority: what is down is a server, not a path.
    private static func host(_ url: String) -> String {
        // Both slashes after the scheme, then up to the third.
        let parts = url.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false).prefix(3)
        return parts.joined(separator: "/").prefix { !"?#".contains($0) }.lowercased()
    }
}
