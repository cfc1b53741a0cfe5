internal import Conversation

/// `Idempotency-Key` of callers of our own API.
extension BrandTransaction {
    package enum RequestClaim: Sendable {
        /// First of its kind: go on, and store the answer.
        case new
        case running
        case otherBody
        case answered(status: Int, body: [UInt8])
    }

    private enum Statements {
        static let insert = SQL(
            """
            INSERT INTO request_keys (brand_id, request_key, body_hash, created_at) VALUES ($1, $2, $3, $4)
            ON CONFLICT (brand_id, request_key) DO NOTHING
            """)
        static let takeOver = SQL(
            """
            UPDATE request_keys SET body_hash = $3, created_at = $4 WHERE brand_id = $1 AND request_key = $2 AND status IS NULL
                AND created_at < $5
            """)
        static let get = SQL("SELECT body_hash, status, answer FROM request_keys WHERE brand_id = $1 AND request_key = $2")
        static let answer = SQL("UPDATE request_keys SET status = $3, answer = $4 WHERE brand_id = $1 AND request_key = $2")
        static let forget = SQL("DELETE FROM request_keys WHERE brand_id = $1 AND request_key = $2 AND status IS NULL")
    }

    /// After this long without an answer the process that took a request is dead: the request may be made again.
    private static let longestRequest = Duration.seconds(120)

    package func claimRequest(key: String, bodyHash: [UInt8]) throws -> RequestClaim {
        if try run(Statements.insert, .text(key), .bytes(bodyHash), SQLValue(now)) == 1 { return .new }
        // Where one process alone opens the store, it is that one that is still at it.
        if isShared {
            let oldest = Timestamp(milliseconds: now.milliseconds - Self.longestRequest.milliseconds)
            if try run(Statements.takeOver, .text(key), .bytes(bodyHash), SQLValue(now), SQLValue(oldest)) == 1 { return .new }
        }
        guard let row = try row(Statements.get, .text(key)) else {
            // It was given up between the two statements.
            return try run(Statements.insert, .text(key), .bytes(bodyHash), SQLValue(now)) == 1 ? .new : .running
        }
        guard try row.bytes(0) == bodyHash else { return .otherBody }
        guard let status = try row.optional(1, { $0.int }) else { return .running }
        return .answered(status: status, body: try row.optional(2) { $0.bytes } ?? [])
    }

    package func storeAnswer(key: String, status: Int, body: [UInt8]) throws {
        try run(Statements.answer, .text(key), SQLValue(status), .bytes(body))
    }

    /// Lets the caller try again: nothing happened under this key.
    package func forgetRequest(key: String) throws { try run(Statements.forget, .text(key)) }
}
