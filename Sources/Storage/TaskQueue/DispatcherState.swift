internal import Conversation

/// What a dispatcher knows without asking the store: who may have work, and how much room there is.
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
    private var shares: BrandShares
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
        busy[brand, default: 0] += claimed.count
        if !claimed.isEmpty { shares.charge(brand, lanes: claimed.count) }
        looks[brand] = wokenWhileLooking.contains(brand) ? Timestamp(milliseconds: 0) : next
    }

    mutating func end(_ lease: LaneLease) {
        guard active.remove(lease) != nil else { return }
        busy[lease.brand] = busy[lease.brand].flatMap { $0 > 1 ? $0 - 1 : nil }
    }

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
