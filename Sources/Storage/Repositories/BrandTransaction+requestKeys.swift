internal import Conversation

/// `Idempotency-Key` of callers of our own API.
extension BrandTransaction {
    package enum RequestClaim: Sendable {
        /// First of its kind: go on, and store the answer.
        case new
        /// Nobody has answered it yet.
        case running
        case otherBody
        case answered(status: Int, body: [UInt8])
    }

    private enum Statements {
        static let insert = SQL(
            """
            INSERT INTO request_keys (brand_id, request_key, body_hash, created_at, node) VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (brand_id, request_key) DO NOTHING
            """)
        static let takeOver = SQL(
            """
            UPDATE request_keys SET body_hash = $3, created_at = $4, node = $5
            WHERE brand_id = $1 AND request_key = $2 AND status IS NULL AND created_at < $6
            """)
        static let get = SQL(
            "SELECT body_hash, status, answer FROM request_keys WHERE brand_id = $1 AND request_key = $2")
        /// Whoever lost a request to another node has no say in it any more.
        private static let ours = "brand_id = $1 AND request_key = $2 AND (node IS NULL OR node = $3)"
        static let answer = SQL("UPDATE request_keys SET status = $4, answer = $5 WHERE \(ours)")
        static let forget = SQL("DELETE FROM request_keys WHERE \(ours) AND status IS NULL")
    }

    /// After this long without an answer whoever took a request is at it no more: it may be made again. Not earlier, however silent that
    /// node is: one that was stopped or cut off for a while goes on with its work afterwards, and its work is not undone by a takeover.
    private static let longestRequest = Duration.seconds(120)

    /// Takes a request to answer it. Where several nodes share the store, one that was not answered for 120 s is taken over.
    package func claimRequest(key: String, bodyHash: [UInt8]) throws -> RequestClaim {
        if try insertRequest(key, bodyHash) { return .new }
        // Where one process alone opens the store, it is that one that is still at it.
        if isShared {
            let values: [SQLValue] = [
                self.key, .text(key), .bytes(bodyHash), SQLValue(now), .text(node), SQLValue(now + (.zero - Self.longestRequest)),
            ]
            if try connection.run(Statements.takeOver, values) == 1 { return .new }
        }
        guard let row = try row(Statements.get, .text(key)) else {
            // It was given up between the two statements.
            return try insertRequest(key, bodyHash) ? .new : .running
        }
        guard try row.bytes(0) == bodyHash else { return .otherBody }
        guard let status = try row.optional(1, { $0.int }) else { return .running }
        return .answered(status: status, body: try row.optional(2) { $0.bytes } ?? [])
    }

    private func insertRequest(_ key: String, _ bodyHash: [UInt8]) throws -> Bool {
        try run(Statements.insert, .text(key), .bytes(bodyHash), SQLValue(now), .text(node)) == 1
    }

    package func storeAnswer(key: String, status: Int, body: [UInt8]) throws {
        try run(Statements.answer, .text(key), .text(node), SQLValue(status), .bytes(body))
    }

    /// Lets the caller try again: nothing happened under this key.
    package func forgetRequest(key: String) throws { try run(Statements.forget, .text(key), .text(node)) }
}
