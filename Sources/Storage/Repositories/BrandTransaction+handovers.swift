package import Conversation

/// A conversation that people took over, or are asked to.
package struct HandoverRecord: Sendable, Hashable {
    package enum State: String, Sendable, CaseIterable { case open, closed }
    package enum DeskState: String, Sendable {
        /// Not for a desk: people answer over `/v1/handovers`.
        case none
        /// A ticket is to be opened, and nothing has been sent yet.
        case pending
        /// Something was sent: the ticket is looked for before it is opened.
        case tried
        case open
        /// The desk refused or was away for too long; what follows stays with us.
        case failed
    }

    package var id: HandoverID
    package var instance: InstanceID
    package var user: UserID
    package var session: SessionID
    package var reason: HandoverRequest.Trigger
    package var priority: HandoverPriority
    package var channel: HandoverChannel
    package var state: State
    /// Whether the bot is silent. An open handover may let it speak: a callback, and one that nobody answered in time.
    package var mutes: Bool
    /// What people are shown of the conversation so far; frozen when the handover was opened.
    package var payload: JSONValue
    /// Ends of actions that came while the bot was silent, to be told at the hand-back.
    package var results: [JSONValue]
    /// The desk's id; nil without one.
    package var desk: String?
    package var deskState: DeskState
    package var ticket: DeskTicket?
    package var cursor: String?
    package var pollAt: Timestamp?
    package var pollFailures: Int
    package var createdAt: Timestamp
    /// When people could see it: at once in the queue, with its ticket in a desk.
    package var escalatedAt: Timestamp?
    package var answeredAt: Timestamp?
    package var answeredBy: String?
    package var closedAt: Timestamp?
    package var closedReason: String?
    /// Two programs talk to each other: what comes is no longer passed on.
    package var loopedAt: Timestamp?
    /// Since when the desk has not been reached.
    package var unreachableAt: Timestamp?
    package var unreachableTold: Bool
    /// When an opening was last sent whose end nobody knows.
    package var triedAt: Timestamp?
    /// How often the ticket of that opening was looked for and not found.
    package var misses: Int

    package init(
        id: HandoverID, instance: InstanceID, user: UserID, session: SessionID, reason: HandoverRequest.Trigger,
        priority: HandoverPriority, channel: HandoverChannel, mutes: Bool, payload: JSONValue, desk: String?, createdAt: Timestamp
    ) {
        self.id = id
        self.instance = instance
        self.user = user
        self.session = session
        self.reason = reason
        self.priority = priority
        self.channel = channel
        self.mutes = mutes
        self.payload = payload
        self.desk = desk
        self.createdAt = createdAt
        state = .open
        results = []
        deskState = desk == nil ? .none : .pending
        pollFailures = 0
        escalatedAt = desk == nil ? createdAt : nil
        unreachableTold = false
        misses = 0
    }
}

/// Told to `Store.onHandovers` once the commit stands.
package struct HandoverNews: Sendable, Hashable {
    package enum Kind: String, Sendable { case opened, answered, closed, reopened, looped }
    package var kind: Kind
    package var reason: HandoverRequest.Trigger
    /// From the opening until now.
    package var after: Duration
}

extension BrandTransaction {
    private static let columns = """
        handover_id, instance_id, user_id, session_id, reason, priority, way, state, mutes, payload, results, desk, desk_state, ticket_id, \
        ticket_url, poll_cursor, poll_at, poll_failures, created_at, escalated_at, answered_at, answered_by, closed_at, closed_reason, \
        looped_at, unreachable_at, unreachable_told, tried_at, misses
        """

