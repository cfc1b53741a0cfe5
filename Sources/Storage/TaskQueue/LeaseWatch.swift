internal import Conversation
import Synchronization

/// When each lease of a dispatcher was last known to be ours. A worker that stood still (a stopped process, a store that took no writes)
/// finds out here that somebody else may hold its lane by now.
final class LeaseWatch: Sendable {
    /// A moment by both clocks of the machine: the wall clock, which may be set back, and the steady one.
    struct Moment: Sendable {
        private let wall: Timestamp
        private let steady: ContinuousClock.Instant

        init(_ clock: any WallClock) {
            wall = clock.now
            steady = .now
        }

        /// How long ago it was, by whichever clock says more.
        func age(_ clock: any WallClock) -> Duration { max(clock.now - wall, ContinuousClock.now - steady) }
    }

    let length: Duration
    private let clock: any WallClock
    private let marks = Mutex<[LaneLease: Moment]>([:])

    init(length: Duration, clock: any WallClock) {
        self.length = length
        self.clock = clock
    }

    /// To be taken before a claim or renewal is begun, and handed in when it succeeded: the lease is not younger than that.
    func moment() -> Moment { Moment(clock) }

    func mark(_ leases: [LaneLease], at moment: Moment) { marks.withLock { marks in for lease in leases { marks[lease] = moment } } }
    func forget(_ lease: LaneLease) { _ = marks.withLock { $0.removeValue(forKey: lease) } }

    /// Whether a renewal is overdue, so that the lease may have ended meanwhile. True for a lease that nobody marked.
    func isDoubtful(_ lease: LaneLease) -> Bool {
        marks.withLock { $0[lease] }.map { $0.age(clock) > length * 2 / 3 } ?? true
    }
}
