package import Conversation

/// Whom a token belongs to.
package struct VisitRecord: Sendable, Hashable {
    package var instance: InstanceID
    package var user: UserID
    /// Under which the intake finds the user again.
    package var identifier: Identifier
    package var expiresAt: Timestamp

    package init(instance: InstanceID, user: UserID, identifier: Identifier, expiresAt: Timestamp) {
        self.instance = instance
        self.user = user
        self.identifier = identifier
        self.expiresAt = expiresAt
    }
}

/// Visitors: their tokens and resume secrets, of which only SHA-256 hashes are stored, and the users behind them.
extension BrandTransaction {
    private enum Statements {
        static let addUser = SQL("INSERT INTO users (brand_id, user_id, tier, verified, created_at) VALUES ($1, $2, $3, 0, $4)")
        static let place = SQL(
            """
            UPDATE users SET locale = coalesce($3, locale), time_zone = coalesce($4, time_zone) WHERE brand_id = $1 AND user_id = $2
            """)
        static let unlinkOthers = SQL(
            "DELETE FROM identifiers WHERE brand_id = $1 AND user_id = $2 AND channel = $3 AND kind = $4 AND value <> $5")
        static let addVisit = SQL(
            """
            INSERT INTO visits (brand_id, token_hash, instance_id, user_id, identifier_kind, identifier_value, expires_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7)
            """)
        static let visit = SQL(
            """
            SELECT instance_id, user_id, identifier_kind, identifier_value, expires_at FROM visits
            WHERE brand_id = $1 AND token_hash = $2 AND expires_at > $3
            """)
        static let dropVisits = SQL(
            """
            DELETE FROM visits WHERE brand_id = $1 AND token_hash IN
                (SELECT token_hash FROM visits WHERE brand_id = $1 AND expires_at <= $2 ORDER BY expires_at LIMIT $3)
            """)
        static let addSecret = SQL(
            "INSERT INTO resume_secrets (brand_id, secret_hash, instance_id, user_id, expires_at) VALUES ($1, $2, $3, $4, $5)")
        static let prolong = SQL(
            """
            UPDATE resume_secrets SET expires_at = $5 WHERE brand_id = $1 AND secret_hash = $2 AND instance_id = $3 AND expires_at > $4
            RETURNING user_id
            """)
        static let dropSecrets = SQL(
            """
            DELETE FROM resume_secrets WHERE brand_id = $1 AND secret_hash IN
                (SELECT secret_hash FROM resume_secrets WHERE brand_id = $1 AND expires_at <= $2 ORDER BY expires_at LIMIT $3)
            """)
    }

    /// Expired rows that one new row takes along: more than come in, so that they never pile up, and few enough to cost nothing.
    private static let sweep = 32

    /// A new user whom nobody knows, under an identifier that is the user's own id.
    package func addGuest(channel: ChannelName, tier: String) throws -> UserID {
        let user = UserID(newID())
        try run(Statements.addUser, SQLValue(user), .text(tier), SQLValue(now))
        try link(Identifier(kind: .guest, value: user.description), channel: channel, to: user)
        return user
    }

    /// Notes the language (BCP 47) and time zone (IANA) that somebody uses; nil leaves what is known.
    package func note(locale: String?, timeZone: String?, of user: UserID) throws {
        if locale == nil, timeZone == nil { return }
        try run(Statements.place, SQLValue(user), SQLValue(locale), SQLValue(timeZone))
    }

    /// Links an identifier that takes the place of the user's others of its kind at that channel.
    /// One that belongs to somebody else stays there.
    package func relink(_ identifier: Identifier, channel: ChannelName, to user: UserID) throws {
        try run(
            Statements.unlinkOthers, SQLValue(user), .text(channel.rawValue), .text(identifier.kind.rawValue), .text(identifier.value))
        try link(identifier, channel: channel, to: user)
    }

    /// Stores a token by its hash (32 bytes).
    package func insertVisit(_ visit: VisitRecord, tokenHash: [UInt8]) throws {
        try run(Statements.dropVisits, SQLValue(now), SQLValue(Self.sweep))
        try run(
            Statements.addVisit, .bytes(tokenHash), SQLValue(visit.instance), SQLValue(visit.user),
            .text(visit.identifier.kind.rawValue), .text(visit.identifier.value), SQLValue(visit.expiresAt))
    }

    /// Whose token has that hash; nil when there is none or it has expired.
    package func visit(tokenHash: [UInt8]) throws -> VisitRecord? {
        guard let row = try row(Statements.visit, .bytes(tokenHash), SQLValue(now)) else { return nil }
        guard let kind = Identifier.Kind(rawValue: try row.text(2)) else { throw StorageError.unreadable("kind of an identifier") }
        return VisitRecord(
            instance: InstanceID(rawValue: try row.text(0)), user: try row.entity(1),
            identifier: Identifier(kind: kind, value: try row.text(3)), expiresAt: try row.time(4))
    }

    /// Stores a guest's way back by its hash (32 bytes).
    package func insertResumeSecret(hash: [UInt8], instance: InstanceID, user: UserID, expiresAt: Timestamp) throws {
        try run(Statements.dropSecrets, SQLValue(now), SQLValue(Self.sweep))
        try run(Statements.addSecret, .bytes(hash), SQLValue(instance), SQLValue(user), SQLValue(expiresAt))
    }

    /// Who left that secret at that instance, which then lives until `expiresAt`; nil when nobody did or it has expired.
    package func resume(secretHash: [UInt8], instance: InstanceID, expiresAt: Timestamp) throws -> UserID? {
        try row(Statements.prolong, .bytes(secretHash), SQLValue(instance), SQLValue(now), SQLValue(expiresAt))?.entity(0)
    }
}
