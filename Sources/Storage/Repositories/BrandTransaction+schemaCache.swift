package import Conversation

/// What a brand's API answered last.
package struct CachedSchema: Sendable {
    /// Nil when the API had nothing.
    package let body: JSONValue?
    package let fetchedAt: Timestamp
    /// Whether we did something ourselves since then that may have changed it.
    package let isExpired: Bool
}

/// Answers of brand APIs about customers, kept until they are too old, and beyond that for the time the API is down.
extension BrandTransaction {
    private enum Statements {
        static let get = SQL("SELECT body, fetched_at FROM schema_cache WHERE brand_id = $1 AND schema = $2 AND subject = $3")
        /// An answer that expired has its moment below zero.
        static let expire = SQL(
            "UPDATE schema_cache SET fetched_at = -fetched_at WHERE brand_id = $1 AND subject = $2 AND fetched_at > 0")
        static let put = SQL(
            """
            INSERT INTO schema_cache (brand_id, schema, subject, body, fetched_at) VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (brand_id, schema, subject) DO UPDATE SET body = excluded.body, fetched_at = excluded.fetched_at
            """)
    }

    /// How an answer is kept that there is nothing: no JSON text is empty.
    private static let nothing = ""

    /// `subject` is the user's id, or empty for schemas that are the same for everybody.
    package func cachedSchema(_ name: String, subject: String) throws -> CachedSchema? {
        try row(Statements.get, .text(name), .text(subject)).map { row in
            let (text, moment) = (try row.text(0), try row.integer(1))
            return CachedSchema(
                body: text == Self.nothing ? JSONValue?.none : try JSONValue(stored: text),
                fetchedAt: Timestamp(milliseconds: abs(moment)), isExpired: moment <= 0)
        }
    }

    /// `body` is nil when the API has nothing.
    package func cacheSchema(_ name: String, subject: String, body: JSONValue?) throws {
        try run(
            Statements.put, .text(name), .text(subject), body.map { SQLValue(json: $0) } ?? .text(Self.nothing), SQLValue(now))
    }

    /// Makes what is cached about a user too old to be used without asking again; it still stands in when the API is down.
    package func expireSchemas(of subject: String) throws { try run(Statements.expire, .text(subject)) }
}
