package import Conversation

/// Something said or noted while people have a conversation.
package struct HandoverEntry: Sendable {
    package enum State: String, Sendable {
        /// No desk to go to, or one that failed: seen over `/v1/handovers`.
        case kept
        /// On its way to the ticket.
        case queued
        case added
        /// The ticket would not have it.
        case failed
        /// Came from people and went to the customer.
        case said
    }

    package var entry: TicketEntry
    package var state: State

    package init(_ entry: TicketEntry, _ state: State) {
        self.entry = entry
        self.state = state
    }
}

/// What a ticket system told us, with what became of it.
package struct DeskEventRecord: Sendable {
    package var id: String
    package var kind: String
    package var text: String
    package var author: String?
    package var isAutomatic: Bool
    package var at: Timestamp
    package var recordedAt: Timestamp
    /// `said`, `noted`, `closed`, `reopened`, or `ignored:<why>`.
    package var outcome: String

    package init(
        id: String, kind: String, text: String, author: String?, isAutomatic: Bool, at: Timestamp, recordedAt: Timestamp, outcome: String
    ) {
        self.id = id
        self.kind = kind
        self.text = text
        self.author = author
        self.isAutomatic = isAutomatic
        self.at = at
        self.recordedAt = recordedAt
        self.outcome = outcome
    }
}

extension BrandTransaction {
    private enum Statements {
        static let insert = SQL(
            """
            INSERT INTO handover_entries (brand_id, handover_id, entry_id, author, text, attachments, internal, at, state)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (brand_id, handover_id, entry_id) DO NOTHING
            """)
        static let one = SQL(
            """
            SELECT entry_id, author, text, attachments, internal, at, state FROM handover_entries
            WHERE brand_id = $1 AND handover_id = $2 AND entry_id = $3
            """)
        static let latest = SQL(
            """
            SELECT entry_id, author, text, attachments, internal, at, state FROM handover_entries
            WHERE brand_id = $1 AND handover_id = $2 ORDER BY entry_id DESC LIMIT $3
            """)
        static let kept = SQL(
            """
            SELECT entry_id, author, text, attachments, internal, at, state FROM handover_entries
            WHERE brand_id = $1 AND handover_id = $2 AND state = 'kept' ORDER BY entry_id
            """)
        static let set = SQL(
            "UPDATE handover_entries SET state = $4 WHERE brand_id = $1 AND handover_id = $2 AND entry_id = $3")
        static let event = SQL(
            """
            INSERT INTO desk_events (brand_id, desk, ticket_id, event_id, handover_id, kind, text, author, automatic, at, recorded_at,
                outcome) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
            ON CONFLICT (brand_id, desk, ticket_id, event_id) DO NOTHING
            """)
        static let knowsEvent = SQL("SELECT 1 FROM desk_events WHERE brand_id = $1 AND desk = $2 AND ticket_id = $3 AND event_id = $4")
        static let events = SQL(
            """
            SELECT event_id, kind, text, author, automatic, at, recorded_at, outcome FROM desk_events
            WHERE brand_id = $1 AND handover_id = $2 ORDER BY recorded_at DESC, event_id DESC LIMIT $3
            """)
        static let actions = SQL(
            """
            SELECT canonical_action, state, params, result, created_at,
                (SELECT detail FROM attempts WHERE attempts.brand_id = actions.brand_id AND subject_id = action_id
                    ORDER BY number DESC LIMIT 1)
            FROM actions WHERE brand_id = $1 AND user_id = $4 AND session_id = $2 ORDER BY action_id DESC LIMIT $3
            """)
    }

    package func insertEntry(_ entry: HandoverEntry, of handover: HandoverID) throws {
        let attachments = entry.entry.attachments.map(\.json)
        try run(
            Statements.insert, SQLValue(handover), SQLValue(entry.entry.id), .text(entry.entry.author.rawValue), .text(entry.entry.text),
            SQLValue(json: .array(attachments)), SQLValue(entry.entry.isInternal), SQLValue(entry.entry.at), .text(entry.state.rawValue))
    }

    package func entry(_ id: UniqueID, of handover: HandoverID) throws -> HandoverEntry? {
        try row(Statements.one, SQLValue(handover), SQLValue(id)).map(Self.entry)
    }

    /// The last ones, oldest first.
    package func entries(of handover: HandoverID, limit: Int) throws -> [HandoverEntry] {
        try rows(Statements.latest, SQLValue(handover), SQLValue(limit)).map(Self.entry).reversed()
    }

    /// Those that stayed with us, oldest first.
    package func keptEntries(of handover: HandoverID) throws -> [HandoverEntry] {
        try rows(Statements.kept, SQLValue(handover)).map(Self.entry)
    }

    package func setEntry(_ id: UniqueID, of handover: HandoverID, _ state: HandoverEntry.State) throws {
        try run(Statements.set, SQLValue(handover), SQLValue(id), .text(state.rawValue))
    }

    /// False when it was told before: then nothing was stored.
    package func insertEvent(_ event: DeskEventRecord, of handover: HandoverID, desk: String, ticket: String) throws -> Bool {
        try run(
            Statements.event, .text(desk), .text(ticket), .text(event.id), SQLValue(handover), .text(event.kind), .text(event.text),
            SQLValue(event.author), SQLValue(event.isAutomatic), SQLValue(event.at), SQLValue(event.recordedAt), .text(event.outcome)) == 1
    }

    package func knowsEvent(_ id: String, desk: String, ticket: String) throws -> Bool {
        try row(Statements.knowsEvent, .text(desk), .text(ticket), .text(id)) != nil
    }

    /// The last ones, oldest first.
    package func events(of handover: HandoverID, limit: Int) throws -> [DeskEventRecord] {
        try rows(Statements.events, SQLValue(handover), SQLValue(limit)).map { row in
            DeskEventRecord(
                id: try row.text(0), kind: try row.text(1), text: try row.text(2), author: try row.optional(3) { $0.text },
                isAutomatic: try row.flag(4), at: try row.time(5), recordedAt: try row.time(6), outcome: try row.text(7))
        }.reversed()
    }

    /// What was tried in a session, oldest first: each action with its state, parameters, result and the word on its last attempt.
    package func attemptedActions(of user: UserID, session: SessionID, limit: Int) throws -> [JSONValue] {
        try rows(Statements.actions, SQLValue(session), SQLValue(limit), SQLValue(user)).map { row in
            let params = try StoredJSON.decode([String: Entity].self, try row.text(2))
            return [
                "action": .string(try row.text(0)), "state": .string(try row.text(1)),
                "params": .object(params.compactMapValues(\.value)),
                "result": try row.optional(3) { $0.text }.map { try JSONValue(stored: $0) } ?? .null,
                "at": .string(try row.time(4).description), "detail": JSONValue(try row.optional(5) { $0.text }),
            ]
        }.reversed()
    }

    private static func entry(_ row: Row) throws -> HandoverEntry {
        guard let author = TicketEntry.Author(rawValue: try row.text(1)), let state = HandoverEntry.State(rawValue: try row.text(6)) else {
            throw StorageError.unreadable("an entry of a handover")
        }
        let attachments = (try JSONValue(stored: row.text(3)).array ?? []).map(TicketAttachment.init(json:))
        let entry = TicketEntry(
            id: try row.id(0), author: author, text: try row.text(2), attachments: attachments, isInternal: try row.flag(4),
            at: try row.time(5))
        return HandoverEntry(entry, state)
    }
}
