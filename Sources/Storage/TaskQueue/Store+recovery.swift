package import Conversation

/// What concerns the queue as a whole, beyond any brand.
extension Store {
    /// Walks from brand to brand, so that it costs a look into the index for each brand, however many lanes they have.
    private static let allBrands =
        """
        WITH RECURSIVE brands (id) AS (
            SELECT min(brand_id) FROM lanes WHERE ready_at IS NOT NULL AND paused = 0
            UNION ALL
            SELECT (SELECT min(brand_id) FROM lanes WHERE brand_id > brands.id AND ready_at IS NOT NULL AND paused = 0)
            FROM brands WHERE brands.id IS NOT NULL)
        SELECT id FROM brands WHERE id IS NOT NULL
        """
    private static let brands = SQL(allBrands)
    private static let ready: SQL = {
        let due = Priority.allCases.map {
            "EXISTS (SELECT 1 FROM lanes WHERE brand_id = brands.id AND pool = $1 AND priority = \($0.rank) AND paused = 0 "
                + "AND ready_at <= $2)"
        }
        return SQL("\(allBrands) AND (\(due.joined(separator: " OR ")))")
    }()
    private static let crashed = SQL(
        """
        UPDATE tasks SET crashes = crashes + 1 WHERE state = 'processing' AND crashes <> \(QueueTask.suspect) AND EXISTS
            (SELECT 1 FROM lanes WHERE lanes.brand_id = tasks.brand_id AND lanes.lane = tasks.lane AND \(isHeld))
        """)
    private static let void = SQL("UPDATE lanes SET held_by = NULL, ready_at = $1 WHERE \(isHeld)")
    private static let isHeld =
        "lanes.held_by IS NOT NULL AND lanes.held_by NOT IN ('\(QueueTask.retry)', '\(QueueTask.parked)')"

    /// A program that knows no inbox may have worked on the store.
    private static let overlooked = SQL(
        "UPDATE lanes SET ready_at = $1 WHERE inbox IS NOT NULL AND (ready_at IS NULL OR ready_at > $1) AND held_by IS NULL")
    private static let unanswered = SQL("DELETE FROM request_keys WHERE status IS NULL")

    /// On a store that only one process opens, every lease found at the start belongs to a process that died: all are void.
    /// Tasks that were running count a crash, except those that waited to run alone; requests that it never answered may be made again
    /// under their key. A store that other nodes have open is left as it is: there a lane is taken over when its lease ends, and an
    /// unanswered request when it is old.
    /// Returns how many lanes were freed.
    @discardableResult package func voidLeases() async throws -> Int {
        let now = clock.now
        var freed = 0
        for database in databases where !database.dialect.isShared {
            freed += try await database.write(.installation) { connection in
                try connection.run(Self.crashed, [])
                try connection.run(Self.unanswered, [])
                try connection.run(Self.overlooked, [SQLValue(now)])
                return try connection.run(Self.void, [SQLValue(now)])
            }
        }
        return freed
    }

    /// Brands that have work, now or later, in any database.
    package func brandsWithWork() async throws -> [BrandID] { try await eachBrand { try $0.rows(Self.brands, []) } }

    /// Brands with work in this pool that wants a worker now, in any database.
    func brandsReady(in pool: LanePool) async throws -> [BrandID] {
        try await eachBrand { [clock] in try $0.rows(Self.ready, [.text(pool.rawValue), SQLValue($0.time ?? clock.now)]) }
    }

    private func eachBrand(_ find: @escaping @Sendable (any Connection) throws -> [Row]) async throws -> [BrandID] {
        var brands: Set<BrandID> = []
        for database in databases {
            brands.formUnion(try await database.read(.installation) { try find($0).map { BrandID(rawValue: try $0.text(0)) } })
        }
        return brands.sorted()
    }
}
