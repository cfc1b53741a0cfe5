package import Conversation

/// A conversation of the brand that a feed belongs to.
struct FeedAddress: Hashable, Sendable {
    let instance: InstanceID
    let user: UserID
}

/// What conversations show, numbered from 1 without gaps: a ring of the newest events of each.
extension BrandTransaction {
    private enum Statements {
        static let newest = SQL("SELECT coalesce(max(seq), 0) FROM feed WHERE brand_id = $1 AND instance_id = $2 AND user_id = $3")
        static let oldest = SQL("SELECT min(seq) FROM feed WHERE brand_id = $1 AND instance_id = $2 AND user_id = $3")
        static let insert = SQL(
            "INSERT INTO feed (brand_id, instance_id, user_id, seq, kind, body, at) VALUES ($1, $2, $3, $4, $5, $6, $7)")
        static let trim = SQL("DELETE FROM feed WHERE brand_id = $1 AND instance_id = $2 AND user_id = $3 AND seq <= $4")
        static let after = SQL(
            """
            SELECT seq, kind, body FROM feed WHERE brand_id = $1 AND instance_id = $2 AND user_id = $3 AND seq > $4
            ORDER BY seq LIMIT $5
            """)
        static let grown = SQL(
            "SELECT instance_id, user_id, max(seq) FROM feed WHERE brand_id = $1 AND at >= $2 GROUP BY instance_id, user_id")
        private static let conversation = """
            SELECT message_id, direction, content, sent_at FROM messages WHERE brand_id = $1 AND session_id IN
                (SELECT session_id FROM sessions WHERE brand_id = $1 AND instance_id = $2 AND user_id = $3)
                AND (direction = 'in' OR send_state = 'sent')
            """
        static let messagesAfter = SQL("\(conversation) AND message_id > $4 ORDER BY message_id LIMIT $5")
        static let lastMessages = SQL("\(conversation) ORDER BY message_id DESC LIMIT $4")
    }

    /// Events that a conversation keeps.
    package static let feedRing = 500

    /// Adds an event to a conversation's feed and returns its number. Who listens (`Store.onFeed`) is told after the commit.
    @discardableResult package func appendFeed(
        _ kind: FeedEvent.Kind, body: JSONValue, instance: InstanceID, user: UserID
    ) throws -> Int64 {
        let sequence = try newestFeedSequence(instance: instance, user: user) + 1
        try run(
            Statements.insert, SQLValue(instance), SQLValue(user), .integer(sequence), .text(kind.rawValue), SQLValue(json: body),
            SQLValue(now))
        if sequence > Self.feedRing {
            try run(Statements.trim, SQLValue(instance), SQLValue(user), .integer(sequence - Int64(Self.feedRing)))
        }
        news.feeds.insert(FeedAddress(instance: instance, user: user))
        return sequence
    }

    /// Adds a message of either direction.
    package func appendFeed(_ message: FeedMessage, instance: InstanceID, user: UserID) throws {
        try appendFeed(.message, body: message.json, instance: instance, user: user)
    }

    /// The number of the newest event, 0 when there is none.
    package func newestFeedSequence(instance: InstanceID, user: UserID) throws -> Int64 {
        try row(Statements.newest, SQLValue(instance), SQLValue(user))?.integer(0) ?? 0
    }

    /// Conversations whose feed has grown since then, each with the number of its newest event.
    package func feedsGrown(since time: Timestamp) throws -> [(instance: InstanceID, user: UserID, newest: Int64)] {
        try rows(Statements.grown, SQLValue(time)).map {
            (InstanceID(rawValue: try $0.text(0)), try $0.entity(1), try $0.integer(2))
        }
    }

    /// Events with a higher number, oldest first. Not complete when some of them are no longer kept, and when there never was an event
    /// with that number (the reader knows the feed of another store).
    package func feed(instance: InstanceID, user: UserID, after sequence: Int64, limit: Int) throws -> FeedPage {
        let newest = try newestFeedSequence(instance: instance, user: user)
        let oldest = try row(Statements.oldest, SQLValue(instance), SQLValue(user))?.optional(0) { $0.integer } ?? 1
        let found = try rows(Statements.after, SQLValue(instance), SQLValue(user), .integer(sequence), SQLValue(limit))
        let events = try found.map { row in
            guard let kind = FeedEvent.Kind(rawValue: try row.text(1)) else { throw StorageError.unreadable("kind of a feed event") }
            return FeedEvent(sequence: try row.integer(0), kind: kind, body: try JSONValue(stored: row.text(2)))
        }
        return FeedPage(events: events, isComplete: sequence >= oldest - 1 && sequence <= newest)
    }

    /// What was written in a conversation over all its sessions, oldest first: messages after `after`, or the last ones when it is nil.
    /// Replies that have not left yet are not among them.
    package func conversation(instance: InstanceID, user: UserID, after: MessageID?, limit: Int) throws -> [FeedMessage] {
        var found: [Row]
        if let after {
            found = try rows(Statements.messagesAfter, SQLValue(instance), SQLValue(user), SQLValue(after), SQLValue(limit))
        } else {
            found = try rows(Statements.lastMessages, SQLValue(instance), SQLValue(user), SQLValue(limit))
            found.reverse()
        }
        return try found.map { row in
            FeedMessage(
                id: try row.entity(0), isInbound: try row.text(1) == "in", content: try JSONValue(stored: row.text(2)),
                at: try row.time(3))
        }
    }
}
