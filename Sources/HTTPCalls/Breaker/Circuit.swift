internal import Conversation

/// When a circuit opens and how it is tried again.
package struct CircuitSettings: Sendable {
    /// Fewer calls than this in the window say nothing.
    package var calls: Int
    /// The part of the calls that must have failed, `0...1`.
    package var failureShare: Double
    /// How far back calls count.
    package var window: Duration
    /// An open circuit lets one call through in this time.
    package var probeEvery: Duration

    package init(calls: Int = 10, failureShare: Double = 0.5, window: Duration = .seconds(10), probeEvery: Duration = .seconds(5)) {
        self.calls = calls
        self.failureShare = failureShare
        self.window = window
        self.probeEvery = probeEvery
    }
}

/// Whether one remote system is worth calling. Decides only: whoever owns it makes the calls.
struct Circuit {
    enum Admission: Hashable {
        /// Nothing is known against it.
        case free
        /// The circuit is open, and this is the call that finds out whether it may close.
        case probe
        /// Not now; the next one that is let through comes then at the earliest.
        case refused(until: Timestamp)
    }

    enum Change: Hashable { case opened, closed }

    private enum State {
        case closed
        case open(nextProbe: Timestamp)
    }

    /// The calls of a part of the window.
    private struct Bucket {
        var start: Timestamp
        var calls = 0
        var failures = 0
        /// Whose calls failed; two are enough to know that it is not one alone.
        var subjects: Set<String> = []
    }

    private static let buckets: Int64 = 10
    private let settings: CircuitSettings
    private var state = State.closed
    private var recent: [Bucket] = []

    init(_ settings: CircuitSettings) { self.settings = settings }

    /// When the next call is let through; nil while the circuit is closed.
    var nextProbe: Timestamp? {
        switch state {
        case .closed: nil
        case .open(let nextProbe): nextProbe
        }
    }

    mutating func admit(at now: Timestamp) -> Admission {
        guard let nextProbe else { return .free }
        guard now >= nextProbe else { return .refused(until: nextProbe) }
        state = .open(nextProbe: now + settings.probeEvery)
        return .probe
    }

    /// Notes how a call ended that was let through. `subject` is what it was for: one that fails again and again says nothing about the
    /// others.
    mutating func ended(_ admission: Admission, failed: Bool, subject: String, at now: Timestamp) -> Change? {
        switch (state, admission) {
        case (.open, .probe) where !failed:
            state = .closed
            recent = []
            return .closed
        // What began before it opened, or a probe that failed: the next probe decides.
        case (.open, _), (.closed, .refused): return nil
        case (.closed, .free), (.closed, .probe):
            note(failed: failed, subject: subject, at: now)
            guard isFailing else { return nil }
            state = .open(nextProbe: now + settings.probeEvery)
            recent = []
            return .opened
        }
    }

    private mutating func note(failed: Bool, subject: String, at now: Timestamp) {
        let part = max(1, settings.window.milliseconds / Self.buckets)
        recent.removeAll { now - $0.start > settings.window }
        if recent.last.map({ (now - $0.start).milliseconds >= part }) ?? true { recent.append(Bucket(start: now)) }
        let last = recent.count - 1
        recent[last].calls += 1
        guard failed else { return }
        recent[last].failures += 1
        if recent[last].subjects.count < 2 { recent[last].subjects.insert(subject) }
    }

    private var isFailing: Bool {
        let calls = recent.reduce(0) { $0 + $1.calls }
        let failures = recent.reduce(0) { $0 + $1.failures }
        guard calls >= settings.calls, Double(failures) >= Double(calls) * settings.failureShare else { return false }
        return recent.reduce(into: Set<String>()) { $0.formUnion($1.subjects) }.count > 1
    }
}