    private enum Statements {
        static let insert = SQL(
            """
            INSERT INTO handovers (brand_id, \(columns)) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,
                $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30)
            ON CONFLICT (brand_id, instance_id, user_id) WHERE state = 'open' DO NOTHING
            """)
        static let update = SQL(
            """
            UPDATE handovers SET way = $3, state = $4, mutes = $5, results = $6, desk = $7, desk_state = $8, ticket_id = $9,
                ticket_url = $10, poll_cursor = $11, poll_at = $12, poll_failures = $13, escalated_at = $14, answered_at = $15,
                answered_by = $16, closed_at = $17, closed_reason = $18, looped_at = $19, unreachable_at = $20, unreachable_told = $21,
                tried_at = $22, misses = $23
            WHERE brand_id = $1 AND handover_id = $2
            """)
        static let look = SQL(
            "UPDATE handovers SET poll_cursor = $3, poll_at = $4, poll_failures = $5 WHERE brand_id = $1 AND handover_id = $2")
        static let one = SQL("SELECT \(columns) FROM handovers WHERE brand_id = $1 AND handover_id = $2")
        static let open = SQL(
            "SELECT \(columns) FROM handovers WHERE brand_id = $1 AND instance_id = $2 AND user_id = $3 AND state = 'open'")
        // A handover is changed as a whole: what another node changes meanwhile would be written over.
        static let oneLocked = SQL(one.text + "{for_update}")
        static let openLocked = SQL(open.text + "{for_update}")
        static let ticketLocked = SQL(ticket.text + "{for_update}")
        static let isMuted = SQL(
            "SELECT 1 FROM handovers WHERE brand_id = $1 AND instance_id = $2 AND user_id = $3 AND state = 'open' AND mutes = 1")
        static let ticket = SQL("SELECT \(columns) FROM handovers WHERE brand_id = $1 AND desk = $2 AND ticket_id = $3")
        static let list = SQL(
            "SELECT \(columns) FROM handovers WHERE brand_id = $1 AND handover_id < $2 ORDER BY handover_id DESC LIMIT $3")
        static let listState = SQL(
            """
            SELECT \(columns) FROM handovers WHERE brand_id = $1 AND handover_id < $2 AND state = $4 ORDER BY handover_id DESC LIMIT $3
            """)
        static let due = SQL(
            "SELECT \(columns) FROM handovers WHERE brand_id = $1 AND desk = $2 AND poll_at <= $3 ORDER BY poll_at LIMIT $4")
        static let unopened = SQL(
            """
            SELECT 1 FROM handovers WHERE brand_id = $1 AND desk = $2 AND ticket_id IS NULL AND state = 'open'
                AND desk_state IN ('pending', 'tried') LIMIT 1
            """)
        static let waiting = SQL("SELECT count(*) FROM handovers WHERE brand_id = $1 AND state = 'open' AND answered_at IS NULL")
    }

    /// False when this customer has an open one at this instance already: then nothing was stored.
    package func insertHandover(_ handover: HandoverRecord) throws -> Bool {
        let inserted = try run(
            Statements.insert, SQLValue(handover.id), SQLValue(handover.instance), SQLValue(handover.user), SQLValue(handover.session),
            .text(handover.reason.rawValue), .text(handover.priority.rawValue), .text(handover.channel.rawValue),
            .text(handover.state.rawValue), SQLValue(handover.mutes), SQLValue(json: handover.payload),
            SQLValue(json: .array(handover.results)), SQLValue(handover.desk), .text(handover.deskState.rawValue),
            SQLValue(handover.ticket?.id), SQLValue(handover.ticket?.url), SQLValue(handover.cursor), SQLValue(handover.pollAt),
            SQLValue(handover.pollFailures), SQLValue(handover.createdAt), SQLValue(handover.escalatedAt), SQLValue(handover.answeredAt),
            SQLValue(handover.answeredBy), SQLValue(handover.closedAt), SQLValue(handover.closedReason), SQLValue(handover.loopedAt),
            SQLValue(handover.unreachableAt), SQLValue(handover.unreachableTold), SQLValue(handover.triedAt), SQLValue(handover.misses))
        if inserted == 1 { tell(.opened, handover) }
        return inserted == 1
    }

    /// Stores what may change of a handover.
    package func updateHandover(_ handover: HandoverRecord) throws {
        try run(
            Statements.update, SQLValue(handover.id), .text(handover.channel.rawValue), .text(handover.state.rawValue),
            SQLValue(handover.mutes), SQLValue(json: .array(handover.results)), SQLValue(handover.desk),
            .text(handover.deskState.rawValue), SQLValue(handover.ticket?.id), SQLValue(handover.ticket?.url), SQLValue(handover.cursor),
            SQLValue(handover.pollAt), SQLValue(handover.pollFailures), SQLValue(handover.escalatedAt), SQLValue(handover.answeredAt),
            SQLValue(handover.answeredBy), SQLValue(handover.closedAt), SQLValue(handover.closedReason), SQLValue(handover.loopedAt),
            SQLValue(handover.unreachableAt), SQLValue(handover.unreachableTold), SQLValue(handover.triedAt), SQLValue(handover.misses))
    }

