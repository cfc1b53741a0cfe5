package import Conversation
import Synchronization

/// Token buckets per user, instance, brand and tool. A bucket holds one minute's allowance and fills evenly.
/// Buckets live in memory: after a restart everybody starts with a full one.
package final class RateLimiter: Sendable {
    package enum Verdict: Sendable, Hashable {
        /// `remaining` is what the emptiest of the buckets still holds; `Int.max` where nothing is counted.
        case allowed(remaining: Int)
        /// Over the limit. `isFirst` at most once a minute, so that a polite word is said once and not to every message.
        case limited(bucket: String, retryAfter: Duration, isFirst: Bool)
    }

    private enum Key: Hashable {
        case user(BrandID, InstanceID, UserID)
        case instance(BrandID, InstanceID)
        case brand(BrandID)
        /// Of a customer wherever they write, so that a second channel gives no second allowance.
        case tool(BrandID, UserID, String)
    }

    private struct Bucket {
        var tokens: Double
        var filledAt: Timestamp
        var toldAt: Timestamp?
    }

    private struct Wish {
        var name: String
        var key: Key
        var perMinute: Int
        var count = 1
    }

    private let buckets = Mutex<[Key: Bucket]>([:])
    /// What messages were told whose turn has not been stored yet.
    private let decided = Mutex<[UniqueID: (verdict: Verdict, at: Timestamp)]>([:])
    private let sizeLimit: Int

    /// With more than `sizeLimit` buckets those that are full again go, and then the ones that were used longest ago.
    package init(sizeLimit: Int = 100_000) { self.sizeLimit = max(2, sizeLimit) }

    /// Takes a token for one message from its user, instance and brand; from none of them when one is empty.
    package func take(lane: Lane, limits: RateLimits, now: Timestamp) -> Verdict {
        take(
            [
                Wish(name: "user", key: .user(lane.brand, lane.instance, lane.user), perMinute: limits.userPerMinute),
                Wish(name: "instance", key: .instance(lane.brand, lane.instance), perMinute: limits.instancePerMinute),
                Wish(name: "brand", key: .brand(lane.brand), perMinute: limits.brandPerMinute),
            ], now)
    }

    /// The same for a message whose turn may be tried several times: it takes one token, and hears the same each time, until `settle`.
    package func take(for message: UniqueID, lane: Lane, limits: RateLimits, now: Timestamp) -> Verdict {
        if let known = decided.withLock({ $0[message] }) { return known.verdict }
        let verdict = take(lane: lane, limits: limits, now: now)
        decided.withLock { decided in
            // Turns that were given up are never settled.
            if decided.count >= sizeLimit { decided = decided.filter { now - $0.value.at < .seconds(3_600) } }
            if decided.count < sizeLimit { decided[message] = (verdict, now) }
        }
        return verdict
    }

    /// The message's turn is stored.
    package func settle(_ message: UniqueID) { decided.withLock { $0[message] = nil } }

    /// Takes a token for each call, by canonical name; none at all when one of them is over its limit, whose name `bucket` then is.
    package func take(calls actions: [String], lane: Lane, limits: RateLimits, now: Timestamp) -> Verdict {
        let counts = Dictionary(actions.map { ($0, 1) }, uniquingKeysWith: +)
        return take(
            counts.sorted { $0.key < $1.key }.compactMap { action, count in
                limits.toolPerMinute[action].map {
                    // A full bucket is enough for any turn: what can never be allowed would be refused with an untrue wait.
                    Wish(name: action, key: .tool(lane.brand, lane.user, action), perMinute: $0, count: min(count, $0))
                }
            }, now)
    }

    /// How many buckets are kept now.
    var count: Int { buckets.withLock { $0.count } }

    private func take(_ wishes: [Wish], _ now: Timestamp) -> Verdict {
        buckets.withLock { buckets in
            if buckets.count >= sizeLimit { Self.makeRoom(in: &buckets, keeping: sizeLimit / 2, now) }
            for wish in wishes {
                var bucket = Self.filled(buckets[wish.key], wish.perMinute, now)
                if bucket.tokens < Double(wish.count) {
                    // A brand or an instance over its limit is no reason to tell each customer once a minute of another's flood.
                    let isFirst = bucket.toldAt.map { now - $0 >= .seconds(60) } ?? true
                    if isFirst { bucket.toldAt = now }
                    buckets[wish.key] = bucket
                    let wait = (Double(wish.count) - bucket.tokens) * 60 / Double(wish.perMinute)
                    return .limited(bucket: wish.name, retryAfter: .milliseconds(Int64((wait * 1000).rounded(.up))), isFirst: isFirst)
                }
                buckets[wish.key] = bucket
            }
            var remaining = Int.max
            for wish in wishes {
                guard var bucket = buckets[wish.key] else { continue }
                bucket.tokens -= Double(wish.count)
                remaining = min(remaining, Int(bucket.tokens))
                buckets[wish.key] = bucket
            }
            return .allowed(remaining: remaining)
        }
    }

    private static func filled(_ bucket: Bucket?, _ perMinute: Int, _ now: Timestamp) -> Bucket {
        guard var bucket else { return Bucket(tokens: Double(perMinute), filledAt: now, toldAt: nil) }
        let gained = (now - bucket.filledAt).seconds * Double(perMinute) / 60
        bucket.tokens = min(Double(perMinute), bucket.tokens + max(0, gained))
        bucket.filledAt = now
        return bucket
    }

    /// A bucket that nobody touched for a minute is full, and nobody misses it. When there are too many others, who was quiet longest gets
    /// a full one early; a flood's own bucket is the last to go. Half of the room is made at once, so that this is rare.
    private static func makeRoom(in buckets: inout [Key: Bucket], keeping limit: Int, _ now: Timestamp) {
        buckets = buckets.filter { now - $0.value.filledAt < .seconds(60) }
        guard buckets.count > limit else { return }
        for (key, _) in buckets.sorted(by: { $0.value.filledAt < $1.value.filledAt }).prefix(buckets.count - limit) { buckets[key] = nil }
    }
}
