package import Conversation

/// Streaming updates: a ring of the last twenty per session, numbered without gaps.
extension BrandTransaction {
    private enum Statements {
        static let last = SQL("SELECT coalesce(max(seq), 0) FROM updates WHERE brand_id = $1 AND session_id = $2")
        static let insert = SQL("INSERT INTO updates (brand_id, session_id, seq, body) VALUES ($1, $2, $3, $4)")
        static let trim = SQL("DELETE FROM updates WHERE brand_id = $1 AND session_id = $2 AND seq <= $3")
        static let list = SQL("SELECT seq, body FROM updates WHERE brand_id = $1 AND session_id = $2 ORDER BY seq")
    }

    package static let updateRing = 20

    /// The updates with their numbers.
    @discardableResult package func append(
        _ updates: [StreamingUpdate], session: SessionID
    ) throws -> [(sequence: Int64, update: StreamingUpdate)] {
        guard !updates.isEmpty else { return [] }
        var numbered: [(sequence: Int64, update: StreamingUpdate)] = []
        var sequence = try row(Statements.last, SQLValue(session))?.integer(0) ?? 0
        for update in updates {
            sequence += 1
            try run(Statements.insert, SQLValue(session), .integer(sequence), SQLValue(json: update.json))
            numbered.append((sequence, update))
        }
        try run(Statements.trim, SQLValue(session), .integer(sequence - Int64(Self.updateRing)))
        return numbered
    }

    /// Oldest first.
    package func updates(session: SessionID) throws -> [(sequence: Int64, body: JSONValue)] {
        try rows(Statements.list, SQLValue(session)).map { (try $0.integer(0), try JSONValue(stored: $0.text(1))) }
    }
}
