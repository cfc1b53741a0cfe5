internal import Conversation

/// What a dispatcher knows without asking the store: who may have work, how much room there is, and of whom it knows that it does not know.
struct DispatcherState {
    private let perBrand: Int
    private let total: Int
    /// Lanes that one claim takes at the most: what takes longer would keep the others' commits waiting.
    private static let page = 128
    /// Brand → when to look again; a time in the past means now.
    private var looks: [BrandID: Timestamp] = [:]
    private var wokenWhileLooking: Set<BrandID> = []
    private var busy: [BrandID: Int] = [:]
    private(set) var active: Set<LaneLease> = []
    /// Lanes on which nobody works any more, but whose end could not be stored, until we take them anew: what ran there may have acted.
    private var abandoned: Set<LaneLease> = []
    private var shares: BrandShares
    /// Brands of which a claim may have taken effect without our hearing of it: for how long that may still come to light, and when to
    /// look the next time. A commit whose connection broke may stand for a while before it ends.
    private var doubts: [BrandID: (until: Timestamp, next: Timestamp)] = [:]
    private var lastRenewal: Timestamp?
    private var lastSweep: Timestamp?

    init(perBrand: Int, total: Int, weight: @escaping @Sendable (BrandID) -> Int = { _ in 1 }) {
        self.perBrand = perBrand
        self.total = total
        shares = BrandShares(weight: weight)
    }

    mutating func wake(_ brand: BrandID) {
        looks[brand] = Timestamp(milliseconds: 0)
        wokenWhileLooking.insert(brand)
    }

    /// Whether one more lane of the brand could be worked on now.
    func hasRoom(for brand: BrandID) -> Bool { active.count < total && busy[brand, default: 0] < perBrand }

    /// Brands worth asking, each with the lanes there is room for. However many lanes a brand has ready, another one's turn comes in the
    /// same round.
    func claimable(at now: Timestamp) -> [(BrandID, Int)] {
        let due = looks.filter { $0.value <= now }.keys
        return shares.divide(
            total - active.count, among: due.map { (brand: $0, lanes: min(perBrand - busy[$0, default: 0], Self.page)) })
    }

    mutating func beginLook(_ brand: BrandID) { wokenWhileLooking.remove(brand) }

    /// `next` is when to look again; nil when there will be nothing without new work.
    mutating func endLook(_ brand: BrandID, claimed: [LaneLease], next: Timestamp?) {
        active.formUnion(claimed)
        if !abandoned.isEmpty {
            let lanes = Set(claimed.map(\.lane))
            abandoned = abandoned.filter { $0.brand != brand || !lanes.contains($0.lane) }
        }
        busy[brand, default: 0] += claimed.count
        if !claimed.isEmpty { shares.charge(brand, lanes: claimed.count) }
        let next = [next, doubts[brand]?.next].compactMap(\.self).min()
        looks[brand] = wokenWhileLooking.contains(brand) ? Timestamp(milliseconds: 0) : next
    }

    /// A claim ended without an answer.
    mutating func doubt(_ brand: BrandID, until: Timestamp) { doubts[brand] = (until, Timestamp(milliseconds: 0)) }

    /// Whether the brand's next claim is to look for lanes that we hold unknowingly: at once after a doubt, and again every `interval` until
    /// it is over.
    mutating func looksBack(_ brand: BrandID, at now: Timestamp, every interval: Duration) -> Bool {
        guard let doubt = doubts[brand], now >= doubt.next else { return false }
        doubts[brand] = now < doubt.until ? (doubt.until, now + interval) : nil
        return true
    }

    var hasDoubts: Bool { !doubts.isEmpty }

    mutating func end(_ lease: LaneLease) {
        guard active.remove(lease) != nil else { return }
        busy[lease.brand] = busy[lease.brand].flatMap { $0 > 1 ? $0 - 1 : nil }
    }

    /// The lane is worked on no more, and the store still says that we hold it.
    mutating func abandon(_ lease: LaneLease) {
        abandoned.insert(lease)
        end(lease)
    }

    /// Every lane of the brand of which we know that we hold it.
    func known(_ brand: BrandID) -> Set<LaneLease> { active.union(abandoned).filter { $0.brand == brand } }

    /// When to look at the latest. A brand that is due already has no room, and is looked at when one of its lanes ends.
    func nextLook(after now: Timestamp, sweep: Duration) -> Timestamp {
        let latest = (lastSweep ?? now) + sweep
        return min(looks.values.filter { $0 > now }.min() ?? latest, latest)
    }

    /// Whether it is time to ask the store who has work; if so, the next time is `interval` later.
    mutating func sweeps(at now: Timestamp, every interval: Duration) -> Bool {
        if let lastSweep, now - lastSweep < interval { return false }
        lastSweep = now
        return true
    }

    /// Notes that every lease held at that time was renewed.
    mutating func renewed(at time: Timestamp) { lastRenewal = time }

    /// The brand's own leases, and when they were last renewed.
    func held(_ brand: BrandID) -> (leases: [LaneLease], renewedAt: Timestamp?) { (active.filter { $0.brand == brand }, lastRenewal) }
}
