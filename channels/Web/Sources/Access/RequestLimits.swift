import Conversation
import Synchronization

/// How often a visitor and an address may do something, per instance. What is over the limit costs one look-up.
final class RequestLimits: Sendable {
    enum Kind: Hashable, Sendable { case opens, messages, reads }

    /// Whom a limit counts.
    enum Caller: Hashable, Sendable {
        case visitor(UserID)
        case address(String)
    }

    private struct Key: Hashable {
        var kind: Kind
        var instance: InstanceID
        var caller: Caller
    }

    private struct Bucket {
        var tokens: Double
        var at: Timestamp
    }

    /// A bucket fills in one minute, so one that nobody touched for a minute is full and need not be kept: each minute the older
    /// generation goes. Under a flood of callers it goes earlier, which forgets, and never grows.
    private struct State {
        var young: [Key: Bucket] = [:]
        var old: [Key: Bucket] = [:]
        var turnedAt: Timestamp
    }

    private let clock: any WallClock
    private let capacity: Int
    private let state: Mutex<State>

    /// `capacity`: how many buckets are kept at most.
    init(clock: any WallClock, capacity: Int = 200_000) {
        self.clock = clock
        self.capacity = capacity
        state = Mutex(State(turnedAt: clock.now))
    }

    /// How many buckets are kept now.
    var count: Int { state.withLock { $0.young.count + $0.old.count } }

    /// Takes one of `perMinute`; nil when there was one, else how long until there is.
    func wait(_ kind: Kind, _ caller: Caller, at instance: InstanceID, perMinute: Int) -> Duration? {
        let key = Key(kind: kind, instance: instance, caller: caller)
        let full = Double(max(1, perMinute))
        let perMillisecond = full / 60_000
        return state.withLock { state in
            let now = clock.now
            turn(&state, now)
            var bucket = state.young[key] ?? state.old[key] ?? Bucket(tokens: full, at: now)
            bucket.tokens = min(full, bucket.tokens + Double(max(0, (now - bucket.at).milliseconds)) * perMillisecond)
            bucket.at = now
            let isFree = bucket.tokens >= 1
            if isFree { bucket.tokens -= 1 }
            state.young[key] = bucket
            return isFree ? nil : .milliseconds(Int64(((1 - bucket.tokens) / perMillisecond).rounded(.up)))
        }
    }

    private func turn(_ state: inout State, _ now: Timestamp) {
        guard now - state.turnedAt >= .seconds(60) || state.young.count >= capacity / 2 else { return }
        state.old = state.young
        state.young = [:]
        state.turnedAt = now
    }
}

/// The part of an address that one customer of a provider holds.
enum CallerAddress {
    /// An IPv4 address as it is, of an IPv6 address the first 64 bits: whoever has one of these has all 2^64.
    static func key(_ text: String) -> String {
        guard text.contains(":") else { return text }
        let address = text.prefix { $0 != "%" }
        if let last = address.split(separator: ":").last, last.contains(".") { return String(last) }
        let halves = String(address).split(separator: "::", maxSplits: 1, omittingEmptySubsequences: false)
        let head = groups(halves[0])
        let tail = halves.count > 1 ? groups(halves[1]) : []
        let gap = max(0, 8 - head.count - tail.count)
        let whole = head + (halves.count > 1 ? Array(repeating: 0, count: gap) : []) + tail
        return whole.prefix(4).map { String($0, radix: 16) }.joined(separator: ":") + "::/64"
    }

    private static func groups(_ text: Substring) -> [UInt16] { text.split(separator: ":").map { UInt16($0, radix: 16) ?? 0 } }
}
