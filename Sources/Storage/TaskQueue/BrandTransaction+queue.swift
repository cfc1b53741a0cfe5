package import Conversation

/// The durable queue. A lane row says when the lane next wants a worker; while a worker holds it, that moment is the end of the lease.
extension BrandTransaction {
    private enum Statements {
        static let insert = SQL(
            """
            INSERT INTO tasks (brand_id, lane, task_id, kind, payload, priority, run_at, state, created_at, node)
            VALUES ($1, $2, $3, $4, $5, $6, $7, 'pending', $8, $9)
            """)
        static let ready = SQL(
            """
            INSERT INTO lanes (brand_id, lane, pool, priority, ready_at, epoch) VALUES ($1, $2, $3, $4, $5, $6)
            ON CONFLICT (brand_id, lane) DO UPDATE SET
                ready_at = CASE WHEN lanes.held_by IS NOT NULL THEN lanes.ready_at
                    WHEN lanes.ready_at IS NULL OR lanes.ready_at > excluded.ready_at THEN excluded.ready_at ELSE lanes.ready_at END,
                priority = CASE WHEN lanes.priority < excluded.priority THEN excluded.priority ELSE lanes.priority END
            WHERE lanes.priority < excluded.priority
                OR (lanes.held_by IS NULL AND (lanes.ready_at IS NULL OR lanes.ready_at > excluded.ready_at))
            """)
        static let readyLanes = SQL(
            """
            SELECT lane, epoch FROM lanes WHERE brand_id = $1 AND pool = $2 AND priority = $3 AND ready_at <= $4
            ORDER BY ready_at LIMIT $5{skip_locked}
            """)
        static let nextReady = SQL("SELECT min(ready_at) FROM lanes WHERE brand_id = $1 AND pool = $2 AND priority = $3 AND ready_at > $4")
        static let claim = SQL(
            "UPDATE lanes SET epoch = epoch + 1, held_by = $3, ready_at = $4 WHERE brand_id = $1 AND lane = $2 AND epoch = $5")
        static let holder = SQL("SELECT 1 FROM lanes WHERE brand_id = $1 AND lane = $2 AND epoch = $3 AND held_by = $4{for_update}")
        static let next = SQL(
            """
            SELECT task_id, kind, payload, priority, attempts, crashes, created_at, node, state FROM tasks
            WHERE brand_id = $1 AND lane = $2 AND run_at <= $3 ORDER BY priority DESC, task_id LIMIT 1
            """)
        static let start = SQL(
            "UPDATE tasks SET state = 'processing', attempts = attempts + 1 WHERE brand_id = $1 AND lane = $2 AND task_id = $3")
        static let delete = SQL("DELETE FROM tasks WHERE brand_id = $1 AND lane = $2 AND task_id = $3")
        /// An attempt that ended otherwise than by a crash leaves nothing but the suspicion.
        private static let acquit = "crashes = CASE WHEN crashes > \(QueueTask.suspect) THEN \(QueueTask.suspect) ELSE crashes END"
        static let alone = SQL(
            "UPDATE tasks SET crashes = \(QueueTask.alone) WHERE brand_id = $1 AND lane = $2 AND task_id = $3")
        static let later = SQL("UPDATE tasks SET state = $5, run_at = $4, \(acquit) WHERE brand_id = $1 AND lane = $2 AND task_id = $3")
        static let park = SQL(
            "UPDATE tasks SET state = $5, run_at = $4, attempts = attempts - 1, \(acquit) WHERE brand_id = $1 AND lane = $2 AND task_id = $3"
        )
        static let giveBack = SQL(
            "UPDATE tasks SET state = $4, attempts = attempts - 1, \(acquit) WHERE brand_id = $1 AND lane = $2 AND task_id = $3")
        static let rest = SQL("SELECT min(run_at), max(priority) FROM tasks WHERE brand_id = $1 AND lane = $2")
        static let free = SQL(
            "UPDATE lanes SET held_by = NULL, ready_at = $3, priority = $4 WHERE brand_id = $1 AND lane = $2")
        static let hold = SQL("UPDATE lanes SET held_by = 'retry', ready_at = $3 WHERE brand_id = $1 AND lane = $2")
        static let drop = SQL("DELETE FROM lanes WHERE brand_id = $1 AND lane = $2")
        static let renew = SQL(
            "UPDATE lanes SET ready_at = $5 WHERE brand_id = $1 AND lane = $2 AND epoch = $3 AND held_by = $4")
        static let pending = SQL("SELECT count(*) FROM tasks WHERE brand_id = $1 AND lane = $2 AND priority >= $3")
        static let exists = SQL("SELECT 1 FROM tasks WHERE brand_id = $1 AND lane = $2 AND task_id = $3")
    }