    /// Stores how far a ticket was read and when it is looked at again, and nothing else: this happens with every look.
    package func setLook(_ handover: HandoverID, cursor: String?, at time: Timestamp?, failures: Int) throws {
        try run(Statements.look, SQLValue(handover), SQLValue(cursor), SQLValue(time), SQLValue(failures))
    }

    /// Says to the listeners of the store, after the commit, that something happened to a handover.
    package func tell(_ kind: HandoverNews.Kind, _ handover: HandoverRecord) {
        news.handovers.append(HandoverNews(kind: kind, reason: handover.reason, after: now - handover.createdAt))
    }

    package func handover(_ id: HandoverID) throws -> HandoverRecord? {
        try row(connection.locksRows ? Statements.oneLocked : Statements.one, SQLValue(id)).map(Self.handover)
    }

    package func openHandover(instance: InstanceID, user: UserID) throws -> HandoverRecord? {
        try row(connection.locksRows ? Statements.openLocked : Statements.open, SQLValue(instance), SQLValue(user)).map(Self.handover)
    }

    /// Whether people have the conversation, so that the bot is silent.
    package func isMuted(instance: InstanceID, user: UserID) throws -> Bool {
        try row(Statements.isMuted, SQLValue(instance), SQLValue(user)) != nil
    }

    package func handover(desk: String, ticket: String) throws -> HandoverRecord? {
        try row(connection.locksRows ? Statements.ticketLocked : Statements.ticket, .text(desk), .text(ticket)).map(Self.handover)
    }

    /// Newest first, those before `after`.
    package func handovers(state: HandoverRecord.State?, after: HandoverID?, limit: Int) throws -> [HandoverRecord] {
        let last = after.map { SQLValue($0) } ?? .bytes([UInt8](repeating: 0xFF, count: 16))
        guard let state else { return try rows(Statements.list, last, SQLValue(limit)).map(Self.handover) }
        return try rows(Statements.listState, last, SQLValue(limit), .text(state.rawValue)).map(Self.handover)
    }

    /// Those whose desk should be asked for changes now, the longest due first.
    package func handoversToPoll(desk: String, limit: Int) throws -> [HandoverRecord] {
        try rows(Statements.due, .text(desk), SQLValue(now), SQLValue(limit)).map(Self.handover)
    }

    /// Whether a ticket may be there whose number we do not know yet.
    package func awaitsTicket(desk: String) throws -> Bool { try row(Statements.unopened, .text(desk)) != nil }

    /// Open ones that no person has answered yet.
    package func waitingHandovers() throws -> Int { try row(Statements.waiting)?.int(0) ?? 0 }

    private static func handover(_ row: Row) throws -> HandoverRecord {
        guard let reason = HandoverRequest.Trigger(rawValue: try row.text(4)), let priority = HandoverPriority(rawValue: try row.text(5)),
            let channel = HandoverChannel(rawValue: try row.text(6)), let state = HandoverRecord.State(rawValue: try row.text(7)),
            let deskState = HandoverRecord.DeskState(rawValue: try row.text(12))
        else { throw StorageError.unreadable("a handover") }
        var handover = HandoverRecord(
            id: try row.entity(0), instance: InstanceID(rawValue: try row.text(1)), user: try row.entity(2), session: try row.entity(3),
            reason: reason, priority: priority, channel: channel, mutes: try row.flag(8), payload: try JSONValue(stored: row.text(9)),
            desk: try row.optional(11) { $0.text }, createdAt: try row.time(18))
        let url = try row.optional(14) { $0.text }
        handover.state = state
        handover.results = try JSONValue(stored: row.text(10)).array ?? []
        handover.deskState = deskState
        handover.ticket = try row.optional(13) { $0.text }.map { DeskTicket(id: $0, url: url) }
        handover.cursor = try row.optional(15) { $0.text }
        handover.pollAt = try row.optional(16) { $0.time }
        handover.pollFailures = try row.int(17)
        handover.escalatedAt = try row.optional(19) { $0.time }
        handover.answeredAt = try row.optional(20) { $0.time }
        handover.answeredBy = try row.optional(21) { $0.text }
        handover.closedAt = try row.optional(22) { $0.time }
        handover.closedReason = try row.optional(23) { $0.text }
        handover.loopedAt = try row.optional(24) { $0.time }
        handover.unreachableAt = try row.optional(25) { $0.time }
        handover.unreachableTold = try row.flag(26)
        handover.triedAt = try row.optional(27) { $0.time }
        handover.misses = try row.int(28)
        return handover
    }
}
