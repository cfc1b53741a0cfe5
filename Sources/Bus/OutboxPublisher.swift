package import Conversation
package import Logging
import ServiceLifecycle
package import Storage
import Synchronization

/// Carries events from the outbox to the bus, in order within a brand, and marks them only after the bus took them.
/// A crash in between publishes some again, under the same ids. What the bus did not take is offered again after a pause that grows.
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

    /// `brands` lists those whose outbox is looked through at the start. `retry` gives the pauses after failures in a row; the last one
    /// repeats, and no event is ever given up.
    package init(
        store: Store, bus: any EventBus, brands: @escaping @Sendable () -> [BrandID],
        retry: RetryPolicy = RetryPolicy(attempts: .max, backoff: [1, 2, 4, 8, 16, 32]), jitter: any JitterSource = SystemJitter(),
        logger: Logger
    ) {
        self.store = store
        self.bus = bus
        self.brands = brands
        self.jitter = jitter
        self.logger = logger
        agenda = Mutex(OutboxAgenda(backoff: Backoff(retry)))
        store.onEvents { [weak self] in self?.wake($0) }
    }

    private func wake(_ brand: BrandID) {
        agenda.withLock { $0.wake(brand) }
        signal.raise()
    }

    package func run() async throws {
        for brand in brands() { wake(brand) }
        await withGracefulShutdownHandler {
            while !signal.isClosed, !Task.isCancelled {
                let now = store.clock.now
                if let brand = agenda.withLock({ $0.next(at: now) }) {
                    await publish(brand)
                } else {
                    let retry = agenda.withLock { $0.nextRetry }
                    await signal.wait(until: retry ?? now + Self.longestSleep, clock: store.clock)
                }
            }
        } onGracefulShutdown: { [signal] in
            signal.close()
        }
    }

    /// One batch, so that a brand with many events does not keep the others waiting.
    private func publish(_ brand: BrandID) async {
        do {
            let events = try await store.brand(brand).read { try $0.waitingEvents(limit: Self.batch) }
            for event in events { try await bus.publish(event) }
            if !events.isEmpty { try await store.brand(brand).write { try $0.markPublished(events.map(\.id)) } }
            agenda.withLock { $0.published(brand, hasMore: events.count == Self.batch) }
        } catch {
            let wait = agenda.withLock { $0.couldNotPublish(brand, at: store.clock.now, jitter: jitter) }
            logger.error(
                "publishing stopped, will be tried again",
                metadata: ["brand": "\(brand)", "error": "\(error)", "seconds": "\(wait.seconds)"])
        }
    }
}
