package import Conversation

/// Messages that wait for their turn without a task of their own.
///
/// In a store that one process has to itself, a message that comes in stands in the *inbox* of its lane: the lane notes the first message
/// that waits and its session, what came later in that session waits behind it, and whoever takes the lane makes the first one a task.
/// So what a busy customer says costs the row of the message and nothing else. Where several nodes share a store every message is a task
/// at once, for nodes of the version before know of no inbox.
extension BrandTransaction {
    private enum Statements {
        /// 0: nothing waits in the inbox. 1: this message stands behind what waits there. 2: it does not.
        static let place = SQL(
            """
            SELECT CASE WHEN inbox IS NULL THEN 0 WHEN inbox_session = $3 AND inbox < $4 THEN 1 ELSE 2 END
            FROM lanes WHERE brand_id = $1 AND lane = $2
            """)
        static let put = SQL(
            """
            INSERT INTO lanes (brand_id, lane, pool, priority, ready_at, epoch, inbox, inbox_session)
            VALUES ($1, $2, $3, \(Priority.normal.rank), $6, $6, $5, $4)
            ON CONFLICT (brand_id, lane) DO UPDATE SET inbox = excluded.inbox, inbox_session = excluded.inbox_session,
                \(Migrations.laneWithMore)
            """)
        static let first = SQL("SELECT inbox, inbox_session FROM lanes WHERE brand_id = $1 AND lane = $2 AND inbox IS NOT NULL")
        static let waiting = SQL(
            """
            SELECT message_id, recorded_at FROM messages
            WHERE brand_id = $1 AND session_id = $2 AND message_id >= $3 AND direction = 'in' ORDER BY message_id LIMIT $4
            """)
        static let stands = SQL(
            """
            SELECT 1 FROM messages WHERE brand_id = $1 AND session_id = $2 AND message_id = $3 AND direction = 'in'
            """)
        static let make = SQL(
            """
            INSERT INTO tasks (brand_id, lane, task_id, kind, payload, priority, run_at, state, created_at, node)
            VALUES ($1, $2, $3, '\(NewTask.message)', $4, \(Priority.normal.rank), $5, 'pending', $5, $6)
            ON CONFLICT (brand_id, lane, task_id) DO NOTHING
            """)
        static let move = SQL("UPDATE lanes SET inbox = $3, inbox_session = $4 WHERE brand_id = $1 AND lane = $2")
    }

    /// Lets a message that this transaction stored have its turn, in the order of its lane.
    package func enqueue(_ message: MessageID, session: SessionID, lane: Lane) throws {
        guard !isShared else { return try enqueue(.turn(of: message, session: session, lane: lane.key, at: now)) }
        switch try row(Statements.place, .text(lane.key), SQLValue(session), SQLValue(message))?.int(0) ?? 0 {
        case 0:
            try run(
                Statements.put, .text(lane.key), .text(LanePool.turn.rawValue), SQLValue(session), SQLValue(message), SQLValue(now))
            news.woken.insert(.turn)
        case 1: news.woken.insert(.turn)
        // The next session has begun while the last one's messages wait: its first is no reason to lose sight of those.
        default: try enqueue(.turn(of: message, session: session, lane: lane.key, at: now))
        }
    }

    /// Makes the first message of the inbox a task: then the lane's next is among its tasks.
    func openInbox(of lane: String) throws {
        guard !isShared, let inbox = try row(Statements.first, .text(lane)) else { return }
        let session: SessionID = try inbox.entity(1)
        let waiting = try rows(Statements.waiting, SQLValue(session), inbox.values[0], SQLValue(2))
        if let first = waiting.first {
            let task = NewTask.turn(of: try first.entity(0), session: session, lane: lane, at: try first.time(1))
            try run(Statements.make, .text(lane), SQLValue(task.id), .text(task.payloadText), SQLValue(task.runAt), .text(node))
        }
        let next = waiting.dropFirst().first?.values[0]
        try run(Statements.move, .text(lane), next ?? .null, next == nil ? .null : inbox.values[1])
    }

    /// Makes tasks of the inbox's messages up to this one; of none when it does not wait there.
    func openInbox(of lane: String, through message: MessageID) throws {
        guard !isShared, let inbox = try row(Statements.first, .text(lane)), try inbox.entity(0) <= message,
            try row(Statements.stands, inbox.values[1], SQLValue(message)) != nil
        else { return }
        while let inbox = try row(Statements.first, .text(lane)), try inbox.entity(0) <= message { try openInbox(of: lane) }
    }

    /// What waits in the inbox of a lane, as the tasks that it will be.
    func inboxTasks(of lane: String, limit: Int) throws -> [TaskView] {
        guard !isShared, let inbox = try row(Statements.first, .text(lane)) else { return [] }
        let session: SessionID = try inbox.entity(1)
        return try rows(Statements.waiting, SQLValue(session), inbox.values[0], SQLValue(limit)).map { row in
            let message: MessageID = try row.entity(0)
            return TaskView(
                id: QueueTaskID(message.value), kind: NewTask.message, payload: NewTask.payload(of: message, session: session),
                priority: .normal, runAt: try row.time(1), state: .pending, attempts: 0, createdAt: try row.time(1), node: node,
                isCancelRequested: false)
        }
    }
}

extension NewTask {
    /// The kind of a task that gives a message its turn.
    package static let message = "message"

    static func turn(of message: MessageID, session: SessionID, lane: String, at time: Timestamp) -> NewTask {
        NewTask(
            id: QueueTaskID(message.value), lane: lane, pool: .turn, kind: Self.message,
            payloadText: "{\"message\":\"\(message)\",\"session\":\"\(session)\"}", runAt: time)
    }

    static func payload(of message: MessageID, session: SessionID) -> JSONValue {
        ["message": .string(message.description), "session": .string(session.description)]
    }
}