    /// Stores the task and wakes its pool after the commit.
    package func enqueue(_ task: NewTask) throws {
        try run(
            Statements.insert, .text(task.lane), SQLValue(task.id), .text(task.kind), .text(task.payloadText), SQLValue(task.priority.rank),
            SQLValue(task.runAt), SQLValue(now), .text(node))
        // A lane that was dropped and made again begins above its old epochs, so that a late worker of the old one stays shut out.
        try run(
            Statements.ready, .text(task.lane), .text(task.pool.rawValue), SQLValue(task.priority.rank), SQLValue(task.runAt),
            SQLValue(now))
        news.woken.insert(task.pool)
    }

    /// Takes up to `limit` ready lanes of this brand, highest priority first, each until `until`.
    package func claimLanes(pool: LanePool, limit: Int, until: Timestamp) throws -> [LaneLease] {
        var leases: [LaneLease] = []
        for priority in Priority.allCases.reversed() where leases.count < limit {
            let ready = try rows(
                Statements.readyLanes, .text(pool.rawValue), SQLValue(priority.rank), SQLValue(now), SQLValue(limit - leases.count))
            for row in ready {
                let (lane, epoch) = (try row.text(0), try row.integer(1))
                guard try run(Statements.claim, .text(lane), .text(node), SQLValue(until), .integer(epoch)) == 1 else { continue }
                leases.append(LaneLease(brand: brand, lane: lane, pool: pool, epoch: epoch + 1))
            }
        }
        return leases
    }

    /// When the next lane of this pool wants a worker; nil when none will without new work.
    package func nextReady(pool: LanePool) throws -> Timestamp? {
        try Priority.allCases.compactMap { priority in
            try row(Statements.nextReady, .text(pool.rawValue), SQLValue(priority.rank), SQLValue(now))?.optional(0) { $0.time }
        }.min()
    }

    /// Throws `QueueError.fenced` when the lease is no longer ours: then nothing of the unit is stored.
    package func fence(_ lease: LaneLease) throws {
        guard try row(Statements.holder, .text(lease.lane), .integer(lease.epoch), .text(node)) != nil else {
            throw QueueError.fenced(lane: lease.lane)
        }
    }

    /// The lane's next task that is due, its attempt counted; nil when there is none.
    package func takeNext(_ lease: LaneLease) throws -> QueueTask? {
        guard let row = try row(Statements.next, .text(lease.lane), SQLValue(now)) else { return nil }
        let id: QueueTaskID = try row.entity(0)
        try run(Statements.start, .text(lease.lane), SQLValue(id))
        return QueueTask(
            id: id, kind: try row.text(1), payload: try JSONValue(stored: row.text(2)), priority: Priority(rank: try row.int(3)),
            attempts: try row.int(4) + 1, crashes: try row.int(5), createdAt: try row.time(6), node: try row.text(7),
            wasInterrupted: try row.text(8) == "processing")
    }

