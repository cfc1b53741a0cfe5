package import Conversation

/// One process of the installation.
package struct NodeRecord: Sendable, Hashable {
    /// What leases are held under: another one for each start of a process.
    package var id: String
    /// What its operator calls it; the name of the machine unless said otherwise.
    package var name: String
    package var role: String
    package var version: String
    /// Steps of the tables that the program knows.
    package var schemaVersion: Int
    /// Where it listens; nil before it does.
    package var address: String?
    package var startedAt: Timestamp
    package var seenAt: Timestamp
    /// It is stopping, and takes nothing new.
    package var isDraining: Bool
    /// Counts of the moment when it was last seen, such as the lanes it held.
    package var stats: [String: Int]

    package init(
        id: String, name: String, role: String, version: String, schemaVersion: Int = StoreSchema.version, address: String? = nil,
        startedAt: Timestamp, seenAt: Timestamp, isDraining: Bool = false, stats: [String: Int] = [:]
    ) {
        self.id = id
        self.name = name
        self.role = role
        self.version = version
        self.schemaVersion = schemaVersion
        self.address = address
        self.startedAt = startedAt
        self.seenAt = seenAt
        self.isDraining = isDraining
        self.stats = stats
    }

    package enum State: String, Sendable, Hashable, CaseIterable {
        case up, draining
        /// Not heard of for 15 seconds: stopped without a word, or cut off. Its leases run out by themselves.
        case lost
    }

    package func state(at now: Timestamp) -> State {
        if now - seenAt > NodeStore.silence { return .lost }
        return isDraining ? .draining : .up
    }
}

package enum StoreSchema {
    /// Steps of the tables that this program knows.
    package static let version = Migrations.all.count
}

/// The nodes of the installation, in the store that belongs to no brand. Times are the database's, so that clocks may differ.
package struct NodeStore: Sendable {
    /// A node that was not seen for so long is lost.
    package static let silence = Duration.seconds(15)
    /// How long one that was lost stays in the list.
    static let memory = Duration.seconds(86_400)

    let store: Store

    private static let columns = "node_id, name, role, version, schema_version, address, started_at, seen_at, draining, stats"
    private static let note = SQL(
        """
        INSERT INTO nodes (\(columns)) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        ON CONFLICT (node_id) DO UPDATE SET address = excluded.address, seen_at = excluded.seen_at, draining = excluded.draining,
            stats = excluded.stats
        """)
    private static let forget = SQL("DELETE FROM nodes WHERE seen_at < $1")
    private static let remove = SQL("DELETE FROM nodes WHERE node_id = $1")
    private static let list = SQL("SELECT \(columns) FROM nodes ORDER BY started_at, node_id")

    /// Notes that the node lives. `startedAt` counts the first time, `seenAt` is the database's present.
    package func note(_ node: NodeRecord) async throws {
        let ours = store.clock.now
        try await store.database.write(.installation) { connection in
            let now = connection.time ?? ours
            // The age is what the node knows; its clock may be wrong.
            let startedAt = now + (node.startedAt - ours)
            try connection.run(
                Self.note,
                [
                    .text(node.id), .text(node.name), .text(node.role), .text(node.version), SQLValue(node.schemaVersion),
                    SQLValue(node.address), SQLValue(startedAt), SQLValue(now), SQLValue(node.isDraining),
                    SQLValue(json: .object(node.stats.mapValues { .integer(Int64($0)) })),
                ])
            try connection.run(Self.forget, [SQLValue(now + (.zero - Self.memory))])
        }
    }

    /// The node stops in an orderly way.
    package func remove(_ id: String) async throws {
        try await store.database.write(.installation) { _ = try $0.run(Self.remove, [.text(id)]) }
    }

    /// Every node that was seen within a day, and the database's present.
    package func list() async throws -> (nodes: [NodeRecord], now: Timestamp) {
        let ours = store.clock.now
        return try await store.database.read(.installation) { connection in
            (try connection.rows(Self.list, []).map(NodeRecord.init(row:)), connection.time ?? ours)
        }
    }
}

extension NodeRecord {
    fileprivate init(row: Row) throws {
        let stats = try JSONValue(stored: row.text(9)).object ?? [:]
        self.init(
            id: try row.text(0), name: try row.text(1), role: try row.text(2), version: try row.text(3), schemaVersion: try row.int(4),
            address: try row.optional(5) { $0.text }, startedAt: try row.time(6), seenAt: try row.time(7), isDraining: try row.flag(8),
            stats: stats.compactMapValues { value in if case .integer(let count) = value { Int(count) } else { nil } })
    }
}

extension Store {
    package var nodes: NodeStore { NodeStore(store: self) }
    /// Whether the store that holds what belongs to no brand may have other nodes.
    package var hasOtherNodes: Bool { database.dialect.isShared }
}
