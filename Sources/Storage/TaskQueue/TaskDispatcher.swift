package import Conversation
package import Logging
import ServiceLifecycle
import Synchronization

/// Does the work of one kind of task.
package protocol TaskHandler: Sendable {
    /// Ends the task through `context.finish`. What it throws counts as a failed attempt; cancellation gives the task back.
    func handle(_ context: TaskContext) async throws
    /// What is stored when the attempts are used up. `task.wasInterrupted` says whether any attempt, the last one included, may have acted.
    func giveUp(_ task: QueueTask, lane: String, error: any Error, in transaction: BrandTransaction) throws
}

/// Runs the lanes of one pool: claims what is ready, keeps the leases alive, retries what fails, and gives back what a shutdown interrupts.
/// Woken by commits; a sweep every `sweep` is the net for what another process put in.
package final class TaskDispatcher: Service {
    package struct Options: Sendable {
        package var perBrand: Int
        package var total: Int
        package var lease: Duration
        package var retry: RetryPolicy
        /// The most that chance adds to a wait, as a part of it.
        package var jitterFraction: Double
        package var sweep: Duration
        /// Tasks of one lane in a row before others get their turn.
        package var laneRun: Int

        package init(
            perBrand: Int = 64, total: Int = 512, lease: Duration = .seconds(30), retry: RetryPolicy = .init(),
            jitterFraction: Double = 0.1, sweep: Duration = .seconds(2), laneRun: Int = 16
        ) {
            self.perBrand = perBrand
            self.total = total
            self.lease = lease
            self.retry = retry
            self.jitterFraction = jitterFraction
            self.sweep = sweep
            self.laneRun = laneRun
        }
    }

    private let store: Store
    private let pool: LanePool
    private let options: Options
    private let handler: any TaskHandler
    private let jitter: any JitterSource
    private let logger: Logger
    private let state: Mutex<DispatcherState>
    private let signal = WakeSignal()

    package init(
        store: Store, pool: LanePool, options: Options = .init(), handler: any TaskHandler, jitter: any JitterSource = SystemJitter(),
        logger: Logger
    ) {
        self.store = store
        self.pool = pool
        self.options = options
        self.handler = handler
        self.jitter = jitter
        self.logger = logger
        state = Mutex(DispatcherState(perBrand: options.perBrand, total: options.total))
        store.onReady { [weak self] brand, ready in
            guard let self, ready == pool, !signal.isClosed else { return false }
            let hasRoom = state.withLock { state in
                state.wake(brand)
                return state.hasRoom(for: brand)
            }
            signal.raise()
            return hasRoom
        }
    }

    package func run() async throws {
        for brand in try await store.brandsWithWork() { state.withLock { $0.wake(brand) } }
        state.withLock { $0.renewed(at: store.clock.now) }
        // Renewal outlives the claiming: running work keeps its leases until its last word is stored.
        let renewal = Task { await self.renewLeases() }
        defer { renewal.cancel() }
        await withGracefulShutdownHandler {
            await withDiscardingTaskGroup { group in await self.claimLoop(&group) }
        } onGracefulShutdown: {
            self.signal.close()
        }
    }

    private func claimLoop(_ group: inout DiscardingTaskGroup) async {
        while !signal.isClosed, !Task.isCancelled {
            // What is taken while a task runs alone would only wait, and share in the blame for its crash.
            do { try await store.gate.waitUntilOpen() } catch { return }
            var claimedAny = false
            let now = store.clock.now
            for (brand, room) in state.withLock({ $0.claimable(at: now) }) {
                let claimed = await claim(brand, room)
                claimedAny = claimedAny || !claimed.isEmpty
                for (lease, task) in claimed { group.addTask { await self.work(lease, task) } }
            }
            if !claimedAny {
                await signal.wait(until: state.withLock { $0.nextLook(after: now, sweep: options.sweep) }, clock: store.clock)
            }
        }
    }

    /// Takes ready lanes with their first task, in one transaction.
    private func claim(_ brand: BrandID, _ room: Int) async -> [(LaneLease, QueueTask)] {
        state.withLock { $0.beginLook(brand) }
        do {
            let (pool, lease) = (pool, options.lease)
            // While the store took no writes (a full disk, a stopped process) our own leases ran out; taking them over from ourselves
            // would refuse the results of calls that are still running.
            let held = state.withLock { $0.held(brand) }
            let (claimed, next) = try await store.brand(brand).write { transaction in
                if let renewedAt = held.renewedAt, transaction.now - renewedAt > lease * 2 / 3 {
                    for own in held.leases { _ = try transaction.renew(own, until: transaction.now + lease) }
                }
                var claimed: [(LaneLease, QueueTask)] = []
                let leases = try transaction.claimLanes(pool: pool, limit: room, until: transaction.now + lease)
                for lease in leases {
                    if let task = try transaction.takeNext(lease) { claimed.append((lease, task)) } else { try transaction.release(lease) }
                }
                return (claimed, leases.isEmpty ? try transaction.nextReady(pool: pool) : transaction.now)
            }
            CrashPoint.leaseTaken.pass()
            state.withLock { $0.endLook(brand, claimed: claimed.map(\.0), next: next) }
            return claimed
        } catch {
            logger.error("claiming failed", metadata: ["brand": "\(brand)", "pool": "\(pool.rawValue)", "error": "\(error)"])
            state.withLock { $0.endLook(brand, claimed: [], next: store.clock.now + .seconds(1)) }
            return []
        }
    }

    /// Works through a lane, task after task.
    private func work(_ lease: LaneLease, _ first: QueueTask) async {
        var next: QueueTask? = first
        var count = 0
        while let task = next {
            count += 1
            let context = TaskContext(
                task: task, lease: lease, store: store, keepsLane: count < options.laneRun && !signal.isClosed && store.gate.isOpen)
            do {
                try await run(context)
                guard context.isFinished else {
                    throw StageError(stage: .storage, retryable: false, cause: "\(task.kind) ended without a result")
                }
                next = context.next
            } catch {
                await failed(context, error)
                next = nil
            }
        }
        state.withLock { $0.end(lease) }
        signal.raise()
    }

    /// Hands a task to the handler when nothing runs that must not run beside it. Throws `TaskCrashed` for one that has had its chances.
    private func run(_ context: TaskContext) async throws {
        let (task, lease) = (context.task, context.lease)
        if task.isConvicted { throw TaskCrashed() }
        try await store.gate.enter(alone: task.isSuspect)
        defer { store.gate.leave() }
        if task.isSuspect {
            try await store.brand(lease.brand).write { transaction in
                try transaction.fence(lease)
                try transaction.runsAlone(task, in: lease)
            }
        }
        try await handler.handle(context)
    }

    private func failed(_ context: TaskContext, _ error: any Error) async {
        let (task, lease, handler, mayHaveActed) = (context.task, context.lease, handler, context.mayHaveActed)
        var about: Logger.Metadata = ["brand": "\(lease.brand)", "lane": "\(lease.lane)", "task": "\(task.id)", "kind": "\(task.kind)"]
        about["error"] = "\(error)"
        if error is QueueError || context.isFinished { return logger.warning("result refused", metadata: about) }
        let isInterrupted = error is CancellationError
        let wait = isInterrupted ? nil : retryDelay(task, error)
        do {
            // Shielded from cancellation: giving a task back is the last thing a shutdown does.
            try await Task.detached { [store] in
                try await store.persistently(brand: lease.brand) { transaction in
                    try transaction.fence(lease)
                    if isInterrupted { return try transaction.giveBack(task, lease, mayHaveActed: mayHaveActed) }
                    if let wait {
                        return try transaction.postpone(
                            task, in: lease, until: transaction.now + wait, holdingLane: true, mayHaveActed: mayHaveActed)
                    }
                    var last = task
                    last.wasInterrupted = mayHaveActed
                    try handler.giveUp(last, lane: lease.lane, error: error, in: transaction)
                    try transaction.remove(task, from: lease)
                    try transaction.release(lease)
                }
            }.value
        } catch {
            about["storing"] = "\(error)"
        }
        if !isInterrupted { logger.error(wait == nil ? "task given up" : "task failed, will be tried again", metadata: about) }
    }

    private func retryDelay(_ task: QueueTask, _ error: any Error) -> Duration? {
        if error is TaskCrashed { return nil }
        if let stage = error as? StageError, !stage.retryable { return nil }
        return Backoff(options.retry, jitterFraction: options.jitterFraction).delay(afterAttempt: task.attempts, jitter: jitter)
    }

    /// Every third of a lease, for all lanes in work.
    private func renewLeases() async {
        while !Task.isCancelled {
            do { try await store.clock.sleep(until: store.clock.now + options.lease / 3) } catch { return }
            let now = store.clock.now
            let until = now + options.lease
            var missedAny = false
            for (brand, leases) in Dictionary(grouping: state.withLock { Array($0.active) }, by: \.brand) {
                do {
                    let lost = try await store.brand(brand).write { transaction in
                        try leases.filter { try !transaction.renew($0, until: until) }
                    }
                    CrashPoint.leaseRenewing.pass()
                    for lease in lost where state.withLock({ $0.active.contains(lease) }) {
                        logger.warning("lease lost", metadata: ["brand": "\(brand)", "lane": "\(lease.lane)"])
                    }
                } catch {
                    missedAny = true
                    logger.error("renewing failed", metadata: ["brand": "\(brand)", "error": "\(error)"])
                }
            }
            if !missedAny { state.withLock { $0.renewed(at: now) } }
        }
    }

    /// Lanes being worked on in this process, for metrics.
    package var busyLanes: Int { state.withLock { $0.active.count } }
}
