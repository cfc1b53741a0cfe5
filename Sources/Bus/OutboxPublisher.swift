package import Conversation
package import Logging
import ServiceLifecycle
package import Storage

/// Carries events from the outbox to the bus, in order within a brand, and marks them only after the bus took them.
/// A crash in between publishes some again, under the same ids.
package final class OutboxPublisher: Service {
    private let store: Store
    private let bus: any EventBus
    private let brands: @Sendable () -> [BrandID]
    private let logger: Logger
    private let woken: AsyncStream<BrandID>
    private let wake: AsyncStream<BrandID>.Continuation

    /// `brands` lists those whose outbox is looked through at the start.
    package init(store: Store, bus: any EventBus, brands: @escaping @Sendable () -> [BrandID], logger: Logger) {
        self.store = store
        self.bus = bus
        self.brands = brands
        self.logger = logger
        // One entry per brand is enough in principle; a small surplus only costs an empty look.
        (woken, wake) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(256))
        store.onEvents { [wake] in wake.yield($0) }
    }

    package func run() async throws {
        for brand in brands() { wake.yield(brand) }
        await withGracefulShutdownHandler {
            for await brand in woken { await drain(brand) }
        } onGracefulShutdown: { [wake] in
            wake.finish()
        }
    }

    private func drain(_ brand: BrandID) async {
        do {
            while true {
                let events = try await store.brand(brand).read { try $0.waitingEvents(limit: 256) }
                if events.isEmpty { return }
                for event in events { try await bus.publish(event) }
                try await store.brand(brand).write { try $0.markPublished(events.map(\.id)) }
            }
        } catch {
            logger.error(
                "publishing stopped, will go on with the brand's next event", metadata: ["brand": "\(brand)", "error": "\(error)"])
        }
    }
}
