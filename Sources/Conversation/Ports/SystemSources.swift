import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The machine's own clock.
package struct SystemClock: WallClock {
    package init() {}

    package var now: Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }

    package func sleep(until deadline: Timestamp) async throws {
        let wait = deadline.milliseconds - now.milliseconds
        if wait > 0 { try await Task.sleep(for: .milliseconds(wait)) }
    }
}

/// UUIDv7 (RFC 9562, 5.7, method 1): a 12-bit counter after the milliseconds keeps ids of one process in order.
package final class SystemIDs: IDSource {
    private struct State {
        var milliseconds: UInt64 = 0
        var counter: UInt64 = 0
        var randomness = RandomReserve()
    }

    private let clock: any WallClock
    private let state = Mutex(State())

    package init(clock: any WallClock = SystemClock()) { self.clock = clock }

    package func next() -> UniqueID {
        let now = UInt64(max(0, clock.now.milliseconds))
        let (high, random) = state.withLock { state in
            if now > state.milliseconds {
                state.milliseconds = now
                state.counter = UInt64.random(in: 0..<0x400)
            } else {
                state.counter += 1
                if state.counter > 0xFFF {
                    state.milliseconds += 1
                    state.counter = 0
                }
            }
            return (state.milliseconds << 16 | 0x7000 | state.counter, state.randomness.next())
        }
        return UniqueID(high: high, low: random & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000)
    }
}

/// Random words from the kernel, fetched a page at a time: an id should not cost a system call.
private struct RandomReserve {
    private var words: [UInt64] = []

    mutating func next() -> UInt64 {
        if words.isEmpty {
            words = [UInt64](repeating: 0, count: 32)
            let filled = words.withUnsafeMutableBytes { getentropy($0.baseAddress, $0.count) }
            precondition(filled == 0, "the system has no randomness")
        }
        return words.removeLast()
    }
}

package struct SystemJitter: JitterSource {
    package init() {}
    package func next() -> Double { Double.random(in: 0..<1) }
}
