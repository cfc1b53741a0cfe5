package import Conversation

/// What is looked up and kept for messages that a brand sends outside a turn.
extension BrandTransaction {
    private enum Statements {
        static let owner = SQL(
            "SELECT user_id FROM identifiers WHERE brand_id = $1 AND channel = $2 AND kind = $3 AND value = $4")
        static let known = SQL("SELECT 1 FROM identifiers WHERE brand_id = $1 AND user_id = $2 AND channel = $3 LIMIT 1")
        static let lastInbound = SQL(
            "SELECT max(last_inbound_at) FROM sessions WHERE brand_id = $1 AND instance_id = $2 AND user_id = $3")
        static let open = SQL(
            """
            INSERT INTO sessions (brand_id, session_id, instance_id, user_id, started_at, last_message_at, last_inbound_at)
            VALUES ($1, $2, $3, $4, $5, $5, $6)
            """)
        static let answer = SQL(
            "SELECT status, answer, body_hash FROM request_keys WHERE brand_id = $1 AND request_key = $2 AND status IS NOT NULL")
    }

    /// Whose identifier it is at that channel; nil for nobody's.
    package func owner(of identifier: Identifier, channel: ChannelName) throws -> UserID? {
        try row(Statements.owner, .text(channel.rawValue), .text(identifier.kind.rawValue), .text(identifier.value))?.entity(0)
    }

    /// Whether the user has any identifier at that channel.
    package func isKnown(_ user: UserID, at channel: ChannelName) throws -> Bool {
        try row(Statements.known, SQLValue(user), .text(channel.rawValue)) != nil
    }

    /// When the user last wrote at that instance, in whatever session; nil for never.
    package func lastInbound(instance: InstanceID, user: UserID) throws -> Timestamp? {
        try row(Statements.lastInbound, SQLValue(instance), SQLValue(user))?.optional(0) { $0.time }
    }

    /// The session that a message of the brand belongs to: the one that goes on, or a new one. A new one remembers when the customer last
    /// wrote, for that is what the channel's window counts from, and a message of ours does not open it.
    package func outreachSession(instance: InstanceConfiguration, user: UserID) throws -> SessionID {
        if let running = try ongoingSession(instance: instance, user: user) { return running.id }
        let inbound = try lastInbound(instance: instance.id, user: user)
        return try startSession(instance: instance, user: user) {
            let id = SessionID(newID())
            try run(Statements.open, SQLValue(id), SQLValue(instance.id), SQLValue(user), SQLValue(now), SQLValue(inbound))
            return id
        }
    }

    /// What a request of that key was answered; nil when none was.
    package func answer(toRequest key: String) throws -> RequestAnswer? {
        try row(Statements.answer, .text(key)).map { row in
            RequestAnswer(status: try row.int(0), body: try row.optional(1) { $0.bytes } ?? [], bodyHash: try row.bytes(2))
        }
    }
}

/// How a request under a key was answered.
package struct RequestAnswer: Sendable {
    package var status: Int
    package var body: [UInt8]
    /// Of the request, as it was claimed with.
    package var bodyHash: [UInt8]
}
