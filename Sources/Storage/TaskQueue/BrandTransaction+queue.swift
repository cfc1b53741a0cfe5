package import Conversation

/// The durable queue. A lane row says when the lane next wants a worker; while a worker holds it, that moment is the end of the lease.
/// Every unit that changes what a worker holds begins with `fence`, which also keeps whoever puts new work into the lane waiting until
/// the unit is over: neither can overlook the other.
extension BrandTransaction {
    private enum Statements {
        private static let new =
            """
            INSERT INTO tasks (brand_id, lane, task_id, kind, payload, priority, run_at, state, created_at, node, unique_key)
            VALUES ($1, $2, $3, $4, $5, $6, $7, 'pending', $8, $9, $10)
            """
        static let insert = SQL(new)
        static let insertUnique = SQL("\(new) ON CONFLICT (brand_id, unique_key) WHERE unique_key IS NOT NULL DO NOTHING")
        static let ready = SQL(
            """
            INSERT INTO lanes (brand_id, lane, pool, priority, ready_at, epoch) VALUES ($1, $2, $3, $4, $5, $6)
            ON CONFLICT (brand_id, lane) DO UPDATE SET \(Migrations.laneWithMore)
            WHERE lanes.priority < excluded.priority
                OR (lanes.held_by IS NULL AND (lanes.ready_at IS NULL OR lanes.ready_at > excluded.ready_at))
            """)
        static let lock = SQL("SELECT 1 FROM lanes WHERE brand_id = $1 AND lane = $2{for_update}")
        static let fence = SQL("SELECT 1 FROM lanes WHERE brand_id = $1 AND lane = $2 AND epoch = $3 AND held_by = $4{for_update}")
        static let delete = SQL("DELETE FROM tasks WHERE brand_id = $1 AND lane = $2 AND task_id = $3")
        /// An attempt that ended otherwise than by a crash leaves nothing but the suspicion.
        private static let acquit = "crashes = CASE WHEN crashes > \(QueueTask.suspect) THEN \(QueueTask.suspect) ELSE crashes END"
        static let alone = SQL(
            "UPDATE tasks SET crashes = \(QueueTask.alone) WHERE brand_id = $1 AND lane = $2 AND task_id = $3")
        static let later = SQL("UPDATE tasks SET state = $5, run_at = $4, \(acquit) WHERE brand_id = $1 AND lane = $2 AND task_id = $3")
        static let park = SQL(
            "UPDATE tasks SET state = $5, run_at = $4, attempts = attempts - 1, \(acquit) WHERE brand_id = $1 AND lane = $2 AND task_id = $3"
        )
        static let await = SQL(
            """
            UPDATE tasks SET state = $5, run_at = $4, attempts = attempts - 1, parked_since = coalesce(parked_since, $6), \(acquit)
            WHERE brand_id = $1 AND lane = $2 AND task_id = $3
            """)
        static let giveBack = SQL(
            "UPDATE tasks SET state = $4, attempts = attempts - 1, \(acquit) WHERE brand_id = $1 AND lane = $2 AND task_id = $3")
        private static let rest = "FROM tasks WHERE tasks.brand_id = $1 AND tasks.lane = $2"
        static let free = SQL(
            """
            UPDATE lanes SET held_by = NULL,
                ready_at = CASE WHEN inbox IS NOT NULL OR EXISTS (SELECT 1 \(rest) AND run_at <= $3) THEN $3 ELSE (SELECT min(run_at) \(rest)) END,
                priority = coalesce((SELECT t.priority FROM tasks t WHERE t.brand_id = $1 AND (\(Migrations.laneInOrder)) = $2
                        AND (lanes.inbox IS NULL OR t.priority >= \(Priority.normal.rank))
                    ORDER BY t.priority DESC LIMIT 1), \(Priority.normal.rank))
            WHERE brand_id = $1 AND lane = $2 RETURNING ready_at
            """)
        static let drop = SQL(
            "DELETE FROM lanes WHERE brand_id = $1 AND lane = $2 AND paused = 0 AND NOT EXISTS (SELECT 1 \(rest)) RETURNING 1")
        static let hold = SQL("UPDATE lanes SET held_by = $4, ready_at = $3 WHERE brand_id = $1 AND lane = $2")
        static let renew = SQL(
            "UPDATE lanes SET ready_at = $5 WHERE brand_id = $1 AND lane = $2 AND epoch = $3 AND held_by = $4")
    }

    /// Stores the task and wakes its pool after the commit. Nothing changes when a task of the same unique key stands in the queue.
    package func enqueue(_ task: NewTask) throws { _ = try enqueueOnce(task) }

    /// The same; false when a task of the same unique key stands in the queue already.
    package func enqueueOnce(_ task: NewTask) throws -> Bool {
        let values: [SQLValue] = [
            key, .text(task.lane), SQLValue(task.id), .text(task.kind), .text(task.payloadText), SQLValue(task.priority.rank),
            SQLValue(task.runAt), SQLValue(now), .text(node), SQLValue(task.uniqueKey),
        ]
        if task.uniqueKey == nil {
            try connection.send(Statements.insert, values)
        } else if try connection.run(Statements.insertUnique, values) == 0 {
            return false
        }
        // A lane that was dropped and made again begins above its old epochs, so that a late worker of the old one stays shut out.
        try send(
            Statements.ready, .text(task.lane), .text(task.pool.rawValue), SQLValue(task.priority.rank), SQLValue(task.runAt),
            SQLValue(now))
        news.woken.insert(task.pool)
        return true
    }

