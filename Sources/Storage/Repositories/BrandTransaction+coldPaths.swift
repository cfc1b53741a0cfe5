package import Conversation

/// What is known about a session beside its state: made after its turns, by nobody who waits.
package struct SessionNotes: Sendable, Hashable {
    package enum Source: String, Sendable { case model, embedded }

    package var summary: String
    package var topics: [String]
    package var source: Source
    package var firstMessageAt: Timestamp?
    package var lastMessageAt: Timestamp?
    package var lastActionAt: Timestamp?
    /// The newest message that the notes know of.
    package var lastMessage: MessageID
    package var madeAt: Timestamp

    package init(
        summary: String, topics: [String], source: Source, firstMessageAt: Timestamp?, lastMessageAt: Timestamp?, lastActionAt: Timestamp?,
        lastMessage: MessageID, madeAt: Timestamp
    ) {
        self.summary = summary
        self.topics = topics
        self.source = source
        self.firstMessageAt = firstMessageAt
        self.lastMessageAt = lastMessageAt
        self.lastActionAt = lastActionAt
        self.lastMessage = lastMessage
        self.madeAt = madeAt
    }
}

/// Work that follows a turn and that nobody waits for, on a lane of the session's own, and what it leaves.
extension BrandTransaction {
    private enum Statements {
        static let isWaiting = SQL("SELECT 1 FROM tasks WHERE brand_id = $1 AND lane = $2 AND state = 'pending' LIMIT 1")
        static let notes = SQL(
            """
            SELECT summary, topics, source, first_message_at, last_message_at, last_action_at, last_message_id, made_at
            FROM session_notes WHERE brand_id = $1 AND session_id = $2
            """)
        static let summary = SQL("SELECT summary FROM session_notes WHERE brand_id = $1 AND session_id = $2")
        /// What knows less never replaces what knows more.
        static let store = SQL(
            """
            INSERT INTO session_notes (brand_id, session_id, summary, topics, source, first_message_at, last_message_at, last_action_at,
                last_message_id, made_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
            ON CONFLICT (brand_id, session_id) DO UPDATE SET
                summary = excluded.summary, topics = excluded.topics, source = excluded.source, first_message_at = excluded.first_message_at,
                last_message_at = excluded.last_message_at, last_action_at = excluded.last_action_at,
                last_message_id = excluded.last_message_id, made_at = excluded.made_at
            WHERE session_notes.last_message_id <= excluded.last_message_id
            """)
        static let lastAction = SQL(
            "SELECT max(updated_at) FROM actions WHERE brand_id = $1 AND user_id = $2 AND session_id = $3")
    }

    /// The lane in which a session's cold work is done.
    package static func coldLane(of session: SessionID) -> String { "cold:\(session)" }

    /// Puts a task of that kind into the session's cold lane, unless one waits there that no worker has begun: that one will see
    /// everything this one would. False when it was not needed.
    @discardableResult package func enqueueCold(_ kind: String, session: SessionID, after delay: Duration) throws -> Bool {
        let lane = Self.coldLane(of: session)
        guard try row(Statements.isWaiting, .text(lane)) == nil else { return false }
        try enqueue(
            NewTask(
                id: QueueTaskID(newID()), lane: lane, pool: .cold, kind: kind, payload: ["session": .string(session.description)],
                priority: .low, runAt: now + delay))
        return true
    }

    package func notes(of session: SessionID) throws -> SessionNotes? {
        guard let row = try row(Statements.notes, SQLValue(session)) else { return nil }
        return SessionNotes(
            summary: try row.text(0), topics: try StoredJSON.decode([String].self, try row.text(1)),
            source: SessionNotes.Source(rawValue: try row.text(2)) ?? .embedded, firstMessageAt: try row.optional(3) { $0.time },
            lastMessageAt: try row.optional(4) { $0.time }, lastActionAt: try row.optional(5) { $0.time },
            lastMessage: try row.entity(6), madeAt: try row.time(7))
    }

    /// The summary alone, for a turn.
    package func sessionSummary(of session: SessionID) throws -> String? { try row(Statements.summary, SQLValue(session))?.text(0) }

    /// False when notes stand there that know of a newer message.
    @discardableResult package func storeNotes(_ notes: SessionNotes, of session: SessionID) throws -> Bool {
        try run(
            Statements.store, SQLValue(session), .text(notes.summary), SQLValue(json: .array(notes.topics.map(JSONValue.string))),
            .text(notes.source.rawValue), SQLValue(notes.firstMessageAt), SQLValue(notes.lastMessageAt), SQLValue(notes.lastActionAt),
            SQLValue(notes.lastMessage), SQLValue(notes.madeAt)) == 1
    }

    /// When an action of that session last changed; nil when it had none.
    package func lastAction(of user: UserID, session: SessionID) throws -> Timestamp? {
        try row(Statements.lastAction, SQLValue(user), SQLValue(session))?.optional(0) { $0.time }
    }
}
