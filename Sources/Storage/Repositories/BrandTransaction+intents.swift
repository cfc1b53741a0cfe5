package import Conversation

/// The intent ledger. Every change of an entry is kept beside it.
extension BrandTransaction {
    private enum Statements {
        static let one = SQL("SELECT history, entry FROM intents WHERE brand_id = $1 AND session_id = $2 AND intent_id = $3")
        static let upsert = SQL(
            """
            INSERT INTO intents (brand_id, session_id, intent_id, turn, status, entry, history, recorded_at, updated_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)
            ON CONFLICT (brand_id, session_id, intent_id) DO UPDATE SET
                status = excluded.status, entry = excluded.entry, history = excluded.history, updated_at = excluded.updated_at
            """)
        static let list = SQL(
            "SELECT entry, history, recorded_at, updated_at FROM intents WHERE brand_id = $1 AND session_id = $2 ORDER BY intent_id LIMIT $3"
        )
        static let status = SQL("SELECT entry FROM intents WHERE brand_id = $1 AND session_id = $2 AND intent_id = $3")
    }

    /// A known entry keeps how it was detected; status, reasons and entities are news.
    package func store(_ news: IntentLedgerEntry, session: SessionID) throws {
        let row = try row(Statements.one, SQLValue(session), SQLValue(news.id))
        var entry = news
        if let row {
            entry = try StoredJSON.decode(IntentLedgerEntry.self, try row.text(1))
            (entry.status, entry.reasons) = (news.status, news.reasons)
            if !news.entities.isEmpty { entry.entities = news.entities }
        }
        var history = try row.map { try JSONValue(stored: $0.text(0)).array ?? [] } ?? []
        history.append(["at": .string(now.description), "status": .string(entry.status.rawValue)])
        try run(
            Statements.upsert, SQLValue(session), SQLValue(entry.id), SQLValue(entry.turn), .text(entry.status.rawValue),
            .text(try StoredJSON.encode(entry)), SQLValue(json: .array(Array(history.suffix(50)))), SQLValue(now))
    }

    /// Changes only the status of an entry, when there is one.
    package func setIntent(_ id: IntentID, session: SessionID, status: IntentLedgerEntry.Status) throws {
        guard let row = try row(Statements.status, SQLValue(session), SQLValue(id)) else { return }
        var entry = try StoredJSON.decode(IntentLedgerEntry.self, try row.text(0))
        entry.status = status
        try store(entry, session: session)
    }

    /// In the order in which they were detected, each with its history.
    package func intents(session: SessionID, limit: Int) throws -> [(entry: IntentLedgerEntry, history: JSONValue)] {
        try rows(Statements.list, SQLValue(session), SQLValue(limit)).map { row in
            (try StoredJSON.decode(IntentLedgerEntry.self, try row.text(0)), try JSONValue(stored: row.text(1)))
        }
    }
}
