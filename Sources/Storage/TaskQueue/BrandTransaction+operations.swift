package import Conversation

/// How a task stands in the queue. What has ended is in the queue no more: *completed* is the outcome that its work recorded (a message's
/// outcome, an action's or a reply's state), *failed* is a dead letter, *cancelled* is an action's state, or nothing at all for a timer
/// that is no longer needed.
package enum QueueTaskState: String, Sendable, Hashable {
    case pending, processing
}

/// A task as it stands in its lane, in nobody's hands or in somebody else's.
package struct TaskView: Sendable {
    package var id: QueueTaskID
    package var kind: String
    package var payload: JSONValue
    package var priority: Priority
    package var runAt: Timestamp
    package var state: QueueTaskState
    /// Attempts begun so far.
    package var attempts: Int
    package var createdAt: Timestamp
    /// The node that made it.
    package var node: String
    package var isCancelRequested: Bool
    package var parkedSince: Timestamp?
}

/// What came of a wish to cancel a task.
package enum Cancellation: Sendable, Hashable {
    /// No worker had begun it; it is gone.
    case cancelled
    /// A worker has begun it: the interrupt check tells it, and it ends as it can.
    case requested
    case notFound
}

/// Looking at the queue, and stopping what stands in it.
extension BrandTransaction {
    private enum Statements {
        private static let columns =
            "task_id, kind, payload, priority, run_at, state, attempts, created_at, node, cancel_requested, parked_since"
        static let next = SQL(
            """
            SELECT \(columns) FROM tasks WHERE brand_id = $1 AND (\(Migrations.laneInOrder)) = $2 AND run_at <= $3 ORDER BY priority DESC, task_id LIMIT 1
            """)
        static let list = SQL(
            "SELECT \(columns) FROM tasks WHERE brand_id = $1 AND (\(Migrations.laneInOrder)) = $2 AND priority >= $3 ORDER BY priority DESC, task_id LIMIT $4"
        )
        static let one = SQL("SELECT \(columns) FROM tasks WHERE brand_id = $1 AND lane = $2 AND task_id = $3")
        static let any = SQL("SELECT 1 FROM tasks WHERE brand_id = $1 AND (\(Migrations.laneInOrder)) = $2 AND priority >= $3 LIMIT 1")
        static let count = SQL("SELECT count(*) FROM tasks WHERE brand_id = $1 AND (\(Migrations.laneInOrder)) = $2 AND priority >= $3")
        static let interrupted = SQL(
            """
            SELECT 1 FROM tasks WHERE brand_id = $1 AND (\(Migrations.laneInOrder)) = $2 AND priority = \(Priority.interrupt.rank) AND task_id <> $3
            UNION ALL SELECT 1 FROM tasks WHERE brand_id = $1 AND lane = $2 AND task_id = $3 AND cancel_requested = 1 LIMIT 1
            """)
        static let delete = SQL("DELETE FROM tasks WHERE brand_id = $1 AND lane = $2 AND task_id = $3")
        static let request = SQL("UPDATE tasks SET cancel_requested = 1 WHERE brand_id = $1 AND lane = $2 AND task_id = $3")
        static let pauseLane = SQL(
            """
            INSERT INTO lanes (brand_id, lane, pool, priority, epoch, paused) VALUES ($1, $2, $3, \(Priority.normal.rank), $4, 1)
            ON CONFLICT (brand_id, lane) DO UPDATE SET paused = 1
            """)
        static let resumeLane = SQL("UPDATE lanes SET paused = 0 WHERE brand_id = $1 AND lane = $2 AND paused = 1 RETURNING pool")
        static let pause = SQL("INSERT INTO brand_pauses (brand_id, paused_at) VALUES ($1, $2) ON CONFLICT (brand_id) DO NOTHING")
        static let resume = SQL("DELETE FROM brand_pauses WHERE brand_id = $1")
        static let pausedAt = SQL("SELECT paused_at FROM brand_pauses WHERE brand_id = $1")
    }

    /// The task that the next worker of the lane would get now; nil when there is none.
    package func peek(lane: String) throws -> TaskView? {
        let first = try row(Statements.next, .text(lane), SQLValue(now)).map { try TaskView(row: $0) }
        return try ([first].compactMap { $0 } + inboxTasks(of: lane, limit: 1)).min { $0.isBefore($1) }
    }

    /// Tasks waiting or running in a lane at this priority or above, in the order in which they will be taken.
    package func tasks(in lane: String, atOrAbove priority: Priority = .low, limit: Int = 100) throws -> [TaskView] {
        let tasks = try rows(Statements.list, .text(lane), SQLValue(priority.rank), SQLValue(limit)).map { try TaskView(row: $0) }
        guard priority <= .normal else { return tasks }
        return Array(try (tasks + inboxTasks(of: lane, limit: limit)).sorted { $0.isBefore($1) }.prefix(limit))
    }

