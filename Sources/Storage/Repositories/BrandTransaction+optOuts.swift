package import Conversation

/// What customers may want no more of.
package enum OptOutTopic {
    package static let marketing = "marketing"
}

/// What customers want no more of, until they ask for it again.
extension BrandTransaction {
    private enum Statements {
        static let find = SQL("SELECT 1 FROM opt_outs WHERE brand_id = $1 AND user_id = $2 AND topic = $3")
        static let end = SQL("DELETE FROM opt_outs WHERE brand_id = $1 AND user_id = $2 AND topic = $3")
        static let proof = SQL(
            """
            INSERT INTO opt_outs (brand_id, user_id, topic, at, proof) VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (brand_id, user_id, topic) DO UPDATE SET at = excluded.at, proof = excluded.proof
            """)
    }

    package func isOptedOut(_ user: UserID, topic: String) throws -> Bool {
        try row(Statements.find, SQLValue(user), .text(topic)) != nil
    }

    /// Notes that a user wants messages of a topic again. The words that said so are kept, under `<topic>:opt_in`.
    package func optIn(_ user: UserID, topic: String, proof: String) throws {
        try run(Statements.end, SQLValue(user), .text(topic))
        try run(Statements.proof, SQLValue(user), .text(topic + ":opt_in"), SQLValue(now), .text(proof))
    }
}
