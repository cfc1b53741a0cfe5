package import Conversation

/// A decided call as it stands in the store. Key and body are the bytes that every attempt sends.
package struct ActionRecord: Sendable {
    /// `queued` until it is settled; whether a worker has it right now is in the queue.
    package enum State: String, Sendable { case queued, done, refused, unknown, failed, cancelled }

    /// Every action is a lane of its own.
    package static func lane(of id: ActionID) -> String { "action:\(id)" }

    package var id: ActionID
    package var taskID: UniqueID
    package var intentID: IntentID
    package var session: SessionID
    package var instance: InstanceID
    package var user: UserID
    package var canonicalAction: String
    package var params: [String: Entity]
    package var method: String
    package var target: String
    package var body: [UInt8]?
    package var idempotencyKey: [UInt8]
    package var state: State
    package var mayHaveTakenEffect: Bool
    package var result: JSONValue?
    package var createdAt: Timestamp
    package var updatedAt: Timestamp
}

extension BrandTransaction {
    private static let columns = """
        action_id, task_id, intent_id, session_id, instance_id, user_id, canonical_action, params, method, target, body, idempotency_key, \
        state, may_have_taken_effect, result, created_at, updated_at
        """

    private enum Statements {
        static let insert = SQL(
            """
            INSERT INTO actions (brand_id, action_id, task_id, intent_id, session_id, instance_id, user_id, canonical_action, params, method,
                target, body, idempotency_key, fingerprint, state, created_at, updated_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, 'queued', $15, $15)
            ON CONFLICT (brand_id, idempotency_key) DO NOTHING
            """)
        static let one = SQL("SELECT \(columns) FROM actions WHERE brand_id = $1 AND action_id = $2")
        static let open = SQL(
            """
            SELECT \(columns) FROM actions
            WHERE brand_id = $1 AND user_id = $2 AND state IN ('queued', 'unknown') ORDER BY action_id
            """)
        static let isOpen = SQL(
            "SELECT 1 FROM actions WHERE brand_id = $1 AND user_id = $2 AND state = 'queued' LIMIT 1")
        static let isQueued = SQL("SELECT 1 FROM actions WHERE brand_id = $1 AND action_id = $2 AND state = 'queued'{for_update}")
        static let done = SQL(
            "SELECT DISTINCT canonical_action FROM actions WHERE brand_id = $1 AND user_id = $2 AND state = 'done'")
        static let fingerprints = SQL(
            """
            SELECT fingerprint, max(updated_at) FROM actions
            WHERE brand_id = $1 AND user_id = $2 AND state = 'done' AND updated_at > $3 GROUP BY fingerprint
            """)
        static let set = SQL(
            """
            UPDATE actions SET state = $3, may_have_taken_effect = $4, result = $5, updated_at = $6 WHERE brand_id = $1 AND action_id = $2
            """)
        /// One whose end is being stored right now has ended.
        static let cancel = SQL(
            """
            UPDATE actions SET state = 'cancelled', updated_at = $3
            WHERE brand_id = $1 AND action_id IN (SELECT a.action_id FROM actions a
                WHERE a.brand_id = $1 AND a.action_id = $2 AND a.may_have_taken_effect = 0 AND a.state = 'queued'{skip_locked})
            """)
        static let taskState = SQL("SELECT state, attempts FROM tasks WHERE brand_id = $1 AND lane = $2")
    }

    /// False when the same decision (same idempotency key) already stands.
    package func insertAction(_ decision: ActionDecision, session: SessionID, instance: InstanceID, user: UserID) throws -> Bool {
        try run(
            Statements.insert, SQLValue(decision.id), SQLValue(decision.taskID), SQLValue(decision.intentID), SQLValue(session),
            SQLValue(instance), SQLValue(user), .text(decision.canonicalAction), .text(try StoredJSON.encode(decision.params)),
            .text(decision.method), .text(decision.target), SQLValue(decision.body), .bytes(decision.idempotencyKey),
            .bytes(decision.fingerprint), SQLValue(now)) == 1
    }

