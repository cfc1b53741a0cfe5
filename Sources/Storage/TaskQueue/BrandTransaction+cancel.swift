internal import Conversation

/// Taking back what no worker has begun. A lane that stood still for the sake of such a task, for its next try or for the return of a remote
/// system, does so no longer.
///
/// Who takes back all of a lane holds a conversation's lane, which the end of that work wants too: a lane that somebody else is at counts as
/// begun then, and is not waited for.
extension BrandTransaction {
    private enum Statements {
        private static let waits = "held_by IN ('\(QueueTask.retry)', '\(QueueTask.parked)')"
        private static let rest = "FROM tasks WHERE tasks.brand_id = $1 AND tasks.lane = $2"
        /// Before the task, as a claim does it.
        static let lock = SQL("SELECT 1 FROM lanes WHERE brand_id = $1 AND lane = $2{for_update}")
        static let lockIfFree = SQL("SELECT 1 FROM lanes WHERE brand_id = $1 AND lane = $2{skip_locked}")
        static let delete = SQL(
            "DELETE FROM tasks WHERE brand_id = $1 AND lane = $2 AND task_id = $3 AND state = 'pending' RETURNING run_at")
        static let deleteAll = SQL("DELETE FROM tasks WHERE brand_id = $1 AND lane = $2 AND state = 'pending' RETURNING run_at")
        static let goOn = SQL(
            """
            UPDATE lanes SET held_by = NULL, ready_at = CASE WHEN inbox IS NULL THEN (SELECT min(run_at) \(rest)) ELSE $4 END
            WHERE brand_id = $1 AND lane = $2 AND \(waits) AND ready_at = $3 RETURNING pool
            """)
        static let drop = SQL(
            """
            DELETE FROM lanes WHERE brand_id = $1 AND lane = $2 AND pool <> '\(LanePool.turn.rawValue)' AND paused = 0 AND held_by IS NULL
                AND NOT EXISTS (SELECT 1 \(rest))
            """)
    }

    /// False when the task is in a worker's hands, or gone. Waits for whoever is at the lane, so the unit must hold no other.
    func takeBack(_ id: QueueTaskID, lane: String) throws -> Bool {
        guard try row(Statements.lock, .text(lane)) != nil,
            let gone = try row(Statements.delete, .text(lane), SQLValue(id))
        else { return false }
        try goOn(lane, without: [gone])
        return true
    }

    /// All of a lane that no worker has begun; returns how many there were.
    func takeBackAll(lane: String) throws -> Int {
        guard try row(Statements.lockIfFree, .text(lane)) != nil else { return 0 }
        let gone = try rows(Statements.deleteAll, .text(lane))
        if !gone.isEmpty { try goOn(lane, without: gone) }
        return gone.count
    }

    private func goOn(_ lane: String, without gone: [Row]) throws {
        for time in Set(try gone.map { try $0.time(0) }) {
            try send(Statements.goOn, .text(lane), SQLValue(time), SQLValue(now)) { [self] rows in
                for row in rows { if let pool = LanePool(rawValue: try row.text(0)) { news.woken.insert(pool) } }
            }
        }
        try send(Statements.drop, .text(lane))
    }
}
