package import Conversation
package import HTTPCalls
package import Logging
import ServiceLifecycle
package import Storage
import Synchronization

/// Keeps the work of brands whose systems are away, and brings it back: one call in a while to see whether the brand answers again, and
/// when it does all the rest, a few at first and then more and more, so that what has just come back is not run over.
package final class Parking: Service {
    private struct State {
        /// Brands that have parked work, with how many calls come back next.
        var waking: [BrandID: Int] = [:]
        /// When a brand's last probe was woken.
        var probed: [BrandID: Timestamp] = [:]
        var lastLook: Timestamp?
    }

    private let store: Store
    private let circuits: CircuitBreakers
    private let park: Duration
    private let brands: @Sendable () -> [BrandID]
    private let metrics: GatewayMetrics
    private let logger: Logger
    private let state = Mutex(State())
    private let signal = WakeSignal()

    private static let interval = Duration.seconds(1)
    /// How often the store is asked for work that this process did not park itself: after a start, or on another node.
    private static let lookEvery = Duration.seconds(30)
    private static let firstPiece = 4
    private static let largestPiece = 256

    /// `park` is how long work is kept at the most, from when it was first held back.
    package init(
        store: Store, circuits: CircuitBreakers, park: Duration, brands: @escaping @Sendable () -> [BrandID], metrics: GatewayMetrics,
        logger: Logger
    ) {
        self.store = store
        self.circuits = circuits
        self.park = park
        self.brands = brands
        self.metrics = metrics
        self.logger = logger
        circuits.onChange { [weak self] pool, isOpen in self?.changed(pool, isOpen) }
    }

    /// Until when the task may wait; nil when its time is over, or when it is asked only for a brand that is away and this one is not.
    func latest(for context: TaskContext, ofOpenCircuit: Bool) -> Timestamp? {
        if ofOpenCircuit, circuits.nextProbe(of: BrandConfiguration.pool(of: context.lease.brand)) == nil { return nil }
        let now = context.store.clock.now
        let latest = (context.task.parkedSince ?? now) + park
        return latest > now ? latest : nil
    }

    /// Work of this brand was parked.
    func holds(_ brand: BrandID) {
        state.withLock { $0.waking[brand, default: Self.firstPiece] = Self.firstPiece }
    }

    private func changed(_ pool: String, _ isOpen: Bool) {
        guard let brand = brands().first(where: { BrandConfiguration.pool(of: $0) == pool }) else { return }
        metrics.breaker(brand: brand, isOpen: isOpen)
        logger.warning(isOpen ? "calls to a brand wait: most of them failed" : "a brand answers again", metadata: ["brand": "\(brand)"])
        guard !isOpen else { return }
        holds(brand)
        signal.raise()
    }

    package func run() async throws {
        await withGracefulShutdownHandler {
            while !signal.isClosed, !Task.isCancelled {
                await look()
                for brand in state.withLock({ $0.waking.keys.sorted() }) { await wake(brand) }
                await signal.wait(until: nextLook, clock: store.clock)
            }
        } onGracefulShutdown: {
            self.signal.close()
        }
    }

    /// In a second, or when a circuit lets a call through.
    private var nextLook: Timestamp {
        let now = store.clock.now
        let probes = state.withLock { $0.waking.keys.sorted() }.compactMap { circuits.nextProbe(of: BrandConfiguration.pool(of: $0)) }
        return min(probes.filter { $0 > now }.min() ?? now + Self.interval, now + Self.interval)
    }

    private func look() async {
        let now = store.clock.now
        let isDue = state.withLock { state in
            if let last = state.lastLook, now - last < Self.lookEvery { return false }
            state.lastLook = now
            return true
        }
        guard isDue else { return }
        for brand in brands() {
            do {
                guard try await store.brand(brand).read({ try $0.parkedLanes(pool: .action) }) > 0 else { continue }
                state.withLock { state in if state.waking[brand] == nil { state.waking[brand] = Self.firstPiece } }
            } catch {
                logger.error("cannot look for parked work", metadata: ["brand": "\(brand)", "error": "\(error)"])
            }
        }
    }

    /// Wakes as much as the brand can be trusted with now.
    private func wake(_ brand: BrandID) async {
        let piece = piece(of: brand, at: store.clock.now)
        do {
            let rest = try await store.brand(brand).write { transaction in
                if piece > 0 { try transaction.wakeParked(pool: .action, limit: piece) }
                return try transaction.parkedLanes(pool: .action)
            }
            metrics.parked(brand: brand, rest)
            if rest == 0 { forget(brand, after: piece) }
        } catch {
            logger.error("cannot wake parked work", metadata: ["brand": "\(brand)", "error": "\(error)"])
        }
    }

    /// Nothing is parked any more, unless a circuit has opened meanwhile.
    private func forget(_ brand: BrandID, after piece: Int) {
        state.withLock { state in
            if state.waking[brand] == min(piece * 2, Self.largestPiece) { state.waking[brand] = nil }
        }
    }

    /// One call when the circuit is open and lets one through; else a piece that doubles each time.
    private func piece(of brand: BrandID, at now: Timestamp) -> Int {
        let probeEvery = circuits.probeEvery
        if let nextProbe = circuits.nextProbe(of: BrandConfiguration.pool(of: brand)) {
            return state.withLock { state in
                state.waking[brand] = Self.firstPiece
                // Nobody may have taken it: what was woken was taken back, say.
                if let last = state.probed[brand], now - last < probeEvery / 2 { return 0 }
                guard now >= nextProbe else { return 0 }
                state.probed[brand] = now
                return 1
            }
        }
        return state.withLock { state in
            let piece = state.waking[brand] ?? Self.firstPiece
            state.waking[brand] = min(piece * 2, Self.largestPiece)
            return piece
        }
    }
}
