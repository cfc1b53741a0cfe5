internal import Conversation

/// Work that waits for a remote system to come back.
extension BrandTransaction {
    private enum Statements {
        /// The longest waiting first.
        static let wake = SQL(
            """
            WITH parked AS MATERIALIZED (
                SELECT lane FROM lanes WHERE brand_id = $1 AND pool = $2 AND held_by = '\(QueueTask.parked)' AND ready_at > $3
                ORDER BY ready_at LIMIT $4{skip_locked})
            UPDATE lanes SET ready_at = $3 WHERE brand_id = $1 AND lane IN (SELECT lane FROM parked) RETURNING lane
            """)
        static let due = SQL(
            "UPDATE tasks SET run_at = $3 WHERE brand_id = $1 AND lane = $2 AND parked_since IS NOT NULL AND run_at > $3")
        static let count = SQL(
            "SELECT count(*) FROM lanes WHERE brand_id = $1 AND pool = $2 AND held_by = '\(QueueTask.parked)'")
    }

    /// Makes up to `limit` parked lanes of a pool ready, the longest parked first. Returns how many there were.
    @discardableResult package func wakeParked(pool: LanePool, limit: Int) throws -> Int {
        let lanes = try rows(Statements.wake, .text(pool.rawValue), SQLValue(now), SQLValue(limit))
        for lane in lanes { try send(Statements.due, lane.values[0], SQLValue(now)) }
        if !lanes.isEmpty { news.woken.insert(pool) }
        return lanes.count
    }

    /// Lanes of a pool that wait for a remote system.
    package func parkedLanes(pool: LanePool) throws -> Int { try row(Statements.count, .text(pool.rawValue))?.int(0) ?? 0 }
}
