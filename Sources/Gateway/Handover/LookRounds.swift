internal import Conversation

/// Which brands are looked after now, and whose turn is next. Does no I/O; its owner locks, asks, unlocks and acts.
struct LookRounds {
    /// Brands at once.
    static let most = 64

    private var busy: Set<BrandID> = []
    private var lastAt: [BrandID: Timestamp] = [:]
    private var isShort = false

    /// Those to look after now: none that still is, those first that waited longest, no more than `most` in all.
    mutating func begin(_ brands: [BrandID], now: Timestamp) -> [BrandID] {
        lastAt = lastAt.filter { brands.contains($0.key) }
        let idle = brands.filter { !busy.contains($0) }.sorted { (lastAt[$0] ?? .distantPast, $0) < (lastAt[$1] ?? .distantPast, $1) }
        let chosen = Array(idle.prefix(max(0, Self.most - busy.count)))
        isShort = chosen.count < idle.count
        for brand in chosen { lastAt[brand] = now }
        busy.formUnion(chosen)
        return chosen
    }

    /// Whether another one waits for this place.
    mutating func end(_ brand: BrandID) -> Bool {
        busy.remove(brand)
        defer { isShort = false }
        return isShort
    }
}

extension Timestamp {
    /// Before anything that happened.
    fileprivate static let distantPast = Timestamp(milliseconds: .min)
}
