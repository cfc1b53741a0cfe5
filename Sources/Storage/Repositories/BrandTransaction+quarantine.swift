package import Conversation

/// What came with a good signature and could not be read, raw.
package struct QuarantineRecord: Sendable {
    package var id: UniqueID
    /// Nil when nobody knows whose it is.
    package var brand: BrandID?
    package var channel: ChannelName
    package var app: String
    package var account: String?
    package var reason: String
    package var body: [UInt8]
    /// `open` or `replayed`.
    package var state: String
    package var createdAt: Timestamp
}

extension BrandTransaction {
    private enum Statements {
        static let insert = SQL(
            """
            INSERT INTO quarantine (brand_id, quarantine_id, channel, app, account, reason, body, state, created_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, 'open', $8)
            """)
        static let list = SQL(
            """
            SELECT quarantine_id, channel, app, account, reason, body, state, created_at FROM quarantine
            WHERE brand_id = $1 AND quarantine_id < $2 ORDER BY quarantine_id DESC LIMIT $3
            """)
        static let one = SQL(
            """
            SELECT quarantine_id, channel, app, account, reason, body, state, created_at FROM quarantine
            WHERE brand_id = $1 AND quarantine_id = $2
            """)
        static let replayed = SQL(
            "UPDATE quarantine SET state = 'replayed' WHERE brand_id = $1 AND quarantine_id = $2 AND state = 'open'")
        static let field = SQL(
            "INSERT INTO fields (brand_id, field_id, instance_id, name, body, created_at) VALUES ($1, $2, $3, $4, $5, $6)")
    }

    package func quarantine(_ address: InstanceAddress, reason: String, body: [UInt8]) throws {
        try run(
            Statements.insert, SQLValue(newID()), .text(address.channel.rawValue), .text(address.app), .text(address.account),
            .text(reason),
            .bytes(body), SQLValue(now))
    }

    /// Newest first, those before `after`.
    package func quarantined(after: UniqueID?, limit: Int) throws -> [QuarantineRecord] {
        let last = after.map { SQLValue($0) } ?? .bytes([UInt8](repeating: 0xFF, count: 16))
        return try rows(Statements.list, last, SQLValue(limit)).map { try QuarantineRecord(row: $0, brand: brand) }
    }

    package func quarantined(_ id: UniqueID) throws -> QuarantineRecord? {
        try row(Statements.one, SQLValue(id)).map { try QuarantineRecord(row: $0, brand: brand) }
    }

    /// False when it was replayed before.
    package func markReplayed(_ id: UniqueID) throws -> Bool { try run(Statements.replayed, SQLValue(id)) == 1 }

    /// Keeps a field event of the platform.
    package func storeField(_ name: String, body: [UInt8], instance: InstanceID?) throws {
        try run(Statements.field, SQLValue(newID()), SQLValue(instance?.rawValue), .text(name), .bytes(body), SQLValue(now))
    }
}

extension QuarantineRecord {
    init(row: Row, brand: BrandID?) throws {
        self.init(
            id: try row.id(0), brand: brand, channel: ChannelName(rawValue: try row.text(1)), app: try row.text(2),
            account: try row.optional(3) { $0.text }, reason: try row.text(4), body: try row.bytes(5), state: try row.text(6),
            createdAt: try row.time(7))
    }
}

/// Bodies whose brand is unknown. Only the operator sees them.
package struct UnroutedStore: Sendable {
    let store: Store

    private static let columns = "quarantine_id, channel, app, account, reason, body, state, created_at"
    private static let insert = SQL(
        "INSERT INTO unrouted (quarantine_id, channel, app, account, reason, body, state, created_at) VALUES ($1, $2, $3, $4, $5, $6, 'open', $7)"
    )
    private static let list = SQL("SELECT \(columns) FROM unrouted WHERE quarantine_id < $1 ORDER BY quarantine_id DESC LIMIT $2")
    private static let one = SQL("SELECT \(columns) FROM unrouted WHERE quarantine_id = $1")
    private static let replayed = SQL("UPDATE unrouted SET state = 'replayed' WHERE quarantine_id = $1 AND state = 'open'")

    package struct Entry: Sendable {
        package var channel: ChannelName
        package var app: String
        package var account: String?
        package var reason: String
        package var body: [UInt8]

        package init(channel: ChannelName, app: String, account: String?, reason: String, body: [UInt8]) {
            self.channel = channel
            self.app = app
            self.account = account
            self.reason = reason
            self.body = body
        }
    }

    /// All or none.
    package func insert(_ entries: [Entry]) async throws {
        let now = store.clock.now
        try await store.database.write(.installation) { [ids = store.ids] connection in
            for entry in entries {
                try connection.run(
                    Self.insert,
                    [
                        SQLValue(ids.next()), .text(entry.channel.rawValue), .text(entry.app), SQLValue(entry.account), .text(entry.reason),
                        .bytes(entry.body), SQLValue(now),
                    ])
            }
        }
    }

    package func list(after: UniqueID?, limit: Int) async throws -> [QuarantineRecord] {
        let last = after.map { SQLValue($0) } ?? .bytes([UInt8](repeating: 0xFF, count: 16))
        return try await store.database.read(.installation) { connection in
            try connection.rows(Self.list, [last, SQLValue(limit)]).map { try QuarantineRecord(row: $0, brand: nil) }
        }
    }

    package func record(_ id: UniqueID) async throws -> QuarantineRecord? {
        try await store.database.read(.installation) { connection in
            try connection.rows(Self.one, [SQLValue(id)]).first.map { try QuarantineRecord(row: $0, brand: nil) }
        }
    }

    package func markReplayed(_ id: UniqueID) async throws -> Bool {
        try await store.database.write(.installation) { try $0.run(Self.replayed, [SQLValue(id)]) == 1 }
    }
}

extension Store {
    package var unrouted: UnroutedStore { UnroutedStore(store: self) }
}
