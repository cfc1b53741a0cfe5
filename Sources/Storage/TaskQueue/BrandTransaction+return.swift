internal import Conversation

/// What this node holds without knowing it: the answer to a claim that took effect was lost.
extension BrandTransaction {
    private enum Statements {
        /// Each priority on its own, so that the index of ready lanes finds them: conversations without work are many. A held lane that is
        /// paused comes back when its lease ends.
        static let held = SQL(
            Priority.allCases.map {
                "SELECT lane, epoch FROM lanes WHERE brand_id = $1 AND pool = $2 AND priority = \($0.rank) AND ready_at IS NOT NULL "
                    + "AND paused = 0 AND held_by = $3"
            }.joined(separator: " UNION ALL "))
        static let lock = SQL("SELECT 1 FROM lanes WHERE brand_id = $1 AND lane = $2 AND epoch = $3 AND held_by = $4{for_update}")
        /// `interrupted` says how the claim found the task.
        static let giveBack = SQL(
            """
            UPDATE tasks SET attempts = attempts - 1, state = CASE WHEN interrupted = 1 THEN 'processing' ELSE 'pending' END
            WHERE brand_id = $1 AND lane = $2 AND task_id = (SELECT t.task_id FROM tasks t
                WHERE t.brand_id = $1 AND t.lane = $2 AND t.state = 'processing' AND t.run_at <= $3 ORDER BY t.priority DESC, t.task_id LIMIT 1)
            """)
    }

    /// Gives back the task of a lane that was taken for this node unknowingly, as if it had never been taken; the lane stays held.
    func giveBackTaken(_ lease: LaneLease) throws { try send(Statements.giveBack, .text(lease.lane), SQLValue(now)) }

    /// Gives back the lanes of a pool that the store says this node holds, but for those of `known`: nobody works on them, and their tasks
    /// stand as if they had never been taken. Returns how many there were. Looks through the pool's lanes with work.
    @discardableResult package func giveBackUnknown(pool: LanePool, but known: Set<LaneLease>) throws -> Int {
        let unknown = try rows(Statements.held, .text(pool.rawValue), .text(node)).map {
            LaneLease(brand: brand, lane: try $0.text(0), pool: pool, epoch: try $0.integer(1))
        }.filter { !known.contains($0) }
        var count = 0
        for lease in unknown where try row(Statements.lock, .text(lease.lane), .integer(lease.epoch), .text(node)) != nil {
            try giveBackTaken(lease)
            try release(lease)
            count += 1
        }
        return count
    }
}