    /// One task; nil when it does not stand in the queue (any more).
    package func task(_ id: QueueTaskID, lane: String) throws -> TaskView? {
        try row(Statements.one, .text(lane), SQLValue(id)).map { try TaskView(row: $0) }
    }

    /// Whether the task still stands in its lane.
    package func taskExists(_ id: QueueTaskID, lane: String) throws -> Bool { try row(Statements.one, .text(lane), SQLValue(id)) != nil }

    /// Whether anything waits or runs in the lane at this priority or above. One look into an index, however much stands there.
    package func hasPending(lane: String, atOrAbove priority: Priority = .low) throws -> Bool {
        try row(Statements.any, .text(lane), SQLValue(priority.rank)) != nil
            || priority <= .normal && !inboxTasks(of: lane, limit: 1).isEmpty
    }

    /// How many tasks wait or run in a lane at this priority or above; counts them.
    package func pendingTasks(in lane: String, atOrAbove priority: Priority = .low) throws -> Int {
        try (row(Statements.count, .text(lane), SQLValue(priority.rank))?.int(0) ?? 0)
            + (priority <= .normal ? inboxTasks(of: lane, limit: .max).count : 0)
    }

    /// The interrupt check: whether the task should end early, because it was cancelled or an interrupt waits in its lane. One look into
    /// an index, however much stands there.
    package func isInterrupted(_ id: QueueTaskID, lane: String) throws -> Bool {
        try row(Statements.interrupted, .text(lane), SQLValue(id)) != nil
    }

    /// Takes back a task that no worker has begun; one that was begun is told through the interrupt check. A message whose turn is taken
    /// back, from its lane's inbox too, has that for its outcome.
    package func cancel(_ id: QueueTaskID, lane: String) throws -> Cancellation {
        try openInbox(of: lane, through: MessageID(id.value))
        let task = try task(id, lane: lane)
        guard try takeBack(id, lane: lane) else {
            return try run(Statements.request, .text(lane), SQLValue(id)) == 1 ? .requested : .notFound
        }
        if task?.kind == NewTask.message, let session = task?.payload["session"]?.string.flatMap({ SessionID($0) }) {
            try setOutcome("dropped:cancelled", of: MessageID(id.value), session: session, turn: nil)
        }
        return .cancelled
    }

    /// Removes a timer, begun or not: what it was for is settled. False when there is none.
    package func cancelTask(_ id: QueueTaskID, lane: String) throws -> Bool { try run(Statements.delete, .text(lane), SQLValue(id)) == 1 }

    /// Keeps new work of a lane from being taken until `resume(lane:)`; what a worker has goes on. Holds across restarts.
    package func pause(lane: String, pool: LanePool) throws {
        try run(Statements.pauseLane, .text(lane), .text(pool.rawValue), SQLValue(now))
    }

    /// False when the lane was not paused.
    @discardableResult package func resume(lane: String) throws -> Bool {
        guard let pool = try row(Statements.resumeLane, .text(lane)).flatMap({ LanePool(rawValue: try $0.text(0)) }) else { return false }
        news.woken.insert(pool)
        return true
    }

    /// Keeps all new work of the brand from being taken until `resumeBrand`; what workers have goes on, and what comes in is stored.
    /// Holds across restarts and for all nodes. False when it was paused already.
    @discardableResult package func pauseBrand() throws -> Bool { try run(Statements.pause, SQLValue(now)) == 1 }

    /// False when the brand was not paused.
    @discardableResult package func resumeBrand() throws -> Bool {
        guard try run(Statements.resume) == 1 else { return false }
        news.woken.formUnion(LanePool.allCases)
        return true
    }

    /// Since when the brand is paused; nil when it is not.
    package func brandPausedAt() throws -> Timestamp? { try row(Statements.pausedAt).map { try $0.time(0) } }
}

extension TaskView {
    /// Whether it is taken before the other.
    func isBefore(_ other: TaskView) -> Bool {
        priority == other.priority ? id < other.id : priority > other.priority
    }

    init(row: Row) throws {
        self.init(
            id: try row.entity(0), kind: try row.text(1), payload: try JSONValue(stored: row.text(2)),
            priority: Priority(rank: try row.int(3)), runAt: try row.time(4),
            state: QueueTaskState(rawValue: try row.text(5)) ?? .processing, attempts: try row.int(6), createdAt: try row.time(7),
            node: try row.text(8), isCancelRequested: try row.flag(9), parkedSince: try row.optional(10) { $0.time })
    }
}
