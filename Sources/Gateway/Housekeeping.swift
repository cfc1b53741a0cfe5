package import Conversation
package import Logging
import ServiceLifecycle
package import Storage

/// Removes what is kept for a time only: at the start, then every hour, brand by brand, in pieces small enough that nobody waits for them.
/// Of several nodes one does it for a brand, the first to claim the hour.
package struct Housekeeping: Service {
    private let store: Store
    private let brands: @Sendable () -> [BrandID]
    private let keepEvents: Duration
    private let logger: Logger

    private static let interval = Duration.seconds(3600)
    private static let claim = Duration.seconds(3300)
    private static let piece = 200

    /// `keepEvents` is how long a published event stays in the outbox, to be published again if the bus loses it.
    package init(
        store: Store, brands: @escaping @Sendable () -> [BrandID], keepEvents: Duration = .seconds(7 * 86_400), logger: Logger
    ) {
        self.store = store
        self.brands = brands
        self.keepEvents = keepEvents
        self.logger = logger
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                for brand in brands() {
                    await tidy(brand)
                    await forgetOld(brand)
                }
                do { try await store.clock.sleep(until: store.clock.now + Self.interval) } catch { return }
            }
        }
    }

    /// A failure costs an hour's delay, nothing else.
    private func tidy(_ brand: BrandID) async {
        do {
            // A little less than the interval: whoever did it last time is not late for the next.
            guard try await store.brand(brand).claim(.housekeeping, for: Self.claim) else { return }
            let statuses = try await forget(brand) { try $0.forgetEarlyStatuses(limit: Self.piece) }
            if statuses > 0 {
                logger.info("statuses of unknown messages removed", metadata: ["brand": "\(brand)", "count": "\(statuses)"])
            }
            let events = try await forget(brand) { [keepEvents] in
                try $0.forgetEvents(before: $0.now + (.zero - keepEvents), limit: Self.piece)
            }
            if events > 0 { logger.info("old events removed", metadata: ["brand": "\(brand)", "count": "\(events)"]) }
        } catch {
            logger.error("tidying failed, will be tried again in an hour", metadata: ["brand": "\(brand)", "error": "\(error)"])
        }
    }

    /// Closed handovers, notes on sessions, keys of requests and usage, once they are old.
    private func forgetOld(_ brand: BrandID) async {
        do {
            while !Task.isCancelled, try await store.brand(brand).write({ try $0.forgetOld(limit: Self.piece) }) >= Self.piece {}
        } catch {
            logger.error("what is old could not be removed", metadata: ["brand": "\(brand)", "error": "\(error)"])
        }
    }

    /// Piece by piece; returns how many went.
    private func forget(_ brand: BrandID, _ piece: @escaping @Sendable (BrandTransaction) throws -> Int) async throws -> Int {
        var removed = 0
        while !Task.isCancelled {
            let count = try await store.brand(brand).write(piece)
            removed += count
            if count < Self.piece { break }
        }
        return removed
    }
}
