package import Conversation
package import Logging
package import Storage

/// Carries handovers into ticket systems: opens tickets, adds what is said and noted, closes them, and ends the wait for a person. A desk
/// that cannot be reached holds its handover's lane and costs nothing else; nothing of it is lost.
package struct DeskHandler: TaskHandler {
    package struct Options: Sendable {
        /// Waits between attempts; the last one repeats.
        package var backoff: [Double]
        /// A customer whose desk is away for this long is told, once.
        package var tellAfter: Duration
        /// After this long of trying a person must look: a dead letter of kind `handover`.
        package var giveUpAfter: Duration
        /// How long a ticket may take to be found after an opening whose end nobody knows; before that nothing is opened again.
        package var settling: Duration

        package init(
            backoff: [Double] = [2, 4, 8, 16, 30, 60], tellAfter: Duration = .seconds(60), giveUpAfter: Duration = .seconds(6 * 3600),
            settling: Duration = .seconds(60)
        ) {
            self.backoff = backoff
            self.tellAfter = tellAfter
            self.giveUpAfter = giveUpAfter
            self.settling = settling
        }
    }

    let registry: Registry
    private let options: Options
    private let backoff: Backoff
    private let jitter: any JitterSource
    private let logger: Logger

    package init(
        registry: Registry, options: Options = .init(), jitter: any JitterSource = SystemJitter(), jitterFraction: Double = 0.1,
        logger: Logger
    ) {
        self.registry = registry
        self.options = options
        // The end is a matter of time, not of a number.
        backoff = Backoff(RetryPolicy(attempts: .max, backoff: options.backoff), jitterFraction: jitterFraction)
        self.jitter = jitter
        self.logger = logger
    }

    package func handle(_ context: TaskContext) async throws {
        guard let id = context.task.payload["handover"]?.string.flatMap({ HandoverID($0) }) else {
            throw StageError(stage: .handover, retryable: false, cause: "a desk task without a handover")
        }
        guard let handover = try await context.brand.read({ try $0.handover(id) }) else { return try await context.finish { _ in } }
        guard let brand = registry.brand(context.lease.brand), let instance = registry.instance(handover.instance),
            let channel = registry.channel(instance.channel)
        else { return try await context.finish(.parked(until: context.store.clock.now + .seconds(30))) { _ in } }
        let work = DeskWork(handover: handover, brand: brand, channel: channel, context: context)
        do {
            switch context.task.kind {
            case DeskTask.open: try await work.open(settling: options.settling)
            case DeskTask.entry: try await work.add()
            case DeskTask.close: try await work.close()
            case DeskTask.wait: try await work.endWait()
            case let kind: throw StageError(stage: .handover, retryable: false, cause: "a desk task of unknown kind \(kind)")
            }
        } catch let failure as DeskError {
            try await failed(failure, work)
        }
    }

    private func failed(_ error: DeskError, _ work: DeskWork) async throws {
        let (context, now) = (work.context, work.context.store.clock.now)
        logger.warning(
            "the desk did not take it",
            metadata: [
                "brand": "\(context.lease.brand)", "handover": "\(work.handover.id)", "kind": "\(context.task.kind)",
                "attempt": "\(context.task.attempts)", "error": "\(error)",
            ])
        switch error.outcome {
        case .refused, .gone, .unproven: return try await work.giveUp("\(error)")
        case .notDone, .unknown: break
        }
        guard now - context.task.createdAt < options.giveUpAfter,
            let wait = backoff.delay(afterAttempt: context.task.attempts, jitter: jitter, retryAfter: error.retryAfter)
        else { return try await work.giveUp("\(error)") }
        try await work.later(at: now + wait, mayHaveActed: error.outcome == .unknown, tellAfter: options.tellAfter)
    }

    package func giveUp(_ task: QueueTask, lane: String, error: any Error, in transaction: BrandTransaction) throws {
        guard let id = task.payload["handover"]?.string.flatMap({ HandoverID($0) }) else {
            throw StageError(stage: .handover, retryable: false, cause: "a desk task without a handover")
        }
        guard let handover = try transaction.handover(id) else { return }
        try DeskWork.bury(task, lane: lane, of: handover, reason: "\(error)", in: transaction)
    }
}
