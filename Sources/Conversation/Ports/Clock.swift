/// The time of day and waiting, injected so that tests own both.
package protocol WallClock: Sendable {
    var now: Timestamp { get }
    /// Returns at `deadline` or throws `CancellationError`.
    func sleep(until deadline: Timestamp) async throws
}

/// Mints UUIDv7 ids.
package protocol IDSource: Sendable {
    func next() -> UniqueID
}

/// Randomness for backoff, in `0..<1`.
package protocol JitterSource: Sendable {
    func next() -> Double
}
