internal import Conversation

/// Whether an endpoint is worth asking. After some failures in a row, or when it says for how long it wants none, calls are not made for a
/// while; then one alone is, and its end decides. Does no I/O; its owner locks, asks, unlocks and acts.
struct EndpointBreaker {
    /// Failures in a row after which nobody is asked.
    static let most = 5
    /// A wish to be left alone for longer than this is obeyed at once; for less a call waits itself.
    static let patience = Duration.seconds(2)
    /// No longer than this, whatever the endpoint says.
    static let longest = Duration.seconds(3_600)
    /// A call that had less time proves nothing by running out of it.
    static let fairTime = Duration.seconds(1)
    /// A probe whose end is never told does not keep others away for longer.
    static let longestProbe = Duration.seconds(120)

    /// How long nobody is asked when the endpoint names no time; zero: everybody is, always.
    let pause: Duration
    private var failures = 0
    private var closedUntil: Timestamp?
    private var probeUntil: Timestamp?

    init(pause: Duration = .seconds(30)) { self.pause = pause }

    /// How long nobody is asked, before anything is made ready for a call; nil when one may be.
    func rests(at now: Timestamp) -> Duration? {
        guard let end = closedUntil else { return nil }
        if now < end { return end - now }
        return probeUntil.map { now < $0 } == true ? .zero : nil
    }

    /// The same for who makes the call then: `ended` or `gaveUp` must follow when it is nil.
    mutating func refuses(at now: Timestamp) -> Duration? {
        if let wait = rests(at: now) { return wait }
        if closedUntil != nil { probeUntil = now + Self.longestProbe }
        return nil
    }

    /// The call was not made after all.
    mutating func gaveUp() { probeUntil = nil }

    /// How a call ended. `allowed` is the time that it had.
    mutating func ended(_ failure: ModelFailure?, allowed: Duration, at now: Timestamp) {
        probeUntil = nil
        guard let failure, Self.counts(failure, allowed) else {
            (failures, closedUntil) = (0, nil)
            return
        }
        guard pause > .zero else { return }
        failures += 1
        let wished = min(failure.retryAfter ?? .zero, Self.longest)
        if failures >= Self.most {
            closedUntil = now + max(wished, pause)
        } else if wished > Self.patience {
            closedUntil = now + wished
        }
    }

    /// Whatever the endpoint says, even that it declines, shows that it is there.
    private static func counts(_ failure: ModelFailure, _ allowed: Duration) -> Bool {
        switch failure.kind {
        case .unavailable, .rateLimited: true
        case .timeout: allowed >= fairTime
        case .notConfigured, .overBudget, .busy, .paused, .refused, .tooLarge, .unreadable, .rejected: false
        }
    }
}