    /// Notes that nothing else runs from now on: should the process die before the attempt ends, then of this task.
    func runsAlone(_ task: QueueTask, in lease: LaneLease) throws {
        try run(Statements.alone, .text(lease.lane), SQLValue(task.id))
    }

    /// Takes a task out of its lane: it is done, or stands elsewhere now.
    package func remove(_ task: QueueTask, from lease: LaneLease) throws {
        try run(Statements.delete, .text(lease.lane), SQLValue(task.id))
    }

    /// Puts a task off. With `holdingLane`, what came later in the lane waits behind it. With `mayHaveActed` the next attempt finds it
    /// interrupted.
    package func postpone(
        _ task: QueueTask, in lease: LaneLease, until: Timestamp, holdingLane: Bool, mayHaveActed: Bool = false
    ) throws {
        try run(
            Statements.later, .text(lease.lane), SQLValue(task.id), SQLValue(until), .text(mayHaveActed ? "processing" : "pending"))
        CrashPoint.retryTimerWritten.pass()
        if holdingLane { try run(Statements.hold, .text(lease.lane), SQLValue(until)) } else { try release(lease) }
        news.woken.insert(lease.pool)
    }

    /// Puts off a task that could not be begun: it costs no attempt, what an earlier one may have done stays noted, and what came later
    /// in the lane waits behind it.
    package func park(_ task: QueueTask, in lease: LaneLease, until: Timestamp) throws {
        try run(
            Statements.park, .text(lease.lane), SQLValue(task.id), SQLValue(until), .text(task.wasInterrupted ? "processing" : "pending"))
        try run(Statements.hold, .text(lease.lane), SQLValue(until))
        news.woken.insert(lease.pool)
    }

    /// Gives an interrupted task back as if it had never been taken: a shutdown costs no attempt. With `mayHaveActed` the next attempt
    /// finds it interrupted.
    package func giveBack(_ task: QueueTask, _ lease: LaneLease, mayHaveActed: Bool = false) throws {
        try run(Statements.giveBack, .text(lease.lane), SQLValue(task.id), .text(mayHaveActed ? "processing" : "pending"))
        try release(lease)
    }

    /// Ends a lease; the lane is ready again when its next task is.
    package func release(_ lease: LaneLease) throws {
        guard let rest = try row(Statements.rest, .text(lease.lane)), !rest.isNull(0) else {
            if lease.pool == .turn {
                // A conversation's lane stays, so that its epochs go on rising.
                try run(Statements.free, .text(lease.lane), .null, SQLValue(Priority.normal.rank))
            } else {
                try run(Statements.drop, .text(lease.lane))
            }
            return
        }
        try run(Statements.free, .text(lease.lane), rest.values[0], rest.values[1])
        news.woken.insert(lease.pool)
    }

    /// False when the lease was lost.
    package func renew(_ lease: LaneLease, until: Timestamp) throws -> Bool {
        try run(Statements.renew, .text(lease.lane), .integer(lease.epoch), .text(node), SQLValue(until)) == 1
    }

    /// Tasks waiting or running in a lane at this priority or above.
    package func pendingTasks(in lane: String, atOrAbove priority: Priority = .low) throws -> Int {
        try row(Statements.pending, .text(lane), SQLValue(priority.rank))?.int(0) ?? 0
    }

    /// Whether the task still stands in its lane.
    package func taskExists(_ id: QueueTaskID, lane: String) throws -> Bool { try row(Statements.exists, .text(lane), SQLValue(id)) != nil }

    /// Removes a task that no worker has begun; false when there is none.
    package func cancelTask(_ id: QueueTaskID, lane: String) throws -> Bool { try run(Statements.delete, .text(lane), SQLValue(id)) == 1 }
}

extension JSONValue {
    /// Reads what we wrote ourselves. Throws `StorageError.unreadable`.
    init(stored text: String) throws {
        do {
            self = try StoredJSON.decode(text)
        } catch {
            throw StorageError.unreadable("stored JSON: \(error)")
        }
    }
}
