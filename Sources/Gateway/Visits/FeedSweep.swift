internal import Conversation
package import Logging
import ServiceLifecycle
package import Storage
import Synchronization

/// Looks every two seconds for feeds that grew on another node, in case the signal that says so was lost: then a page learns of a message
/// late, never not at all. One query for each brand that somebody looks at, none while nobody does.
package final class FeedSweep: Service {
    /// Between two looks, and so how late a page learns of something when signals are lost.
    package static let interval = Duration.seconds(2)
    /// An event carries the time at which its transaction began, and is seen only when that has ended.
    private static let longestTransaction = Duration.seconds(10)

    private struct State {
        /// When a brand was last looked at with success, by the store's clock.
        var lookedAt: [BrandID: Timestamp] = [:]
        /// The newest event of each conversation that was rung for, so that nobody is told twice of the same one.
        var newest: [LiveFeeds.Address: Int64] = [:]
    }

    private let store: Store
    private let feeds: LiveFeeds
    private let logger: Logger
    private let state = Mutex(State())

    package init(store: Store, feeds: LiveFeeds, logger: Logger) {
        self.store = store
        self.feeds = feeds
        self.logger = logger
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do { try await self.store.clock.sleep(until: self.store.clock.now + Self.interval) } catch { return }
                await self.look()
            }
        }
    }

    /// One look at every brand with a conversation that somebody looks at.
    package func look() async {
        let brands = feeds.watchedBrands
        state.withLock { state in
            state.lookedAt = state.lookedAt.filter { brands.contains($0.key) }
            state.newest = state.newest.filter { feeds.isWatched($0.key) }
        }
        for brand in brands.sorted() {
            do {
                try await look(brand)
            } catch {
                logger.warning("feeds could not be looked through", metadata: ["brand": "\(brand)", "error": "\(error)"])
            }
        }
    }

    private func look(_ brand: BrandID) async throws {
        let since = state.withLock { $0.lookedAt[brand] }
        let (grown, now) = try await store.brand(brand).read { transaction in
            // Who began to look after that has read the feed itself.
            let from = (since ?? transaction.now) + (.zero - Self.longestTransaction)
            return (try transaction.feedsGrown(since: from), transaction.now)
        }
        let news = state.withLock { state -> [LiveFeeds.Address] in
            state.lookedAt[brand] = now
            return grown.compactMap { conversation in
                let address = LiveFeeds.Address(brand: brand, instance: conversation.instance, user: conversation.user)
                guard feeds.isWatched(address), conversation.newest > state.newest[address] ?? 0 else { return nil }
                state.newest[address] = conversation.newest
                return address
            }
        }
        feeds.ring(news)
    }
}
