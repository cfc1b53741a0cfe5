internal import Conversation

/// What a dispatcher knows without asking the store: who may have work, and how much room there is.
struct DispatcherState {
    private let perBrand: Int
    private let total: Int
    /// Brand → when to look again; a time in the past means now.
    private var looks: [BrandID: Timestamp] = [:]
    private var wokenWhileLooking: Set<BrandID> = []
    private var busy: [BrandID: Int] = [:]
    private(set) var active: Set<LaneLease> = []
    private var lastFirst: BrandID?
    private var lastRenewal: Timestamp?

    init(perBrand: Int, total: Int) {
        self.perBrand = perBrand
        self.total = total
    }

    mutating func wake(_ brand: BrandID) {
        looks[brand] = Timestamp(milliseconds: 0)
        wokenWhileLooking.insert(brand)
    }

    /// Whether one more lane of the brand could be worked on now.
    func hasRoom(for brand: BrandID) -> Bool { active.count < total && busy[brand, default: 0] < perBrand }

    /// Brands worth asking, each with the lanes there is room for, beginning with another one each time so that nobody is always last.
    mutating func claimable(at now: Timestamp) -> [(BrandID, Int)] {
        var room = total - active.count
        let due = looks.filter { $0.value <= now }.keys.sorted()
        let start = lastFirst.flatMap { last in due.firstIndex { $0 > last } } ?? 0
        let order = due[start...] + due[..<start]
        lastFirst = order.first
        return order.compactMap { brand in
            let free = min(room, perBrand - busy[brand, default: 0])
            guard free > 0 else { return nil }
            room -= free
            return (brand, free)
        }
    }

    mutating func beginLook(_ brand: BrandID) { wokenWhileLooking.remove(brand) }

    /// `next` is when the brand's next lane is ready; nil when none will be.
    mutating func endLook(_ brand: BrandID, claimed: [LaneLease], next: Timestamp?) {
        active.formUnion(claimed)
        busy[brand, default: 0] += claimed.count
        looks[brand] = wokenWhileLooking.contains(brand) || !claimed.isEmpty ? Timestamp(milliseconds: 0) : next
    }

    mutating func end(_ lease: LaneLease) {
        if active.remove(lease) != nil { busy[lease.brand, default: 1] -= 1 }
    }

    /// When to look at the latest. A brand that is due already has no room, and is looked at when one of its lanes ends.
    func nextLook(after now: Timestamp, sweep: Duration) -> Timestamp {
        let latest = now + sweep
        return min(looks.values.filter { $0 > now }.min() ?? latest, latest)
    }

    /// Notes that every lease held at that time was renewed.
    mutating func renewed(at time: Timestamp) { lastRenewal = time }

    /// The brand's own leases, and when they were last renewed.
    func held(_ brand: BrandID) -> (leases: [LaneLease], renewedAt: Timestamp?) { (active.filter { $0.brand == brand }, lastRenewal) }
}
