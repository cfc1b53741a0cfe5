internal import Conversation

/// Which brands have events to publish, and when. A brand stands here once, however many of its events wait, so a flood of one brand
/// pushes no other out.
struct OutboxAgenda {
    private let backoff: Backoff
    /// In the order in which they were woken.
    private var due: [BrandID] = []
    private var isDue: Set<BrandID> = []
    /// Brands whose last attempt failed: how often in a row, and when to try again.
    private var failed: [BrandID: (times: Int, retryAt: Timestamp)] = [:]
    /// The brand that is being published, whose events were read before: what is written meanwhile needs another look.
    private var current: BrandID?
    /// The bus takes nobody's events: how often in a row it did not, and when to try again.
    private var away: (times: Int, retryAt: Timestamp)?

    init(backoff: Backoff) { self.backoff = backoff }

    /// The brand has events. One that failed keeps its pause: its next attempt takes them along.
    mutating func wake(_ brand: BrandID) {
        guard failed[brand] == nil || current == brand, isDue.insert(brand).inserted else { return }
        due.append(brand)
    }

    /// The next brand to look at; nil when none is due.
    mutating func next(at now: Timestamp) -> BrandID? {
        if let away, now < away.retryAt { return nil }
        if let brand = failed.filter({ $0.value.retryAt <= now && !isDue.contains($0.key) }).keys.min() {
            isDue.insert(brand)
            due.append(brand)
        }
        guard !due.isEmpty else { return nil }
        let brand = due.removeFirst()
        isDue.remove(brand)
        current = brand
        return brand
    }

    /// When a pause ends; nil when none runs. While the bus is away nobody's own pause counts; once its pause is over they do again.
    func nextRetry(after now: Timestamp) -> Timestamp? {
        if let away, now < away.retryAt { return away.retryAt }
        return failed.values.map(\.retryAt).min()
    }

    /// `hasMore`: a full batch left, so there may be more; the others get their turn first.
    mutating func published(_ brand: BrandID, hasMore: Bool) {
        current = nil
        failed[brand] = nil
        away = nil
        if hasMore { wake(brand) }
    }

    /// Returns the pause before the next attempt.
    mutating func couldNotPublish(_ brand: BrandID, at now: Timestamp, jitter: any JitterSource) -> Duration {
        let times = (failed[brand]?.times ?? 0) + 1
        let wait = backoff.delay(afterAttempt: times, jitter: jitter) ?? .seconds(60)
        pause(brand, (times, now + wait))
        return wait
    }

    /// Another node publishes for this brand; it is looked at again at `time`, in case that node missed its last events.
    mutating func isHeldElsewhere(_ brand: BrandID, until time: Timestamp) { pause(brand, (0, time)) }

    private mutating func pause(_ brand: BrandID, _ entry: (times: Int, retryAt: Timestamp)) {
        current = nil
        failed[brand] = entry
        if isDue.remove(brand) != nil { due.removeAll { $0 == brand } }
    }

    /// Nobody's events can be published. Returns the pause before the next attempt, which is this brand's.
    mutating func busIsAway(_ brand: BrandID, at now: Timestamp, jitter: any JitterSource) -> Duration {
        let times = (away?.times ?? 0) + 1
        let wait = backoff.delay(afterAttempt: times, jitter: jitter) ?? .seconds(60)
        away = (times, now + wait)
        current = nil
        failed[brand] = nil
        if isDue.insert(brand).inserted { due.insert(brand, at: 0) }
        return wait
    }

    /// The bus has come back.
    mutating func busReturned() { away = nil }
}
