package import Conversation

/// A message of either direction as it stands in the store.
package struct MessageRecord: Sendable {
    package var id: MessageID
    package var session: SessionID
    package var isInbound: Bool
    package var instance: InstanceID
    package var user: UserID
    package var providerID: String?
    package var content: JSONValue
    package var context: JSONValue?
    package var sentAt: Timestamp
    package var recordedAt: Timestamp
    /// Inbound: what became of it (`answered`, `forwarded`, `no_reply:…`, `dropped:…`, `dead_letter`); nil while it waits for its turn.
    package var outcome: String?
    package var turn: UniqueID?
    /// Outbound: the platform's last word on it.
    package var status: String?
    package var statusAt: Timestamp?
    /// Outbound: `queued`, `sent`, `unknown`, `failed`.
    package var sendState: String?
    package var error: String?
    package var inReplyTo: String?
}

extension BrandTransaction {
    private static let columns = """
        message_id, session_id, direction, instance_id, user_id, provider_id, content, context, sent_at, recorded_at, outcome, turn_id, \
        status, status_at, send_state, error, in_reply_to
        """

    private enum Statements {
        static let inbound = SQL(
            """
            INSERT INTO messages (brand_id, session_id, message_id, direction, instance_id, user_id, provider_id, content, context, raw,
                sent_at, recorded_at) VALUES ($1, $2, $3, 'in', $4, $5, $6, $7, $8, $9, $10, $11)
            ON CONFLICT (brand_id, instance_id, direction, provider_id) WHERE provider_id IS NOT NULL DO NOTHING
            """)
        static let known = SQL(
            "SELECT message_id FROM messages WHERE brand_id = $1 AND instance_id = $2 AND direction = 'in' AND provider_id = $3")
        static let outbound = SQL(
            """
            INSERT INTO messages (brand_id, session_id, message_id, direction, instance_id, user_id, content, context, sent_at, recorded_at,
                send_state, in_reply_to, turn_id) VALUES ($1, $2, $3, 'out', $4, $5, $6, $7, $8, $8, 'queued', $9, $10)
            """)
        static let one = SQL("SELECT \(columns) FROM messages WHERE brand_id = $1 AND session_id = $2 AND message_id = $3")
        static let out = SQL("SELECT \(columns) FROM messages WHERE brand_id = $1 AND message_id = $2 AND direction = 'out'")
        static let list = SQL(
            """
            SELECT \(columns) FROM messages WHERE brand_id = $1 AND session_id = $2 AND message_id > $3 ORDER BY message_id LIMIT $4
            """)
        static let latest = SQL(
            "SELECT \(columns) FROM messages WHERE brand_id = $1 AND session_id = $2 ORDER BY message_id DESC LIMIT $3")
        static let outcome = SQL(
            "UPDATE messages SET outcome = $4, turn_id = $5 WHERE brand_id = $1 AND session_id = $2 AND message_id = $3")
        static let count = SQL("SELECT count(*) FROM messages WHERE brand_id = $1 AND direction = 'in'")
        static let reopen = SQL(
            "UPDATE messages SET outcome = NULL, turn_id = NULL WHERE brand_id = $1 AND session_id = $2 AND message_id = $3")
        static let sent = SQL(
            """
            UPDATE messages SET provider_id = $3, sent_at = $4,
                send_state = CASE WHEN status = 'failed' THEN send_state ELSE 'sent' END,
                error = CASE WHEN status = 'failed' THEN error ELSE NULL END
            WHERE brand_id = $1 AND message_id = $2 AND direction = 'out'
            """)
        static let sendAgain = SQL(
            """
            UPDATE messages SET send_state = 'queued', error = NULL, status = NULL, status_rank = 0, status_at = NULL, provider_id = NULL
            WHERE brand_id = $1 AND message_id = $2 AND direction = 'out'
            """)
        static let sendState = SQL(
            "UPDATE messages SET send_state = $3, error = $4 WHERE brand_id = $1 AND message_id = $2 AND direction = 'out'")
    }

    /// The inbound message that came under this id before.
    package func inboundMessage(providerID: String, instance: InstanceID) throws -> MessageID? {
        try row(Statements.known, SQLValue(instance), .text(providerID)).map { try $0.entity(0) }
    }

