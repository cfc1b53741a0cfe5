package import Conversation
package import Logging
import ServiceLifecycle
import Synchronization

/// Does the work of one kind of task.
package protocol TaskHandler: Sendable {
    /// Ends the task through `context.finish`. What it throws counts as a failed attempt; cancellation gives the task back.
    func handle(_ context: TaskContext) async throws
    /// What is stored when the attempts are used up. `task.wasInterrupted` says whether any attempt, the last one included, may have acted.
    /// When it throws, the task becomes a dead letter without its help.
    func giveUp(_ task: QueueTask, lane: String, error: any Error, in transaction: BrandTransaction) throws
}

/// Runs the lanes of one pool: claims what is ready, keeps the leases alive, retries what fails, and gives back what a shutdown interrupts.
/// Woken by commits; a sweep every `sweep` over all databases is the net for what nobody told of.
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
        /// How much a brand gets beside the others when there is not room for all; 1 or more.
        package var weight: @Sendable (BrandID) -> Int

        package init(
            perBrand: Int = 64, total: Int = 512, lease: Duration = .seconds(30), retry: RetryPolicy = .init(),
            jitterFraction: Double = 0.1, sweep: Duration = .seconds(2), laneRun: Int = 16,
            weight: @escaping @Sendable (BrandID) -> Int = { _ in 1 }
        ) {
            self.perBrand = perBrand
            self.total = total
            self.lease = lease
            self.retry = retry
            self.jitterFraction = jitterFraction
            self.sweep = sweep
            self.laneRun = laneRun
            self.weight = weight
        }
    }

    let store: Store
    let pool: LanePool
    let options: Options
    let handler: any TaskHandler
    let jitter: any JitterSource
    let logger: Logger
    let state: Mutex<DispatcherState>
    let signal = WakeSignal()
    let watch: LeaseWatch

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
        state = Mutex(DispatcherState(perBrand: options.perBrand, total: options.total, weight: options.weight))
        watch = LeaseWatch(length: options.lease, clock: store.clock)
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
        state.withLock { state in
            state.renewed(at: store.clock.now)
            _ = state.sweeps(at: store.clock.now, every: options.sweep)
        }
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
            let now = store.clock.now
            if state.withLock({ $0.sweeps(at: now, every: options.sweep) }) { await sweep() }
            var foundAny = false
            for found in await claim(state.withLock { $0.claimable(at: now) }) {
                foundAny = foundAny || found.lanes > 0
                for (lease, task) in found.work { group.addTask { await self.work(lease, task) } }
            }
            if !foundAny {
                await signal.wait(until: state.withLock { $0.nextLook(after: now, sweep: options.sweep) }, clock: store.clock)
            }
        }
    }

    /// Works through a lane, task after task.
    private func work(_ lease: LaneLease, _ first: QueueTask) async {
        var next: QueueTask? = first
        var count = 0
        var isEnded = true
        while let task = next {
            count += 1
            let context = TaskContext(
                task: task, lease: lease, store: store,
                keepsLane: pool.hasCrowdedLanes && count < options.laneRun && !signal.isClosed && store.gate.isOpen, watch: watch)
            do {
                try await run(context)
                guard context.isFinished else {
                    throw StageError(stage: .storage, retryable: false, cause: "\(task.kind) ended without a result")
                }
                next = context.next
            } catch {
                isEnded = await failed(context, error)
                next = nil
            }
        }
        state.withLock { state in isEnded ? state.end(lease) : state.abandon(lease) }
        watch.forget(lease)
        signal.raise()
    }

    /// Hands a task to the handler when nothing runs that must not run beside it. Throws `TaskCrashed` for one that has had its chances.
    /// Alone means alone in this process: it is this one that would die of it.
    private func run(_ context: TaskContext) async throws {
        let (task, lease) = (context.task, context.lease)
        if task.isConvicted { throw TaskCrashed() }
        try await store.gate.enter(alone: task.isSuspect)
        defer { store.gate.leave() }
        if task.isSuspect { try await context.note { try $0.runsAlone(task, in: lease) } }
        try await handler.handle(context)
    }

    /// Lanes being worked on in this process, for metrics.
    package var busyLanes: Int { state.withLock { $0.active.count } }
}
