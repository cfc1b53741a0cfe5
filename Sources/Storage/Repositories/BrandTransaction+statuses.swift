package import Conversation

/// Delivery statuses only move forward, may be repeated, may come in any order, and may come before our own send is recorded.
extension BrandTransaction {
    private enum Statements {
        static let byReference = SQL(
            """
            SELECT message_id, status_rank, send_state FROM messages
            WHERE brand_id = $1 AND message_id = $2 AND direction = 'out' AND instance_id = $3
            """)
        static let byProvider = SQL(
            """
            SELECT message_id, status_rank, send_state FROM messages
            WHERE brand_id = $1 AND instance_id = $2 AND direction = 'out' AND provider_id = $3
            """)
        static let advance = SQL(
            """
            UPDATE messages SET status = $3, status_rank = $4, status_at = $5, error = $6, send_state = $7, provider_id = $8
            WHERE brand_id = $1 AND message_id = $2 AND direction = 'out'
            """)
        static let keepEarly = SQL(
            """
            INSERT INTO early_statuses (brand_id, instance_id, provider_id, status, status_rank, at, detail)
            VALUES ($1, $2, $3, $4, $5, $6, $7)
            ON CONFLICT (brand_id, instance_id, provider_id) DO UPDATE SET
                status = excluded.status, status_rank = excluded.status_rank, at = excluded.at, detail = excluded.detail
            WHERE excluded.status_rank > early_statuses.status_rank
            """)
        static let early = SQL(
            "SELECT status, at, detail FROM early_statuses WHERE brand_id = $1 AND instance_id = $2 AND provider_id = $3")
        static let forgetEarly = SQL(
            """
            DELETE FROM early_statuses WHERE brand_id = $1 AND (instance_id, provider_id) IN
                (SELECT instance_id, provider_id FROM early_statuses WHERE brand_id = $1 AND at < $2 LIMIT $3)
            """)
        static let dropEarly = SQL("DELETE FROM early_statuses WHERE brand_id = $1 AND instance_id = $2 AND provider_id = $3")
    }

    /// How long a status waits for the message it belongs to. Platforms repeat a webhook for up to seven days.
    package static let earlyStatusRetention = Duration.seconds(7 * 86_400)

    /// Removes statuses whose message never came to be known, at most `limit`; returns how many.
    @discardableResult package func forgetEarlyStatuses(limit: Int) throws -> Int {
        let oldest = Timestamp(milliseconds: now.milliseconds - Self.earlyStatusRetention.milliseconds)
        return try run(Statements.forgetEarly, SQLValue(oldest), SQLValue(limit))
    }

    package enum StatusEffect: Sendable { case advanced, repeated, early }

    /// Applies a status to the message it belongs to, or keeps it until that message is known to be sent.
    package func apply(_ update: StatusUpdate, instance: InstanceID) throws -> StatusEffect {
        let referenced = try update.reference.flatMap { MessageID($0) }.flatMap {
            try row(Statements.byReference, SQLValue($0), SQLValue(instance))
        }
        guard let row = try referenced ?? row(Statements.byProvider, SQLValue(instance), .text(update.providerMessageID)) else {
            try run(
                Statements.keepEarly, SQLValue(instance), .text(update.providerMessageID), .text(update.status.name),
                SQLValue(update.status.rank), SQLValue(update.at), SQLValue(json: .array(update.errors)))
            return .early
        }
        let message: MessageID = try row.entity(0)
        guard update.status.rank > (try row.int(1)) else { return .repeated }
        let failed = update.status == .failed
        try run(
            Statements.advance, SQLValue(message), .text(update.status.name), SQLValue(update.status.rank), SQLValue(update.at),
            update.errors.isEmpty ? .null : SQLValue(json: .array(update.errors)), .text(failed ? "failed" : "sent"),
            .text(update.providerMessageID))
        let was = try row.optional(2) { $0.text }
        if was == "unknown" || was == "failed" { try settleDeadLetters(of: message.value, as: "settled") }
        if failed { try bury(message, update, instance) }
        return .advanced
    }

    /// The platform could not deliver it: that must be seen, and can be tried again.
    private func bury(_ message: MessageID, _ update: StatusUpdate, _ instance: InstanceID) throws {
        guard let record = try outboundMessage(message) else { return }
        let lane = Lane(brand: brand, instance: instance, user: record.user, kind: .delivery)
        try insertDeadLetter(
            kind: "delivery", reason: "failed", detail: ["error": .array(update.errors)],
            about: .init(id: message.value, session: record.session, instance: instance, user: record.user),
            task: [
                "lane": .string(lane.key), "pool": .string(LanePool.delivery.rawValue), "kind": "deliver",
                "payload": ["message": .string(message.description)], "priority": .integer(Int64(Priority.normal.rank)),
            ])
    }

    /// Applies what came early for a message whose provider id has just become known.
    package func applyEarlyStatus(providerID: String, instance: InstanceID) throws {
        guard let row = try row(Statements.early, SQLValue(instance), .text(providerID)) else { return }
        let errors = try JSONValue(stored: try row.text(2)).array ?? []
        try run(Statements.dropEarly, SQLValue(instance), .text(providerID))
        _ = try apply(
            StatusUpdate(providerMessageID: providerID, status: DeliveryStatus(try row.text(0)), at: try row.time(1), errors: errors),
            instance: instance)
    }
}
