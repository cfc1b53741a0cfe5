internal import Conversation

/// How long what nobody works with any more is kept.
package enum Retention {
    /// Closed handovers with their entries and events, and notes on sessions.
    package static let conversations = Duration.seconds(90 * 86_400)
    /// Keys of requests and commands: who comes again under one of these is answered as before.
    package static let requestKeys = Duration.seconds(30 * 86_400)
    /// What stood on a bus for longer may have been done under a key that is forgotten by now. A day less than keys are kept: the clock of
    /// the bus is another.
    package static let commandsOnBus = Duration.seconds(29 * 86_400)
    /// Usage of models: longer than a year, so that the same month of the year before can be looked at.
    package static let usage = Duration.seconds(400 * 86_400)
}

extension BrandTransaction {
    private enum Statements {
        static let closed = SQL(
            "SELECT handover_id FROM handovers WHERE brand_id = $1 AND closed_at < $2 AND state = 'closed' ORDER BY closed_at LIMIT $3")
        static let entries = SQL("DELETE FROM handover_entries WHERE brand_id = $1 AND handover_id = $2")
        static let deskEvents = SQL("DELETE FROM desk_events WHERE brand_id = $1 AND handover_id = $2")
        static let handover = SQL("DELETE FROM handovers WHERE brand_id = $1 AND handover_id = $2")
        static let requestKeys = SQL(
            """
            DELETE FROM request_keys WHERE brand_id = $1 AND request_key IN
                (SELECT request_key FROM request_keys WHERE brand_id = $1 AND created_at < $2 ORDER BY created_at LIMIT $3)
            """)
        static let usage = SQL(
            """
            DELETE FROM usage WHERE brand_id = $1 AND usage_id IN
                (SELECT usage_id FROM usage WHERE brand_id = $1 AND at < $2 ORDER BY at LIMIT $3)
            """)
        static let notes = SQL(
            """
            DELETE FROM session_notes WHERE brand_id = $1 AND session_id IN
                (SELECT session_id FROM session_notes WHERE brand_id = $1 AND made_at < $2 ORDER BY made_at LIMIT $3)
            """)
    }

    /// Removes up to `limit` of each kind of what is older than `Retention` says; how many there were of the kind with the most.
    package func forgetOld(limit: Int) throws -> Int {
        let conversations = before(Retention.conversations)
        return max(
            try forgetHandovers(closedBefore: conversations, limit: limit),
            try run(Statements.notes, SQLValue(conversations), SQLValue(limit)),
            try run(Statements.requestKeys, SQLValue(before(Retention.requestKeys)), SQLValue(limit)),
            try run(Statements.usage, SQLValue(before(Retention.usage)), SQLValue(limit)))
    }

    private func before(_ age: Duration) -> Timestamp { Timestamp(milliseconds: now.milliseconds - age.milliseconds) }

    /// A handover goes with all that was said in it, which may be a lot: an eighth of the limit at once.
    private func forgetHandovers(closedBefore end: Timestamp, limit: Int) throws -> Int {
        let most = max(1, limit / 8)
        let old = try rows(Statements.closed, SQLValue(end), SQLValue(most))
        for row in old {
            let id: HandoverID = try row.entity(0)
            try run(Statements.entries, SQLValue(id))
            try run(Statements.deskEvents, SQLValue(id))
            try run(Statements.handover, SQLValue(id))
        }
        return old.count < most ? 0 : limit
    }
}
