package import Conversation
import Synchronization

/// Token buckets per user, instance and brand. A bucket holds one minute's allowance and fills evenly.
/// Buckets live in memory: after a restart everybody starts with a full one.
package final class RateLimiter: Sendable {
    package enum Verdict: Sendable, Hashable {
        case allowed
        /// Over the limit. `isFirst` once per emptying, so that a polite word is said once and not to every message.
        case limited(bucket: String, retryAfter: Duration, isFirst: Bool)
    }

    private struct Bucket {
        var tokens: Double
        var filledAt: Timestamp
        var toldAt: Timestamp?
    }

    private let buckets = Mutex<[String: Bucket]>([:])
    /// Beyond this many buckets those that are full again are dropped.
    private let sizeLimit = 100_000

    package init() {}

    package func take(lane: Lane, limits: RateLimits, now: Timestamp) -> Verdict {
        let wanted = [
            ("user", "u:\(lane.brand):\(lane.instance):\(lane.user)", limits.userPerMinute),
            ("instance", "i:\(lane.brand):\(lane.instance)", limits.instancePerMinute),
            ("brand", "b:\(lane.brand)", limits.brandPerMinute),
        ]
        return buckets.withLock { buckets in
            if buckets.count > sizeLimit { buckets = buckets.filter { now - $0.value.filledAt < .seconds(60) } }
            for (name, key, perMinute) in wanted {
                var bucket = Self.filled(buckets[key], perMinute, now)
                if bucket.tokens < 1 {
                    // A brand or an instance over its limit is no reason to tell each customer once a minute of another's flood.
                    let isFirst = bucket.toldAt.map { now - $0 >= .seconds(60) } ?? true
                    if isFirst { bucket.toldAt = now }
                    buckets[key] = bucket
                    let wait = (1 - bucket.tokens) * 60 / Double(perMinute)
                    return .limited(bucket: name, retryAfter: .milliseconds(Int64(wait * 1000)), isFirst: isFirst)
                }
                buckets[key] = bucket
            }
            for (_, key, _) in wanted { buckets[key]?.tokens -= 1 }
            return .allowed
        }
    }

    private static func filled(_ bucket: Bucket?, _ perMinute: Int, _ now: Timestamp) -> Bucket {
        guard var bucket else { return Bucket(tokens: Double(perMinute), filledAt: now, toldAt: nil) }
        let gained = (now - bucket.filledAt).seconds * Double(perMinute) / 60
        bucket.tokens = min(Double(perMinute), bucket.tokens + max(0, gained))
        bucket.filledAt = now
        return bucket
    }
}
