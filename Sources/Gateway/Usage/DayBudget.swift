internal import Conversation
internal import Storage

/// One brand's tokens of a day (UTC): what the store knew at first use, what was recorded since, and what calls under way have set aside.
/// Does no I/O; its owner locks, asks, unlocks and acts.
struct DayBudget {
    struct Reservation {
        var tokens: Int
        /// When a call that was never recorded gives its tokens back.
        var until: Timestamp
    }

    /// Day → tokens of its calls, for days that were looked up.
    private(set) var used: [Int64: Int] = [:]
    private(set) var reservations: [UniqueID: Reservation] = [:]

    func isKnown(_ day: Int64) -> Bool { used[day] != nil }

    /// Takes over what the store knows. Days before yesterday are forgotten: no call lasts that long.
    mutating func know(_ day: Int64, stored: Int) {
        used[day] = stored
        let newest = used.keys.max() ?? day
        used = used.filter { $0.key >= newest - 1 }
    }

    /// Counts a recorded call in a day that is known; a day that is not will be read with it.
    mutating func add(_ tokens: Int, day: Int64) {
        if let known = used[day] { used[day] = known + tokens }
    }

    /// False when so many are not left; `waiting` are tokens of that day that were used and are not stored yet.
    mutating func reserve(_ tokens: Int, id: UniqueID, limit: Int?, day: Int64, waiting: Int, now: Timestamp, lasting: Duration) -> Bool {
        expire(now)
        reservations[id] = nil
        if let limit, (used[day] ?? 0) + waiting + reserved + tokens > limit { return false }
        reservations[id] = Reservation(tokens: tokens, until: now + lasting)
        return true
    }

    mutating func release(_ id: UniqueID) { reservations[id] = nil }

    mutating func expire(_ now: Timestamp) { reservations = reservations.filter { $0.value.until > now } }

    var reserved: Int { reservations.values.reduce(0) { $0 + $1.tokens } }
}

/// Calls that were made and are not stored yet, oldest first.
struct WaitingUsage {
    struct Entry {
        var usage: ModelUsage
        /// Being written right now.
        var isInFlight: Bool
    }

    private var entries: [UniqueID: Entry] = [:]
    private var order: [UniqueID] = []
    let limit: Int

    init(limit: Int) { self.limit = limit }

    var count: Int { entries.count }

    enum Admission { case taken, known, full }

    mutating func add(_ usage: ModelUsage) -> Admission {
        guard entries[usage.id] == nil else { return .known }
        guard entries.count < limit else { return .full }
        entries[usage.id] = Entry(usage: usage, isInFlight: true)
        order.append(usage.id)
        return .taken
    }

    /// Up to `count` calls of one brand that nobody writes right now; they count as in flight from then on.
    mutating func take(_ count: Int) -> [ModelUsage] {
        let idle = order.compactMap { entries[$0] }.filter { !$0.isInFlight }.map(\.usage)
        guard let brand = idle.first?.subject.brand else { return [] }
        let taken = Array(idle.filter { $0.subject.brand == brand }.prefix(count))
        for usage in taken { entries[usage.id]?.isInFlight = true }
        return taken
    }

    mutating func giveBack(_ usages: [ModelUsage]) {
        for usage in usages { entries[usage.id]?.isInFlight = false }
    }

    mutating func remove(_ usages: [ModelUsage]) {
        for usage in usages { entries[usage.id] = nil }
        order.removeAll { entries[$0] == nil }
    }

    func tokens(_ brand: BrandID, day: Int64) -> Int {
        entries.values.reduce(0) { sum, entry in
            let usage = entry.usage
            return usage.subject.brand == brand && UsagePeriod.day(of: usage.at) == day ? sum + usage.inputTokens + usage.outputTokens : sum
        }
    }
}
