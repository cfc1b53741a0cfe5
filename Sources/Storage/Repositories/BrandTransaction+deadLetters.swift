package import Conversation

/// Work that was given up, with all that is known of it.
package struct DeadLetterRecord: Sendable {
    package var id: UniqueID
    /// `turn`, `action`, `delivery`, `handover` or `unknown` (sent, and nobody knows).
    package var kind: String
    package var reason: String
    package var detail: JSONValue
    package var subject: UniqueID?
    package var session: SessionID?
    package var instance: InstanceID?
    package var user: UserID?
    /// The task to run again; an object with `lane`, `pool`, `kind`, `payload`, `priority`; null when there is nothing to run again.
    package var task: JSONValue
    /// `open`, `redriven`, `discarded` or `settled`.
    package var state: String
    package var createdAt: Timestamp
    package var settledAt: Timestamp?
}

extension BrandTransaction {
    private static let columns =
        "dead_letter_id, kind, reason, detail, subject_id, session_id, instance_id, user_id, task, state, created_at, settled_at"

    private enum Statements {
        static let insert = SQL(
            """
            INSERT INTO dead_letters (brand_id, dead_letter_id, kind, reason, detail, subject_id, session_id, instance_id, user_id, task,
                state, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'open', $11)
            """)
        static let one = SQL("SELECT \(columns) FROM dead_letters WHERE brand_id = $1 AND dead_letter_id = $2")
        static let list = SQL(
            "SELECT \(columns) FROM dead_letters WHERE brand_id = $1 AND dead_letter_id < $2 ORDER BY dead_letter_id DESC LIMIT $3")
        static let settle = SQL(
            """
            UPDATE dead_letters SET state = $3, settled_at = $4 WHERE brand_id = $1 AND dead_letter_id = $2 AND state = 'open'
            """)
        static let settleSubject = SQL(
            "UPDATE dead_letters SET state = $3, settled_at = $4 WHERE brand_id = $1 AND subject_id = $2 AND state = 'open'")
        static let count = SQL("SELECT count(*) FROM dead_letters WHERE brand_id = $1 AND state = 'open'")
    }

    /// What a dead letter is about.
    package struct DeadLetterSubject: Sendable {
        package var id: UniqueID?
        package var session: SessionID?
        package var instance: InstanceID?
        package var user: UserID?

        package init(id: UniqueID?, session: SessionID? = nil, instance: InstanceID? = nil, user: UserID? = nil) {
            self.id = id
            self.session = session
            self.instance = instance
            self.user = user
        }
    }

    /// `task` is what a redrive runs; null when there is nothing to run again. Returns the letter's id.
    @discardableResult package func insertDeadLetter(
        kind: String, reason: String, detail: JSONValue, about subject: DeadLetterSubject, task: JSONValue
    ) throws -> UniqueID {
        let id = newID()
        try run(
            Statements.insert, SQLValue(id), .text(kind), .text(reason), SQLValue(json: detail),
            subject.id.map { SQLValue($0) } ?? .null, SQLValue(subject.session), SQLValue(subject.instance?.rawValue),
            SQLValue(subject.user),
            SQLValue(json: task), SQLValue(now))
        news.deadLetters.append(kind)
        CrashPoint.deadLetterHalfMoved.pass()
        return id
    }

    package func deadLetter(_ id: UniqueID) throws -> DeadLetterRecord? { try row(Statements.one, SQLValue(id)).map(Self.deadLetter) }

    /// Newest first, those before `after`.
    package func deadLetters(after: UniqueID?, limit: Int) throws -> [DeadLetterRecord] {
        let last = after.map { SQLValue($0) } ?? .bytes([UInt8](repeating: 0xFF, count: 16))
        return try rows(Statements.list, last, SQLValue(limit)).map(Self.deadLetter)
    }

    package func openDeadLetters() throws -> Int { try row(Statements.count)?.int(0) ?? 0 }

    /// Ends an open dead letter as `redriven`, `discarded` or `settled`; false when it is not open any more.
    package func settleDeadLetter(_ id: UniqueID, as state: String) throws -> Bool {
        try run(Statements.settle, SQLValue(id), .text(state), SQLValue(now)) == 1
    }

    package func settleDeadLetters(of subject: UniqueID, as state: String) throws {
        try run(Statements.settleSubject, SQLValue(subject), .text(state), SQLValue(now))
    }

    private static func deadLetter(_ row: Row) throws -> DeadLetterRecord {
        DeadLetterRecord(
            id: try row.id(0), kind: try row.text(1), reason: try row.text(2), detail: try JSONValue(stored: row.text(3)),
            subject: try row.optional(4) { $0.id }, session: try row.optional(5) { row in { try row.entity($0) } },
            instance: try row.optional(6) { $0.text }.map(InstanceID.init(rawValue:)),
            user: try row.optional(7) { row in { try row.entity($0) } }, task: try JSONValue(stored: row.text(8)), state: try row.text(9),
            createdAt: try row.time(10), settledAt: try row.optional(11) { $0.time })
    }
}
