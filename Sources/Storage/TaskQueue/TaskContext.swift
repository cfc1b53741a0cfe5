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
        /// The remote system is away: again when it is back, at that time at the latest, as if it had not been taken. With `mayHaveActed`
        /// the next attempt finds it interrupted. What came later in the lane waits behind it.
        case awaitingReturn(latest: Timestamp, mayHaveActed: Bool)
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
    private let watch: LeaseWatch

    init(task: QueueTask, lease: LaneLease, store: Store, keepsLane: Bool, watch: LeaseWatch) {
        self.watch = watch
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

    /// Makes a call that must not be made by two: confirms first, and lets no byte of an HTTP request out when the lease may have ended while
    /// the call waited for its turn. Throws `CallTooLate` when nothing was sent for that reason, to be passed on: then it is no attempt.
    /// Throws `QueueError.fenced` when somebody else has the lane.
    package func act<Result: Sendable>(mayAct: Bool, _ call: @Sendable () async throws -> Result) async throws -> Result {
        let actedBefore = mayHaveActed
        try await confirm(mayAct: mayAct)
        let fence = CallFence { [watch, lease] in !watch.isDoubtful(lease) }
        let outcome: Swift.Result<Result, any Error>
        do {
            outcome = .success(try await OutwardCalls.$mayBegin.withValue({ fence.mayBegin() }, operation: call))
        } catch {
            outcome = .failure(error)
        }
        if fence.stoppedAll {
            acts.withLock { $0 = actedBefore }
            throw CallTooLate()
        }
        return try outcome.get()
    }

    /// To be called right before anything is sent outside: a worker that stood still for so long that its lease may have ended asks the
    /// store first, and throws `QueueError.fenced` when somebody else has the lane. `mayAct` is false for what changes nothing.
    package func confirm(mayAct: Bool) async throws {
        if watch.isDoubtful(lease) {
            let (lease, length) = (lease, watch.length)
            let moment = watch.moment()
            let isOurs = try await brand.write { try $0.renew(lease, until: $0.now + length) }
            guard isOurs else { throw QueueError.fenced(lane: lease.lane) }
            watch.mark([lease], at: moment)
        }
        if mayAct { willAct() }
    }

    /// Writes while the task runs. Throws `QueueError.fenced` when another worker holds the lane now; then nothing was stored.
    package func note(_ effects: @escaping @Sendable (BrandTransaction) throws -> Void) async throws {
        let lease = lease
        try await brand.write { transaction in
            try transaction.fence(lease)
            try effects(transaction)
        }
    }

    /// Whether the task should end early, because it was cancelled or an interrupt waits in its lane.
    package func isInterrupted() async throws -> Bool {
        let (id, lane) = (task.id, lease.lane)
        return try await brand.read { try $0.isInterrupted(id, lane: lane) }
    }

    var next: QueueTask? { progress.withLock { if case .finished(let next) = $0 { next } else { nil } } }

    /// Stores what the task led to, takes it off the queue and takes the lane's next one, in one transaction.
    /// While the disk is full it waits and tries again: a result that is known must not be lost.
    /// Throws `QueueError.fenced` when another worker holds the lane now, and what `effects` throws; then nothing was stored.
    package func finish(
        _ disposition: Disposition = .done, _ effects: @escaping @Sendable (BrandTransaction) throws -> Void
    ) async throws {
        let (task, lease, keepsLane) = (task, lease, keepsLane)
        let said = store.clock.now
        let next = try await store.persistently(brand: lease.brand) { (transaction, isAgain) -> QueueTask? in
            try transaction.fence(lease)
            if isAgain, try !transaction.taskExists(task.id, lane: lease.lane) {
                // The commit whose answer was lost took effect: nothing of it may happen twice.
                if let next = try transaction.taken(lease) { return next }
                try transaction.release(lease)
                return nil
            }
            try effects(transaction)
            switch disposition {
            case .done: try transaction.remove(task, from: lease)
            case .again(let time, let holdingLane):
                try transaction.postpone(task, in: lease, until: transaction.moment(time, saidAt: said), holdingLane: holdingLane)
                return nil
            case .parked(let time):
                try transaction.park(task, in: lease, until: transaction.moment(time, saidAt: said))
                return nil
            case .awaitingReturn(let latest, let mayHaveActed):
                try transaction.awaitReturn(
                    task, in: lease, latest: transaction.moment(latest, saidAt: said), mayHaveActed: mayHaveActed)
                return nil
            }
            let gone = try transaction.drop(lease)
            if keepsLane, !gone.isSet, let next = try transaction.takeNext(lease) { return next }
            try transaction.free(lease, unless: gone)
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
        try await persistently(brand: brand) { transaction, _ in try unit(transaction) }
    }

    /// The unit is told whether it runs again after a failure that leaves open whether it took effect before.
    func persistently<Result: Sendable>(
        brand: BrandID, _ unit: @escaping @Sendable (_ transaction: BrandTransaction, _ isAgain: Bool) throws -> Result
    ) async throws -> Result {
        var wait: Int64 = 100
        var isAgain = false
        while true {
            do {
                return try await self.brand(brand).write { [isAgain] in try unit($0, isAgain) }
            } catch let error as StorageError where error.passes {
                if case .unavailable = error { isAgain = true }
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
