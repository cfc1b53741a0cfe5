internal import Conversation
import Logging

/// What becomes of a task that its handler did not end.
extension TaskDispatcher {
    private enum Ending: Sendable {
        case givenBack
        /// As if it had not been taken, but not at once.
        case parked(Duration)
        case later(Duration)
        case givenUp
    }

    /// False when the end of the attempt could not be stored: then the lane is ours until the lease ends, and the next attempt finds this one
    /// interrupted.
    func failed(_ context: TaskContext, _ error: any Error) async -> Bool {
        let (task, lease) = (context.task, context.lease)
        var about: Logger.Metadata = ["brand": "\(lease.brand)", "lane": "\(lease.lane)", "task": "\(task.id)", "kind": "\(task.kind)"]
        about["error"] = "\(error)"
        if error is QueueError || context.isFinished {
            logger.warning("result refused", metadata: about)
            return true
        }
        let ending = ending(of: task, error)
        var isStored = true
        do {
            // Shielded from cancellation: giving a task back is the last thing a shutdown does.
            try await Task.detached { try await self.store(ending, context, error) }.value
        } catch {
            about["storing"] = "\(error)"
            // Somebody else has the lane already.
            isStored = error is QueueError
        }
        switch ending {
        case .givenBack: break
        case .parked: logger.warning("nothing could be sent in time, will be begun again", metadata: about)
        case .later: logger.error("task failed, will be tried again", metadata: about)
        case .givenUp: logger.error("task given up", metadata: about)
        }
        return isStored
    }

    private func ending(of task: QueueTask, _ error: any Error) -> Ending {
        if error is CancellationError { return .givenBack }
        if error is TaskCrashed { return .givenUp }
        if error is CallTooLate { return .parked(options.sweep) }
        if let stage = error as? StageError, !stage.retryable { return .givenUp }
        let backoff = Backoff(options.retry, jitterFraction: options.jitterFraction)
        return backoff.delay(afterAttempt: task.attempts, jitter: jitter).map { .later($0) } ?? .givenUp
    }

    private func store(_ ending: Ending, _ context: TaskContext, _ error: any Error) async throws {
        let (task, lease, mayHaveActed) = (context.task, context.lease, context.mayHaveActed)
        switch ending {
        case .givenBack:
            try await fenced(task, lease) { try $0.giveBack(task, lease, mayHaveActed: mayHaveActed) }
        case .parked(let wait):
            var late = task
            late.wasInterrupted = mayHaveActed
            try await fenced(task, lease) { [late] in try $0.park(late, in: lease, until: $0.now + wait) }
        case .later(let wait):
            try await fenced(task, lease) {
                try $0.postpone(task, in: lease, until: $0.now + wait, holdingLane: true, mayHaveActed: mayHaveActed)
            }
        case .givenUp:
            var last = task
            last.wasInterrupted = mayHaveActed
            try await giveUp(last, lease, error)
        }
    }

    /// By its handler; when that fails too, such as over rows that cannot be read, by a bare dead letter: a task that nobody can end must
    /// not come back for ever.
    private func giveUp(_ task: QueueTask, _ lease: LaneLease, _ error: any Error) async throws {
        let handler = handler
        do {
            try await fenced(task, lease) { transaction in
                try handler.giveUp(task, lane: lease.lane, error: error, in: transaction)
                try transaction.remove(task, from: lease)
                try transaction.release(lease)
            }
        } catch let refusal as QueueError {
            throw refusal
        } catch let second {
            try await fenced(task, lease) { transaction in
                try transaction.bury(task, lease, error: "\(error)", second: "\(second)")
                try transaction.remove(task, from: lease)
                try transaction.release(lease)
            }
        }
    }

    private func fenced(
        _ task: QueueTask, _ lease: LaneLease, _ unit: @escaping @Sendable (BrandTransaction) throws -> Void
    ) async throws {
        try await store.persistently(brand: lease.brand) { transaction in
            try transaction.fence(lease)
            // It ended all the same, in a commit whose answer was lost, which may have taken the next one: nobody has begun that.
            guard try transaction.taskExists(task.id, lane: lease.lane) else {
                try transaction.giveBackTaken(lease)
                return try transaction.release(lease)
            }
            try unit(transaction)
        }
    }
}

extension BrandTransaction {
    /// A dead letter of a task about which nothing but the task itself is known. It can be driven again.
    func bury(_ task: QueueTask, _ lease: LaneLease, error: String, second: String) throws {
        try insertDeadLetter(
            kind: lease.pool.deadLetterKind, reason: "failed",
            detail: [
                "error": .string(error), "attempts": .integer(Int64(task.attempts)), "giving_up": .string(second),
                "task": .string(task.kind),
            ],
            about: .init(id: task.id.value),
            task: [
                "lane": .string(lease.lane), "pool": .string(lease.pool.rawValue), "kind": .string(task.kind), "payload": task.payload,
                "priority": .integer(Int64(task.priority.rank)),
            ])
    }

    /// A time that was said by this process' clock, by the clock that this store goes by.
    func moment(_ time: Timestamp, saidAt said: Timestamp) -> Timestamp {
        connection.time.map { $0 + (time - said) } ?? time
    }
}
