package import Conversation
import Synchronization

/// One task in a worker's hands. The handler ends it exactly once through `finish`.
package final class TaskContext: Sendable {
    package enum Disposition: Sendable {
        case done
        /// Again at that time; `holdingLane` makes what came later in the lane wait behind it.
        case again(at: Timestamp, holdingLane: Bool)
        /// Nothing could be begun: again at that time as if it had never been taken. What came later in the lane waits behind it.
        case parked(until: Timestamp)
    }

    private enum Progress {
        case running
        case finished(next: QueueTask?)
    }

    package let task: QueueTask
    package let lease: LaneLease
    package let store: Store
    private let progress = Mutex(Progress.running)
    private let acts: Mutex<Bool>
    private let keepsLane: Bool

    init(task: QueueTask, lease: LaneLease, store: Store, keepsLane: Bool) {
        self.task = task
        self.lease = lease
        self.store = store
        self.keepsLane = keepsLane
        // What an earlier attempt may have done stays possible until a result is stored.
        acts = Mutex(task.wasInterrupted)
    }

    package var brand: BrandStore { store.brand(lease.brand) }
    package var isFinished: Bool { progress.withLock { if case .finished = $0 { true } else { false } } }
    var mayHaveActed: Bool { acts.withLock { $0 } }
    /// Says that from now on something outside may happen. When this attempt ends without a stored result, by an error or by a
    /// shutdown, the next one finds `wasInterrupted`, as it does after a crash.
    package func willAct() { acts.withLock { $0 = true } }
    var next: QueueTask? { progress.withLock { if case .finished(let next) = $0 { next } else { nil } } }

    /// Stores what the task led to, takes it off the queue and takes the lane's next one, in one transaction.
    /// While the disk is full it waits and tries again: a result that is known must not be lost.
    /// Throws `QueueError.fenced` when another worker holds the lane now, and what `effects` throws; then nothing was stored.
    package func finish(
        _ disposition: Disposition = .done, _ effects: @escaping @Sendable (BrandTransaction) throws -> Void
    ) async throws {
        let (task, lease, keepsLane) = (task, lease, keepsLane)
        let next = try await store.persistently(brand: lease.brand) { transaction -> QueueTask? in
            try transaction.fence(lease)
            try effects(transaction)
            switch disposition {
            case .done: try transaction.remove(task, from: lease)
            case .again(let time, let holdingLane):
                try transaction.postpone(task, in: lease, until: time, holdingLane: holdingLane)
                return nil
            case .parked(let time):
                try transaction.park(task, in: lease, until: time)
                return nil
            }
            if keepsLane, let next = try transaction.takeNext(lease) { return next }
            try transaction.release(lease)
            return nil
        }
        progress.withLock { $0 = .finished(next: next) }
    }
}

extension Store {
    /// Writes, and waits as long as the disk is full or the database cannot be reached; ends only with the unit stored, another error,
    /// or cancellation.
    package func persistently<Result: Sendable>(
        brand: BrandID, _ unit: @escaping @Sendable (BrandTransaction) throws -> Result
    ) async throws -> Result {
        var wait: Int64 = 100
        while true {
            do {
                return try await self.brand(brand).write(unit)
            } catch let error as StorageError where error.passes {
                try await clock.sleep(until: clock.now + .milliseconds(wait))
                wait = min(wait * 2, 2000)
            }
        }
    }
}

extension StorageError {
    /// Whether waiting helps.
    var passes: Bool {
        switch self {
        case .full, .unavailable: true
        case .closed, .duplicate, .failed, .unreadable, .cannotOpen: false
        }
    }
}
