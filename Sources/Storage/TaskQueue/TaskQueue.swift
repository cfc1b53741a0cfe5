package import Conversation
import Synchronization

/// The durable queue, as whoever stands outside of a transaction uses it. Within one, the same operations are there on
/// `BrandTransaction`, so that a task is stored together with what made it necessary.
///
/// Tasks of a lane are taken one at a time, in the order of their priority and within it of their ids; lanes run beside each other. What
/// can be seen of a task is `pending` or `processing`; what *completed*, *failed* or was *cancelled* stands where its outcome is recorded
/// (see `QueueTaskState`). A worker counts as dead when its lease has ended: then the next claim takes its lane over, and what it writes
/// later is refused by the lane's epoch.
package final class TaskQueue: Sendable {
    private struct Subscriptions {
        var last = 0
        var all: [Int: (pool: LanePool, AsyncStream<BrandID>.Continuation)] = [:]
    }

    private let store: Store
    private let subscriptions = Mutex(Subscriptions())

    package init(store: Store) {
        self.store = store
        store.onReady { [weak self] brand, pool in
            self?.tell(brand, pool)
            // Whoever listens only is no worker.
            return false
        }
    }

    /// Stores a task. False when one of the same unique key stands in the queue already.
    @discardableResult package func enqueue(_ task: NewTask, brand: BrandID) async throws -> Bool {
        try await store.brand(brand).write { try $0.enqueueOnce(task) }
    }

    /// Takes up to `limit` ready lanes, highest priority first, each with its first task, for as long as `lease`. The attempts are counted.
    package func dequeue(
        _ pool: LanePool, brand: BrandID, limit: Int = 1, lease: Duration = .seconds(30)
    ) async throws -> [(lease: LaneLease, task: QueueTask)] {
        try await store.brand(brand).write { try $0.claim(pool: pool, limit: limit, until: $0.now + lease).work }
    }

    /// The task that the next worker of the lane would get now.
    package func peek(lane: String, brand: BrandID) async throws -> TaskView? {
        try await store.brand(brand).read { try $0.peek(lane: lane) }
    }

    /// Whether anything waits or runs in the lane at this priority or above.
    package func hasPending(lane: String, atOrAbove priority: Priority = .low, brand: BrandID) async throws -> Bool {
        try await store.brand(brand).read { try $0.hasPending(lane: lane, atOrAbove: priority) }
    }

    /// Tasks waiting or running in the lane at this priority or above, in the order in which they will be taken.
    package func tasks(
        in lane: String, atOrAbove priority: Priority = .low, limit: Int = 100, brand: BrandID
    ) async throws -> [TaskView] {
        try await store.brand(brand).read { try $0.tasks(in: lane, atOrAbove: priority, limit: limit) }
    }

    /// Takes back what no worker has begun; what was begun finds out by the interrupt check.
    package func cancel(_ id: QueueTaskID, lane: String, brand: BrandID) async throws -> Cancellation {
        try await store.brand(brand).write { try $0.cancel(id, lane: lane) }
    }

    /// Keeps new work of a brand from being taken, on all nodes and across restarts; what comes in is stored as ever. False when it was
    /// paused already.
    @discardableResult package func pause(_ brand: BrandID) async throws -> Bool {
        try await store.brand(brand).write { try $0.pauseBrand() }
    }

    /// False when the brand was not paused.
    @discardableResult package func resume(_ brand: BrandID) async throws -> Bool {
        try await store.brand(brand).write { try $0.resumeBrand() }
    }

    /// Since when a brand is paused; nil when it is not.
    package func pausedAt(_ brand: BrandID) async throws -> Timestamp? { try await store.brand(brand).read { try $0.brandPausedAt() } }

    /// Brands whose lanes of this pool became ready, as they do so, here or on a node that tells this one. What is not read in time is
    /// dropped but for the newest 1,024: losing a wake-up costs a sweep, never work.
    package func subscribe(_ pool: LanePool) -> AsyncStream<BrandID> {
        AsyncStream(bufferingPolicy: .bufferingNewest(1024)) { continuation in
            let number = subscriptions.withLock { subscriptions in
                subscriptions.last += 1
                subscriptions.all[subscriptions.last] = (pool, continuation)
                return subscriptions.last
            }
            continuation.onTermination = { [weak self] _ in self?.subscriptions.withLock { $0.all[number] = nil } }
        }
    }

    private func tell(_ brand: BrandID, _ pool: LanePool) {
        let listeners = subscriptions.withLock { $0.all.values.filter { $0.pool == pool }.map(\.1) }
        for listener in listeners { listener.yield(brand) }
    }
}
