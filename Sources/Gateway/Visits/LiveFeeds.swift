package import Conversation
package import Storage
import Synchronization

/// Tells who looks at a conversation that its feed has grown, and reads feeds from the store.
package final class LiveFeeds: ConversationFeed {
    struct Address: Hashable {
        let brand: BrandID
        let instance: InstanceID
        let user: UserID
    }

    private struct State {
        var nextID: UInt64 = 0
        var subscribers: [Address: [UInt64: @Sendable (FeedSignal) -> Void]] = [:]
    }

    private let store: Store
    private let state = Mutex(State())

    /// Listens to the store from now on.
    package init(store: Store) {
        self.store = store
        store.onFeed { [weak self] brand, instance, user in
            self?.signal(.changed, Address(brand: brand, instance: instance, user: user))
        }
        store.onTyping { [weak self] brand, instance, user in
            self?.signal(.typing, Address(brand: brand, instance: instance, user: user))
        }
    }

    package func events(of visitor: Visitor, after sequence: Int64, limit: Int) async throws -> FeedPage {
        try await store.brand(visitor.brand).read {
            try $0.feed(instance: visitor.instance, user: visitor.user, after: sequence, limit: limit)
        }
    }

    package func newest(of visitor: Visitor) async throws -> Int64 {
        try await store.brand(visitor.brand).read { try $0.newestFeedSequence(instance: visitor.instance, user: visitor.user) }
    }

    package func messages(of visitor: Visitor, after: MessageID?, limit: Int) async throws -> [FeedMessage] {
        try await store.brand(visitor.brand).read {
            try $0.conversation(instance: visitor.instance, user: visitor.user, after: after, limit: limit)
        }
    }

    package func subscribe(to visitor: Visitor, ring: @escaping @Sendable (FeedSignal) -> Void) -> FeedSubscription {
        let address = Address(brand: visitor.brand, instance: visitor.instance, user: visitor.user)
        let id = state.withLock { state in
            state.nextID += 1
            state.subscribers[address, default: [:]][state.nextID] = ring
            return state.nextID
        }
        return FeedSubscription { [weak self] in self?.remove(id, address) }
    }

    package func typing(instance: InstanceConfiguration, user: UserID) {
        signal(.typing, Address(brand: instance.brand, instance: instance.id, user: user))
        // The page may hold its stream on another node.
        store.tellPeers(.typing(instance.brand, instance.id, user))
    }

    /// Who looks now, over all conversations.
    package var subscriberCount: Int { state.withLock { $0.subscribers.values.reduce(0) { $0 + $1.count } } }

    /// Brands with a conversation that somebody looks at.
    var watchedBrands: Set<BrandID> { state.withLock { Set($0.subscribers.keys.map(\.brand)) } }

    /// Whether somebody looks at that conversation.
    func isWatched(_ address: Address) -> Bool { state.withLock { $0.subscribers[address] != nil } }

    /// Tells who looks at these that their feeds have grown.
    func ring(_ addresses: [Address]) { for address in addresses { signal(.changed, address) } }

    private func signal(_ signal: FeedSignal, _ address: Address) {
        // Told outside the lock: a subscription that ends takes it to remove itself.
        let subscribers = state.withLock { $0.subscribers[address].map { Array($0.values) } ?? [] }
        for ring in subscribers { ring(signal) }
    }

    private func remove(_ id: UInt64, _ address: Address) {
        state.withLock { state in
            state.subscribers[address]?[id] = nil
            if state.subscribers[address]?.isEmpty == true { state.subscribers[address] = nil }
        }
    }
}