    /// Stores an inbound message; false when one with its provider id was there before: then nothing is stored.
    /// `content` is the message's content as JSON, written before the transaction began.
    package func insertInbound(
        _ message: InboundMessage, content: String, id: MessageID, session: SessionID, instance: InstanceID, user: UserID
    ) throws -> Bool {
        try run(
            Statements.inbound, SQLValue(session), SQLValue(id), SQLValue(instance), SQLValue(user), .text(message.providerID),
            .text(content), message.context == MessageContext() ? .null : SQLValue(json: message.context.json),
            SQLValue(message.raw), SQLValue(message.sentAt), SQLValue(now)) == 1
    }

    /// Stores an outbound message that is to be sent.
    package func insertOutbound(
        id: MessageID, session: SessionID, instance: InstanceID, user: UserID, content: OutboundContent, narrative: JSONValue,
        inReplyTo: String?, turn: UniqueID?
    ) throws {
        try run(
            Statements.outbound, SQLValue(session), SQLValue(id), SQLValue(instance), SQLValue(user), SQLValue(json: content.json),
            SQLValue(json: narrative), SQLValue(now), SQLValue(inReplyTo), turn.map { SQLValue($0) } ?? .null)
        try touchSessionOutbound(session)
    }

    package func message(_ id: MessageID, session: SessionID) throws -> MessageRecord? {
        try row(Statements.one, SQLValue(session), SQLValue(id)).map(Self.message)
    }

    package func outboundMessage(_ id: MessageID) throws -> MessageRecord? { try row(Statements.out, SQLValue(id)).map(Self.message) }

    /// Oldest first, those after `after`.
    package func messages(session: SessionID, after: MessageID?, limit: Int) throws -> [MessageRecord] {
        try rows(Statements.list, SQLValue(session), after.map { SQLValue($0) } ?? .bytes([]), SQLValue(limit)).map(Self.message)
    }

    /// The last ones, oldest first.
    package func latestMessages(session: SessionID, limit: Int) throws -> [MessageRecord] {
        try rows(Statements.latest, SQLValue(session), SQLValue(limit)).map(Self.message).reversed()
    }

    /// Says what became of an inbound message.
    package func setOutcome(_ outcome: String, of message: MessageID, session: SessionID, turn: UniqueID?) throws {
        try run(Statements.outcome, SQLValue(session), SQLValue(message), .text(outcome), turn.map { SQLValue($0) } ?? .null)
    }

    /// Inbound messages in the store.
    package func countInbound() throws -> Int { try row(Statements.count)?.int(0) ?? 0 }

    /// Lets an inbound message have its turn again.
    package func clearOutcome(of message: MessageID, session: SessionID) throws {
        try run(Statements.reopen, SQLValue(session), SQLValue(message))
    }

    package func markSent(_ message: MessageID, providerID: String) throws {
        try run(Statements.sent, SQLValue(message), .text(providerID), SQLValue(now))
    }

    /// Lets an outbound message be sent once more, as if it never had been.
    package func sendAgain(_ message: MessageID) throws { try run(Statements.sendAgain, SQLValue(message)) }

    package func setSendState(_ state: String, of message: MessageID, error: String?) throws {
        try run(Statements.sendState, SQLValue(message), .text(state), SQLValue(error))
    }

    static func message(_ row: Row) throws -> MessageRecord {
        MessageRecord(
            id: try row.entity(0), session: try row.entity(1), isInbound: try row.text(2) == "in",
            instance: InstanceID(rawValue: try row.text(3)), user: try row.entity(4), providerID: try row.optional(5) { $0.text },
            content: try JSONValue(stored: row.text(6)), context: try row.optional(7) { $0.text }.map { try JSONValue(stored: $0) },
            sentAt: try row.time(8), recordedAt: try row.time(9), outcome: try row.optional(10) { $0.text },
            turn: try row.optional(11) { $0.id }, status: try row.optional(12) { $0.text }, statusAt: try row.optional(13) { $0.time },
            sendState: try row.optional(14) { $0.text }, error: try row.optional(15) { $0.text },
            inReplyTo: try row.optional(16) { $0.text })
    }
}