    package func action(_ id: ActionID) throws -> ActionRecord? { try row(Statements.one, SQLValue(id)).map(Self.action) }

    /// Those whose end is not known, oldest first.
    package func openActions(of user: UserID) throws -> [ActionRecord] { try rows(Statements.open, SQLValue(user)).map(Self.action) }

    /// Whether one is queued or running, so that the session must not end.
    package func hasRunningAction(_ user: UserID) throws -> Bool { try row(Statements.isOpen, SQLValue(user)) != nil }

    package func completedActions(of user: UserID) throws -> Set<String> {
        Set(try rows(Statements.done, SQLValue(user)).map { try $0.text(0) })
    }

    package func fingerprints(of user: UserID, since: Timestamp) throws -> [[UInt8]: Timestamp] {
        try rows(Statements.fingerprints, SQLValue(user), SQLValue(since)).reduce(into: [:]) { $0[try $1.bytes(0)] = try $1.time(1) }
    }

    package func setAction(_ id: ActionID, _ state: ActionRecord.State, mayHaveTakenEffect: Bool, result: JSONValue? = nil) throws {
        try run(
            Statements.set, SQLValue(id), .text(state.rawValue), SQLValue(mayHaveTakenEffect), result.map { SQLValue(json: $0) } ?? .null,
            SQLValue(now))
    }

    /// Takes back a call of which nothing was sent: its task is not in a worker's hands and no attempt may have taken effect.
    /// A read that a worker has is taken back too: it changes nothing, and its answer is no longer wanted. False when it is too late.
    package func cancelAction(_ id: ActionID, isRead: Bool) throws -> Bool {
        guard try action(id).map({ $0.state == .queued && !$0.mayHaveTakenEffect }) == true,
            try takeBackAll(lane: ActionRecord.lane(of: id)) > 0 || isRead
        else { return false }
        return try run(Statements.cancel, SQLValue(id), SQLValue(now)) == 1
    }

    /// Whether the end of a call is still wanted: it was neither taken back nor settled.
    package func isQueued(_ id: ActionID) throws -> Bool { try row(Statements.isQueued, SQLValue(id)) != nil }

    /// How an action that is not settled stands: the queue knows whether a worker has it.
    package func openAction(_ action: ActionRecord) throws -> OpenAction {
        var state = OpenAction.State.unknown
        if action.state == .queued, let task = try row(Statements.taskState, .text(ActionRecord.lane(of: action.id))) {
            let isRunning = try task.text(0) == "processing"
            state = isRunning ? .executing : try task.int(1) == 0 ? .queued : .waiting
        }
        return OpenAction(
            id: action.id, taskID: action.taskID, canonicalAction: action.canonicalAction, state: state,
            mayHaveTakenEffect: action.mayHaveTakenEffect)
    }

    private static func action(_ row: Row) throws -> ActionRecord {
        guard let state = ActionRecord.State(rawValue: try row.text(12)) else { throw StorageError.unreadable("state of an action") }
        do {
            return ActionRecord(
                id: try row.entity(0), taskID: try row.id(1), intentID: try row.entity(2), session: try row.entity(3),
                instance: InstanceID(rawValue: try row.text(4)), user: try row.entity(5), canonicalAction: try row.text(6),
                params: try StoredJSON.decode([String: Entity].self, try row.text(7)), method: try row.text(8), target: try row.text(9),
                body: try row.optional(10) { $0.bytes }, idempotencyKey: try row.bytes(11), state: state,
                mayHaveTakenEffect: try row.flag(13), result: try row.optional(14) { $0.text }.map { try JSONValue(stored: $0) },
                createdAt: try row.time(15), updatedAt: try row.time(16))
        } catch let error as DecodingError {
            throw StorageError.unreadable("parameters of an action: \(error)")
        }
    }
}
