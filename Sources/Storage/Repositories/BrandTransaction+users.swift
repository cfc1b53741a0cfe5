package import Conversation

/// What is known of a sender.
package struct SenderMatch: Sendable {
    package var user: UserID?
    var profileName: String?
    var unknown: [Identifier] = []
}

extension BrandTransaction {
    private enum Statements {
        static let find = SQL(
            """
            SELECT identifiers.user_id, profile_name FROM identifiers
            JOIN users ON users.brand_id = identifiers.brand_id AND users.user_id = identifiers.user_id
            WHERE identifiers.brand_id = $1 AND channel = $2 AND kind = $3 AND value = $4
            """)
        static let hasUserID = SQL(
            "SELECT 1 FROM identifiers WHERE brand_id = $1 AND user_id = $2 AND channel = $3 AND kind = 'bsuid' LIMIT 1")
        static let addUser = SQL(
            "INSERT INTO users (brand_id, user_id, tier, verified, profile_name, created_at) VALUES ($1, $2, $3, $4, $5, $6)")
        static let addIdentifier = SQL(
            """
            INSERT INTO identifiers (brand_id, channel, kind, value, user_id, created_at) VALUES ($1, $2, $3, $4, $5, $6)
            ON CONFLICT (brand_id, channel, kind, value) DO NOTHING
            """)
        static let addFirstIdentifier = SQL(
            "INSERT INTO identifiers (brand_id, channel, kind, value, user_id, created_at) VALUES ($1, $2, $3, $4, $5, $6)")
        static let user = SQL("SELECT tier, verified, profile_name, locale, time_zone FROM users WHERE brand_id = $1 AND user_id = $2")
        static let identifiers = SQL("SELECT kind, value FROM identifiers WHERE brand_id = $1 AND user_id = $2 ORDER BY created_at, kind")
        static let rename = SQL("UPDATE users SET profile_name = $3 WHERE brand_id = $1 AND user_id = $2")
        static let optOut = SQL(
            """
            INSERT INTO opt_outs (brand_id, user_id, topic, at, proof) VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (brand_id, user_id, topic) DO NOTHING
            """)
    }

    /// The user behind a sender, made when there is none. Identifiers that already belong to another user stay there: linking never
    /// merges.
    package func resolveUser(channel: ChannelName, sender: Sender, tier: String, verified: Bool) throws -> UserID {
        try complete(try match(sender, channel: channel), channel: channel, sender: sender, tier: tier, verified: verified)
    }

    /// Looks a sender up. The first identifier that is known decides.
    package func match(_ sender: Sender, channel: ChannelName) throws -> SenderMatch {
        var match = SenderMatch()
        for identifier in sender.identifiers {
            guard let row = try row(Statements.find, .text(channel.rawValue), .text(identifier.kind.rawValue), .text(identifier.value))
            else {
                match.unknown.append(identifier)
                continue
            }
            let owner: UserID = try row.entity(0)
            guard match.user == nil, try !isSomebodyElse(owner, channel: channel, unknown: match.unknown) else { continue }
            match.user = owner
            match.profileName = try row.optional(1) { $0.text }
        }
        return match
    }

    /// Makes the user where there was none, links what was not known, and notes a new profile name.
    package func complete(
        _ match: SenderMatch, channel: ChannelName, sender: Sender, tier: String, verified: Bool
    ) throws -> UserID {
        let user = match.user ?? UserID(newID())
        if match.user == nil {
            try run(
                Statements.addUser, SQLValue(user), .text(tier), SQLValue(verified), SQLValue(sender.profileName), SQLValue(now))
        } else if let name = sender.profileName, name != match.profileName {
            try run(Statements.rename, SQLValue(user), .text(name))
        }
        // Should another node make the same newcomer at this moment, the unit collides there and runs again: it then finds them.
        var first = match.user == nil ? Statements.addFirstIdentifier : Statements.addIdentifier
        for identifier in match.unknown {
            try link(identifier, channel: channel, to: user, by: first)
            first = Statements.addIdentifier
        }
        return user
    }

    /// A phone number passes from hand to hand; a business-scoped user id does not. Whoever comes with a new one under a known number of
    /// somebody who has another is a different person.
    private func isSomebodyElse(_ owner: UserID, channel: ChannelName, unknown: [Identifier]) throws -> Bool {
        guard unknown.contains(where: { $0.kind == .bsuid }) else { return false }
        return try row(Statements.hasUserID, SQLValue(owner), .text(channel.rawValue)) != nil
    }

    /// Adds an identifier to a user; one that belongs to somebody else stays there.
    package func link(_ identifier: Identifier, channel: ChannelName, to user: UserID) throws {
        try link(identifier, channel: channel, to: user, by: Statements.addIdentifier)
    }

    private func link(_ identifier: Identifier, channel: ChannelName, to user: UserID, by statement: SQL) throws {
        try run(
            statement, .text(channel.rawValue), .text(identifier.kind.rawValue), .text(identifier.value), SQLValue(user), SQLValue(now))
    }

    package func user(_ id: UserID) throws -> User? {
        guard let row = try row(Statements.user, SQLValue(id)) else { return nil }
        let identifiers = try rows(Statements.identifiers, SQLValue(id)).compactMap { row -> Identifier? in
            let value = try row.text(1)
            return Identifier.Kind(rawValue: try row.text(0)).map { Identifier(kind: $0, value: value) }
        }
        return User(
            id: id, tier: try row.text(0), isVerified: try row.flag(1), profileName: try row.optional(2) { $0.text },
            locale: try row.optional(3) { $0.text }, timeZone: try row.optional(4) { $0.text }, identifiers: identifiers)
    }

    /// Notes that a user wants no more messages of a topic (`marketing`), with the words that said so.
    package func optOut(_ user: UserID, topic: String, proof: String) throws {
        try run(Statements.optOut, SQLValue(user), .text(topic), SQLValue(now), .text(proof))
    }
}
