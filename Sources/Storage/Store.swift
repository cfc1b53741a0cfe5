package import Conversation
import Synchronization

/// The store as everybody else sees it: reached through a brand, so that a query without a brand cannot be written.
package final class Store: Sendable {
    /// Holds the tables without a brand, and every brand that has no database of its own.
    let database: any Database
    /// Brands that live elsewhere. Each is self-contained: nothing of it stands in `database`.
    private let elsewhere: [BrandID: any Database]
    package let clock: any WallClock
    package let ids: any IDSource
    /// The name under which this process holds leases.
    package let node: String
    /// Which tasks may run beside each other, whatever dispatcher they belong to.
    let gate = TaskGate()
    /// Ids in a shared store, ascending in this process whatever thread writes them.
    let order = IDOrder()
    private let listeners = Mutex<[@Sendable (BrandID, LanePool) -> Bool]>([])
    private let network = Mutex<(any PeerNetwork)?>(nil)
    private let eventListeners = Mutex<[@Sendable (BrandID) -> Void]>([])
    private let deadLetterListeners = Mutex<[@Sendable (BrandID, [String]) -> Void]>([])
    private let handoverListeners = Mutex<[@Sendable (BrandID, [HandoverNews]) -> Void]>([])
    private let feedListeners = Mutex<[@Sendable (BrandID, InstanceID, UserID) -> Void]>([])
    private let typingListeners = Mutex<[@Sendable (BrandID, InstanceID, UserID) -> Void]>([])

    /// Whether anybody takes events from the outbox. When nobody does none are written.
    package let eventsAreWanted: @Sendable () -> Bool

    package init(
        database: any Database, elsewhere: [BrandID: any Database] = [:], clock: any WallClock, ids: any IDSource, node: String,
        eventsAreWanted: @escaping @Sendable () -> Bool = { true }
    ) {
        self.database = database
        self.elsewhere = elsewhere
        self.clock = clock
        self.ids = ids
        self.node = node
        self.eventsAreWanted = eventsAreWanted
    }

    package func brand(_ id: BrandID) -> BrandStore { BrandStore(store: self, id: id) }

    func database(of brand: BrandID) -> any Database { elsewhere[brand] ?? database }
    /// Every database once.
    var databases: [any Database] {
        var seen = Set([ObjectIdentifier(database)])
        return [database] + elsewhere.values.filter { seen.insert(ObjectIdentifier($0)).inserted }
    }

    /// Calls `listener` after every commit that made a lane of that pool ready. It answers whether a worker here will take the work at
    /// once; when none will, the other nodes are told.
    package func onReady(_ listener: @escaping @Sendable (BrandID, LanePool) -> Bool) { listeners.withLock { $0.append(listener) } }

    /// Tells the other nodes through `network` from now on.
    package func connect(_ network: any PeerNetwork) { self.network.withLock { $0 = network } }

    /// Another node did something: whoever listens here looks into the store, as if it had been done here.
    package func hear(_ signal: PeerSignal) {
        switch signal {
        case .ready(let brand, let pool): _ = offer(brand, pool)
        case .feed(let brand, let instance, let user): tellFeedListeners(brand, instance, user)
        case .events(let brand): tellEventListeners(brand)
        case .typing(let brand, let instance, let user):
            for listener in typingListeners.withLock({ $0 }) { listener(brand, instance, user) }
        }
    }

    package func tellPeers(_ signal: PeerSignal) { network.withLock { $0 }?.send(signal) }

    /// Calls `listener` after every commit that put events into a brand's outbox.
    package func onEvents(_ listener: @escaping @Sendable (BrandID) -> Void) { eventListeners.withLock { $0.append(listener) } }

    /// Calls `listener` after every commit that gave work up, with the kinds of the dead letters it made. Never for a unit that was undone.
    package func onDeadLetters(_ listener: @escaping @Sendable (BrandID, _ kinds: [String]) -> Void) {
        deadLetterListeners.withLock { $0.append(listener) }
    }

    func announceDeadLetters(_ brand: BrandID, _ kinds: [String]) {
        let current = deadLetterListeners.withLock { $0 }
        for listener in current { listener(brand, kinds) }
    }

    /// Calls `listener` after every commit in which something happened to handovers. Never for a unit that was undone.
    package func onHandovers(_ listener: @escaping @Sendable (BrandID, [HandoverNews]) -> Void) {
        handoverListeners.withLock { $0.append(listener) }
    }

    func announceHandovers(_ brand: BrandID, _ news: [HandoverNews]) {
        let current = handoverListeners.withLock { $0 }
        for listener in current { listener(brand, news) }
    }

    /// Calls `listener` after every commit that added to the feed of a conversation.
    package func onFeed(_ listener: @escaping @Sendable (BrandID, InstanceID, UserID) -> Void) {
        feedListeners.withLock { $0.append(listener) }
    }

    /// Calls `listener` when somebody writes an answer in a conversation whose turn runs on another node.
    package func onTyping(_ listener: @escaping @Sendable (BrandID, InstanceID, UserID) -> Void) {
        typingListeners.withLock { $0.append(listener) }
    }

    func announceFeeds(_ brand: BrandID, _ conversations: Set<FeedAddress>) {
        guard !conversations.isEmpty else { return }
        for conversation in conversations {
            tellFeedListeners(brand, conversation.instance, conversation.user)
            tellPeers(.feed(brand, conversation.instance, conversation.user))
        }
    }

    private func tellFeedListeners(_ brand: BrandID, _ instance: InstanceID, _ user: UserID) {
        for listener in feedListeners.withLock({ $0 }) { listener(brand, instance, user) }
    }

    /// The node that wrote an event publishes it; the others are not told, their sweep is the net.
    func announceEvents(_ brand: BrandID) { tellEventListeners(brand) }

    private func tellEventListeners(_ brand: BrandID) {
        for listener in eventListeners.withLock({ $0 }) { listener(brand) }
    }

    func wake(_ brand: BrandID, _ pools: Set<LanePool>) {
        for pool in pools where !offer(brand, pool) { tellPeers(.ready(brand, pool)) }
    }

    /// Whether somebody here takes it.
    private func offer(_ brand: BrandID, _ pool: LanePool) -> Bool {
        listeners.withLock { $0 }.reduce(false) { taken, listener in listener(brand, pool) || taken }
    }

    package func close() async {
        for database in databases { await database.close() }
    }
}

