package import Conversation

/// A conversation at one instance, from the first message after a silence to the next silence.
package struct SessionRecord: Sendable {
    package var id: SessionID
    package var instance: InstanceID
    package var user: UserID
    package var startedAt: Timestamp
    package var lastMessageAt: Timestamp
    /// The 24-hour window counts from here.
    package var lastInboundAt: Timestamp?
    package var endedAt: Timestamp?
}

extension BrandTransaction {
    private static let columns = "session_id, instance_id, user_id, started_at, last_message_at, last_inbound_at, ended_at"

    private enum Statements {
        static let active = SQL(
            "SELECT \(columns) FROM sessions WHERE brand_id = $1 AND instance_id = $2 AND user_id = $3 AND ended_at IS NULL")
        static let one = SQL("SELECT \(columns) FROM sessions WHERE brand_id = $1 AND session_id = $2")
        static let list = SQL(
            "SELECT \(columns) FROM sessions WHERE brand_id = $1 AND session_id < $2 ORDER BY session_id DESC LIMIT $3")
        static let open = SQL(
            """
            INSERT INTO sessions (brand_id, session_id, instance_id, user_id, started_at, last_message_at, last_inbound_at)
            VALUES ($1, $2, $3, $4, $5, $5, $5)
            """)
        static let touch = SQL(
            "UPDATE sessions SET last_message_at = $3, last_inbound_at = $3 WHERE brand_id = $1 AND session_id = $2")
        static let touchOut = SQL("UPDATE sessions SET last_message_at = $3 WHERE brand_id = $1 AND session_id = $2")
        static let end = SQL("UPDATE sessions SET ended_at = $3 WHERE brand_id = $1 AND session_id = $2 AND ended_at IS NULL")
        static let waiting = SQL(
            """
            SELECT 1 FROM tasks WHERE brand_id = $1 AND (lane = $2 OR lane = $3)
            UNION ALL SELECT 1 FROM lanes WHERE brand_id = $1 AND lane = $2 AND inbox IS NOT NULL LIMIT 1
            """)
        static let state = SQL("SELECT version, state FROM session_states WHERE brand_id = $1 AND session_id = $2")
        static let insertState = SQL(
            """
            INSERT INTO session_states (brand_id, session_id, version, state) VALUES ($1, $2, 1, $3)
            ON CONFLICT (brand_id, session_id) DO NOTHING
            """)
        static let updateState = SQL(
            "UPDATE session_states SET version = version + 1, state = $4 WHERE brand_id = $1 AND session_id = $2 AND version = $3")
    }

    package func activeSession(instance: InstanceID, user: UserID) throws -> SessionRecord? {
        try row(Statements.active, SQLValue(instance), SQLValue(user)).map(Self.session)
    }

    package func session(_ id: SessionID) throws -> SessionRecord? { try row(Statements.one, SQLValue(id)).map(Self.session) }

    /// Newest first, those before `after`.
    package func sessions(after: SessionID?, limit: Int) throws -> [SessionRecord] {
        let last = after.map { SQLValue($0) } ?? .bytes([UInt8](repeating: 0xFF, count: 16))
        return try rows(Statements.list, last, SQLValue(limit)).map(Self.session)
    }

    package func openSession(instance: InstanceID, user: UserID) throws -> SessionID {
        let id = SessionID(newID())
        try run(Statements.open, SQLValue(id), SQLValue(instance), SQLValue(user), SQLValue(now))
        return id
    }

    /// Notes an inbound message. Within five seconds of the last note it is not written again: windows of minutes and hours do not
    /// need it, and a burst should not rewrite its session for every message.
    package func touchSession(_ session: SessionRecord) throws {
        if let last = session.lastInboundAt, session.lastMessageAt >= last, now - last < .seconds(5) { return }
        try run(Statements.touch, SQLValue(session.id), SQLValue(now))
    }
    package func touchSessionOutbound(_ id: SessionID) throws { try run(Statements.touchOut, SQLValue(id), SQLValue(now)) }
    package func endSession(_ id: SessionID) throws { try run(Statements.end, SQLValue(id), SQLValue(now)) }

    /// Whether anything of this customer is still under way at this instance: an action, a message or a result that waits for its turn,
    /// a reply that is queued or parked, or people who have the conversation. A session must not end before it.
    package func hasOpenWork(_ user: UserID, instance: InstanceID) throws -> Bool {
        let turns = Lane(brand: brand, instance: instance, user: user)
        let replies = Lane(brand: brand, instance: instance, user: user, kind: .delivery)
        return try hasRunningAction(user) || row(Statements.waiting, .text(turns.key), .text(replies.key)) != nil
            || isMuted(instance: instance, user: user)
    }

    /// The state and its version; a fresh one (version 0) when nothing was stored yet.
    package func state(of session: SessionID) throws -> (state: ConversationState, version: Int64) {
        guard let row = try row(Statements.state, SQLValue(session)) else { return (ConversationState(), 0) }
        do {
            return (try StoredJSON.decode(ConversationState.self, try row.text(1)), try row.integer(0))
        } catch let error as DecodingError {
            throw StorageError.unreadable("state of session \(session): \(error)")
        }
    }

    /// False when someone else wrote meanwhile: then nothing was stored.
    package func storeState(_ encoded: String, of session: SessionID, version: Int64) throws -> Bool {
        if version == 0 { return try run(Statements.insertState, SQLValue(session), .text(encoded)) == 1 }
        return try run(Statements.updateState, SQLValue(session), .integer(version), .text(encoded)) == 1
    }

    private static func session(_ row: Row) throws -> SessionRecord {
        SessionRecord(
            id: try row.entity(0), instance: InstanceID(rawValue: try row.text(1)), user: try row.entity(2), startedAt: try row.time(3),
            lastMessageAt: try row.time(4), lastInboundAt: try row.optional(5) { $0.time }, endedAt: try row.optional(6) { $0.time })
    }
}
