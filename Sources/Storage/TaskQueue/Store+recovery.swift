package import Conversation

/// What concerns the queue as a whole, beyond any brand.
extension Store {
    private static let brands = SQL("SELECT DISTINCT brand_id FROM lanes WHERE ready_at IS NOT NULL")
    private static let crashed = SQL(
        """
        UPDATE tasks SET crashes = crashes + 1 WHERE state = 'processing' AND crashes <> \(QueueTask.suspect) AND EXISTS
            (SELECT 1 FROM lanes WHERE lanes.brand_id = tasks.brand_id AND lanes.lane = tasks.lane AND lanes.held_by IS NOT NULL AND lanes.held_by <> 'retry')
        """)
    private static let void = SQL("UPDATE lanes SET held_by = NULL, ready_at = $1 WHERE held_by IS NOT NULL AND held_by <> 'retry'")

    private static let unanswered = SQL("DELETE FROM request_keys WHERE status IS NULL")

    /// On a store that only one process opens, every lease found at the start belongs to a process that died: all are void.
    /// Tasks that were running count a crash, except those that waited to run alone; requests that it never answered may be made again
    /// under their key.
    /// Returns how many lanes were freed.
    @discardableResult package func voidLeases() async throws -> Int {
        let now = clock.now
        return try await database.write(.installation) { connection in
            try connection.run(Self.crashed, [])
            try connection.run(Self.unanswered, [])
            return try connection.run(Self.void, [SQLValue(now)])
        }
    }

    /// Brands that have work, now or later.
    package func brandsWithWork() async throws -> [BrandID] {
        try await database.read(.installation) { try $0.rows(Self.brands, []).map { BrandID(rawValue: try $0.text(0)) } }
    }
}
