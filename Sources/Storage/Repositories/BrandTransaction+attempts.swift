package import Conversation

/// One try at an action or a delivery, with how it ended.
package struct AttemptRecord: Sendable {
    package var number: Int
    package var startedAt: Timestamp
    package var endedAt: Timestamp?
    package var outcome: String?
    package var detail: String?
}

extension BrandTransaction {
    private enum Statements {
        static let insert = SQL(
            """
            INSERT INTO attempts (brand_id, subject_id, number, started_at, ended_at, outcome, detail)
            VALUES ($1, $2, (SELECT coalesce(max(number), 0) + 1 FROM attempts WHERE brand_id = $1 AND subject_id = $2), $3, $4, $5, $6)
            """)
        static let list = SQL(
            "SELECT number, started_at, ended_at, outcome, detail FROM attempts WHERE brand_id = $1 AND subject_id = $2 ORDER BY number")
    }

    /// `subject` is the id of the action or message that was tried.
    package func recordAttempt(of subject: UniqueID, startedAt: Timestamp, outcome: String, detail: String) throws {
        try run(Statements.insert, SQLValue(subject), SQLValue(startedAt), SQLValue(now), .text(outcome), .text(detail))
    }

    package func attempts(of subject: UniqueID) throws -> [AttemptRecord] {
        try rows(Statements.list, SQLValue(subject)).map { row in
            AttemptRecord(
                number: try row.int(0), startedAt: try row.time(1), endedAt: try row.optional(2) { $0.time },
                outcome: try row.optional(3) { $0.text }, detail: try row.optional(4) { $0.text })
        }
    }
}