    /// Waits until nobody else is at the lane, and keeps it from others until the unit is over. Whoever will put something into the lane of
    /// a conversation and changes its other rows before that begins with it, as the conversation's own worker does by its fence: so neither
    /// waits for the other while the other waits for it.
    package func lock(_ lane: Lane) throws {
        guard connection.locksRows else { return }
        try send(Statements.lock, .text(lane.key))
    }

    /// Throws `QueueError.fenced` when the lease is no longer ours, here or before the unit is over: then nothing of the unit is stored.
    package func fence(_ lease: LaneLease) throws {
        try send(Statements.fence, .text(lease.lane), .integer(lease.epoch), .text(node)) { rows in
            if rows.isEmpty { throw QueueError.fenced(lane: lease.lane) }
        }
    }

    /// Notes that nothing else runs from now on: should the process die before the attempt ends, then of this task.
    func runsAlone(_ task: QueueTask, in lease: LaneLease) throws {
        try run(Statements.alone, .text(lease.lane), SQLValue(task.id))
    }

    /// Takes a task out of its lane: it is done, or stands elsewhere now.
    package func remove(_ task: QueueTask, from lease: LaneLease) throws {
        try send(Statements.delete, .text(lease.lane), SQLValue(task.id))
    }

    /// Puts a task off. With `holdingLane`, what came later in the lane waits behind it. With `mayHaveActed` the next attempt finds it
    /// interrupted.
    package func postpone(
        _ task: QueueTask, in lease: LaneLease, until: Timestamp, holdingLane: Bool, mayHaveActed: Bool = false
    ) throws {
        try send(
            Statements.later, .text(lease.lane), SQLValue(task.id), SQLValue(until), .text(mayHaveActed ? "processing" : "pending"))
        CrashPoint.retryTimerWritten.pass()
        if holdingLane { try hold(lease, until, as: QueueTask.retry) } else { try release(lease) }
        news.woken.insert(lease.pool)
    }

    /// Puts off a task that could not be begun: it costs no attempt, what an earlier one may have done stays noted, and what came later
    /// in the lane waits behind it.
    package func park(_ task: QueueTask, in lease: LaneLease, until: Timestamp) throws {
        try send(
            Statements.park, .text(lease.lane), SQLValue(task.id), SQLValue(until), .text(task.wasInterrupted ? "processing" : "pending"))
        try hold(lease, until, as: QueueTask.retry)
        news.woken.insert(lease.pool)
    }

    /// Puts off a task whose remote system is away, until `latest` or until `wakeParked`: it costs no attempt, and what came later in the
    /// lane waits behind it. `mayHaveActed` is what the next attempt finds.
    package func awaitReturn(_ task: QueueTask, in lease: LaneLease, latest: Timestamp, mayHaveActed: Bool) throws {
        try send(
            Statements.await, .text(lease.lane), SQLValue(task.id), SQLValue(latest), .text(mayHaveActed ? "processing" : "pending"),
            SQLValue(now))
        try hold(lease, latest, as: QueueTask.parked)
        news.woken.insert(lease.pool)
    }

    private func hold(_ lease: LaneLease, _ until: Timestamp, as holder: String) throws {
        try send(Statements.hold, .text(lease.lane), SQLValue(until), .text(holder))
    }

    /// Gives an interrupted task back as if it had never been taken: a shutdown costs no attempt. With `mayHaveActed` the next attempt
    /// finds it interrupted.
    package func giveBack(_ task: QueueTask, _ lease: LaneLease, mayHaveActed: Bool = false) throws {
        try send(Statements.giveBack, .text(lease.lane), SQLValue(task.id), .text(mayHaveActed ? "processing" : "pending"))
        try release(lease)
    }

    /// Ends a lease; the lane is ready again when its next task is. A conversation's lane stays when it is empty, so that its epochs go on
    /// rising; all others go.
    package func release(_ lease: LaneLease) throws { try free(lease, unless: drop(lease)) }

    /// Takes away the lane of a lease when it is empty and nobody needs it any more. No answer is waited for: it is in the mark when it is
    /// there.
    func drop(_ lease: LaneLease) throws -> Mark {
        let gone = Mark()
        guard lease.pool != .turn else { return gone }
        try send(Statements.drop, .text(lease.lane)) { gone.isSet = !$0.isEmpty }
        return gone
    }

    /// Lets others have the lane. One that is gone, known or not yet known, is left alone.
    func free(_ lease: LaneLease, unless gone: Mark) throws {
        guard !gone.isSet else { return }
        try send(Statements.free, .text(lease.lane), SQLValue(now)) { [self] rows in
            if let freed = rows.first, !freed.isNull(0) { news.woken.insert(lease.pool) }
        }
    }

    /// False when the lease was lost.
    package func renew(_ lease: LaneLease, until: Timestamp) throws -> Bool {
        try run(Statements.renew, .text(lease.lane), .integer(lease.epoch), .text(node), SQLValue(until)) == 1
    }
}

extension Migrations {
    /// How a lane's row changes when more work is put into it (`excluded`): a held one stays until its holder is through.
    static let laneWithMore =
        """
        ready_at = CASE WHEN lanes.held_by IS NOT NULL THEN lanes.ready_at
                WHEN lanes.ready_at IS NULL OR lanes.ready_at > excluded.ready_at THEN excluded.ready_at ELSE lanes.ready_at END,
            priority = CASE WHEN lanes.priority < excluded.priority THEN excluded.priority ELSE lanes.priority END
        """
}

/// Something that a statement says whose answer may come later.
final class Mark {
    var isSet = false
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