/// One brand's part of the store.
package struct BrandStore: Sendable {
    package let store: Store
    package let id: BrandID

    /// One transaction, durable when this returns. The unit may run twice, so it touches only the transaction.
    package func write<Result: Sendable>(_ unit: @escaping @Sendable (BrandTransaction) throws -> Result) async throws -> Result {
        let (result, told) = try await store.database(of: id).write(.brand(id)) { [store, id] connection in
            let transaction = BrandTransaction(brand: id, connection: connection, store: store)
            return (try unit(transaction), transaction.told)
        }
        // Not before the commit: what a unit did not wait for may have brought news until then.
        let news = told.news
        if !news.woken.isEmpty { CrashPoint.answeredNotWoken.pass() }
        store.wake(id, news.woken)
        if news.hasEvents { store.announceEvents(id) }
        if !news.deadLetters.isEmpty { store.announceDeadLetters(id, news.deadLetters) }
        if !news.handovers.isEmpty { store.announceHandovers(id, news.handovers) }
        store.announceFeeds(id, news.feeds)
        return result
    }

    package func read<Result: Sendable>(_ unit: @escaping @Sendable (BrandTransaction) throws -> Result) async throws -> Result {
        try await store.database(of: id).read(.brand(id)) { [store, id] connection in
            try unit(BrandTransaction(brand: id, connection: connection, store: store))
        }
    }
}

/// What a unit of work leaves for others to hear after its commit.
struct CommitNews: Sendable {
    var woken: Set<LanePool> = []
    var hasEvents = false
    /// The kinds of the dead letters that the unit made.
    var deadLetters: [String] = []
    var feeds: Set<FeedAddress> = []
    var handovers: [HandoverNews] = []
}

/// News, handed from the thread that writes to whoever waits for the commit.
final class CommitNewsBox: Sendable {
    private let state = Mutex(CommitNews())
    var news: CommitNews {
        get { state.withLock { $0 } }
        set { state.withLock { $0 = newValue } }
    }
}

/// What a unit of work does to one brand's rows. Its repositories are extensions, one file each.
package final class BrandTransaction {
    package let brand: BrandID
    let connection: any Connection
    private let store: Store
    /// The time at which the unit began.
    package let now: Timestamp
    let told = CommitNewsBox()
    /// Told to the listeners once the unit is durable.
    var news: CommitNews {
        get { told.news }
        set { told.news = newValue }
    }

    init(brand: BrandID, connection: any Connection, store: Store) {
        self.brand = brand
        self.connection = connection
        self.store = store
        now = connection.time ?? store.clock.now
    }

    /// Ascending in this process. Several nodes write to one conversation, and their clocks differ; so in a shared store the time in an id
    /// is the store's: messages and events are in the order in which they were stored.
    package func newID() -> UniqueID {
        let id = store.ids.next()
        return isShared ? store.order.id(at: now, random: id.low) : id
    }
    var node: String { store.node }
    var eventsAreWanted: Bool { store.eventsAreWanted() }
    /// Other nodes may work on this brand's rows.
    private(set) lazy var isShared = store.database(of: brand).dialect.isShared
    var key: SQLValue { SQLValue(brand) }

    func rows(_ statement: SQL, _ values: SQLValue...) throws -> [Row] { try connection.rows(statement, [key] + values) }
    func row(_ statement: SQL, _ values: SQLValue...) throws -> Row? { try connection.rows(statement, [key] + values).first }
    @discardableResult func run(_ statement: SQL, _ values: SQLValue...) throws -> Int { try connection.run(statement, [key] + values) }
    func send(_ statement: SQL, _ values: SQLValue...) throws { try connection.send(statement, [key] + values) }
    func send(_ statement: SQL, _ values: SQLValue..., then take: @escaping ([Row]) throws -> Void) throws {
        try connection.send(statement, [key] + values, then: take)
    }
}
