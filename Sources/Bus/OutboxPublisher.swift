package import Conversation
package import Logging
import ServiceLifecycle
package import Storage
import Synchronization

/// Carries events from the outbox to the bus, in order within a brand, and marks them only after the bus took them.
/// A crash in between publishes some again, under the same ids. What the bus did not take is offered again after a pause that grows.
/// Where several nodes share a store, one of them at a time publishes for a brand.
package final class OutboxPublisher: Service {
    private let store: Store
    private let bus: any EventBus
    private let brands: @Sendable () -> [BrandID]
    private let jitter: any JitterSource
    private let logger: Logger
    private let agenda: Mutex<OutboxAgenda>
    private let signal = WakeSignal()

    private static let batch = 256
    private static let longestSleep = Duration.seconds(3600)
    /// How often a shared store is looked through for what other nodes left.
    private static let sweep = Duration.seconds(2)
    /// How long a node publishes for a brand before another may: so long the brand's events wait when it dies. A batch takes less. Should one
    /// take more, two nodes publish the same events under the same ids.
    private static let claim = Duration.seconds(15)
    /// When to look again at a brand that another node publishes for.
    private static let patience = Duration.seconds(1)

    /// `brands` lists those whose outbox is looked through at the start. `retry` gives the pauses after failures in a row; the last one
    /// repeats, and no event is ever given up but one that the bus refuses for good.
    package init(
        store: Store, bus: any EventBus, brands: @escaping @Sendable () -> [BrandID],
        retry: RetryPolicy = RetryPolicy(attempts: .max, backoff: [0.25, 0.5, 1, 2]), jitter: any JitterSource = SystemJitter(),
        logger: Logger
    ) {
        self.store = store
        self.bus = bus
        self.brands = brands
        self.jitter = jitter
        self.logger = logger
        agenda = Mutex(OutboxAgenda(backoff: Backoff(retry)))
        store.onEvents { [weak self] in self?.wake($0) }
        bus.onReturn { [weak self] in self?.busReturned() }
    }

    private func wake(_ brand: BrandID) {
        agenda.withLock { $0.wake(brand) }
        signal.raise()
    }

    private func busReturned() {
        agenda.withLock { $0.busReturned() }
        signal.raise()
    }

    package func run() async throws {
        await withGracefulShutdownHandler {
            var nextSweep = store.clock.now
            while !signal.isClosed, !Task.isCancelled {
                let now = store.clock.now
                if now >= nextSweep {
                    for brand in brands() { agenda.withLock { $0.wake(brand) } }
                    nextSweep = now + (store.isShared ? Self.sweep : Self.longestSleep)
                }
                if let brand = agenda.withLock({ $0.next(at: now) }) {
                    await publish(brand)
                } else {
                    let retry = agenda.withLock { $0.nextRetry(after: now) }
                    await signal.wait(until: min(retry ?? nextSweep, nextSweep), clock: store.clock)
                }
            }
        } onGracefulShutdown: { [signal] in
            signal.close()
        }
    }

    /// One batch, so that a brand with many events does not keep the others waiting.
    private func publish(_ brand: BrandID) async {
        do {
            guard let events = try await take(brand) else {
                return agenda.withLock { $0.isHeldElsewhere(brand, until: store.clock.now + Self.patience) }
            }
            let receipt = events.isEmpty ? BusReceipt() : await bus.publish(events)
            let hasMore = receipt.failure == nil && events.count == Self.batch
            // A node that stops leaves the brand to the others.
            if !events.isEmpty { try await settle(events, receipt, of: brand, keepsClaim: hasMore && !signal.isClosed) }
            if let failure = receipt.failure { throw failure }
            agenda.withLock { $0.published(brand, hasMore: hasMore) }
        } catch {
            postpone(brand, error)
        }
    }

    /// The next events of the brand; nil while another node publishes them.
    private func take(_ brand: BrandID) async throws -> [BusEvent]? {
        let outbox = store.brand(brand)
        guard outbox.isShared else { return try await outbox.read { try $0.waitingEvents(limit: Self.batch) } }
        // Most looks at a shared store find nothing, and cost no commit.
        guard try await outbox.read({ try !$0.waitingEvents(limit: 1).isEmpty }) else { return [] }
        return try await outbox.write { transaction in
            guard try transaction.claimOutbox(until: transaction.now + Self.claim) else { return nil }
            return try transaction.waitingEvents(limit: Self.batch)
        }
    }

    private func settle(_ events: [BusEvent], _ receipt: BusReceipt, of brand: BrandID, keepsClaim: Bool) async throws {
        let settled = events.prefix(receipt.settled)
        CrashPoint.publishedNotMarked.pass()
        let outbox = store.brand(brand)
        let releases = outbox.isShared && !keepsClaim
        guard !settled.isEmpty || releases else { return }
        try await outbox.write { transaction in
            try transaction.markPublished(settled.map(\.id).filter { receipt.refused[$0] == nil })
            for event in settled {
                if let reason = receipt.refused[event.id] { try transaction.markRefused(event, reason: reason) }
            }
            if releases { try transaction.releaseOutbox() }
        }
        for (event, reason) in receipt.refused {
            logger.error(
                "an event was refused by the bus and is kept as a dead letter",
                metadata: ["brand": "\(brand)", "event": "\(event)", "error": "\(reason)"])
        }
    }

    private func postpone(_ brand: BrandID, _ error: any Error) {
        let now = store.clock.now
        if case BusFailure.away(let why) = error {
            let wait = agenda.withLock { $0.busIsAway(brand, at: now, jitter: jitter) }
            return logger.debug("events wait for the bus", metadata: ["error": "\(why)", "seconds": "\(wait.seconds)"])
        }
        let wait = agenda.withLock { $0.couldNotPublish(brand, at: now, jitter: jitter) }
        logger.error(
            "publishing stopped, will be tried again",
            metadata: ["brand": "\(brand)", "error": "\(error)", "seconds": "\(wait.seconds)"])
    }
}
