internal import Brain
internal import Conversation
internal import Storage

/// Stores how an attempt ended: the action's state, the attempt, the news for the lane, updates and events, in one transaction.
struct ActionCommit: Sendable {
    let action: ActionRecord
    /// Nil when the action is no longer configured.
    let definition: ActionDefinition?
    let context: TaskContext
    /// Nil where nobody can look at the conversation.
    let screen: UpdateTranslator?

    func done(body: JSONValue, startedAt: Timestamp) async throws {
        let (action, definition, screen) = (action, definition, screen)
        let mapped = definition.map { ResultMapping.map(action: $0, body: body) } ?? ([:], false)
        let list = definition?.resultList == nil ? JSONValue.null : body
        try await finish { transaction in
            try transaction.recordAttempt(of: action.id.value, startedAt: startedAt, outcome: "done", detail: "")
            try transaction.setAction(action.id, .done, mayHaveTakenEffect: true, result: .object(mapped.0))
            try transaction.settleDeadLetters(of: action.id.value, as: "settled")
            if definition?.isWrite ?? true { try transaction.expireSchemas(of: action.user.description) }
            try Self.tell(.done(complete: mapped.1), mapped.0, list, action, transaction)
            try transaction.show(
                Self.ending(.actionCompleted, ["result": .object(mapped.0)], action, startedAt, transaction), session: action.session,
                instance: action.instance, user: action.user, on: screen)
            try transaction.record(.actionCompleted, instance: action.instance, data: Self.data(action, .object(mapped.0)))
        }
        CrashPoint.resultStoredReplyNotQueued.pass()
    }

    /// The last update of a call; a call that ended before its beginning was shown brings that along.
    private static func ending(
        _ kind: StreamingUpdate.Kind, _ fields: [String: JSONValue], _ action: ActionRecord, _ startedAt: Timestamp,
        _ transaction: BrandTransaction
    ) -> [StreamingUpdate] {
        let queue: [String: JSONValue] = ["queue_id": .string(action.id.description)]
        let began = StreamingUpdate(.actionExecuting, at: startedAt, queue.merging(["progress": 0]) { $1 })
        let ended = StreamingUpdate(kind, at: transaction.now, queue.merging(fields) { $1 })
        return transaction.now - startedAt < ActionHandler.firstAfter ? [began, ended] : [ended]
    }

    /// Ends without success. What a person should see becomes a dead letter that can be driven again with the same bytes.
    func end(_ state: ActionReport.State, detail: String, startedAt: Timestamp? = nil) async throws {
        let (action, task, lane, screen) = (action, context.task, context.lease.lane, screen)
        try await finish { transaction in
            try transaction.recordAttempt(
                of: action.id.value, startedAt: startedAt ?? transaction.now, outcome: Self.name(state), detail: detail)
            try Self.store(
                state, of: action, screen: screen, in: transaction, redrive: RedrivableTask(task, lane: lane, pool: .action),
                detail: detail)
        }
        CrashPoint.resultStoredReplyNotQueued.pass()
    }

    func retry(after wait: Duration, reason: String, unknown: Bool, startedAt: Timestamp) async throws {
        let (action, attempt) = (action, context.task.attempts)
        try await finish(.again(at: context.store.clock.now + wait, holdingLane: true)) { transaction in
            try transaction.recordAttempt(
                of: action.id.value, startedAt: startedAt, outcome: unknown ? "unknown" : "not_sent", detail: reason)
            try transaction.setAction(action.id, .queued, mayHaveTakenEffect: action.mayHaveTakenEffect || unknown)
            // The first attempt may fail without a word: the next one comes soon.
            if attempt == 2 { try Self.tell(.retrying(attempt: attempt, reason: reason), [:], .null, action, transaction) }
        }
    }

    /// The call waits for the brand to come back, until `latest`. `failedAt` is when an attempt began that failed; nil when none was made.
    func park(latest: Timestamp, reason: String, failedAt: Timestamp?, unknown: Bool) async throws {
        let (action, task) = (action, context.task)
        try await finish(.awaitingReturn(latest: latest, mayHaveActed: false)) { transaction in
            if let failedAt {
                try transaction.recordAttempt(
                    of: action.id.value, startedAt: failedAt, outcome: unknown ? "unknown" : "not_sent", detail: reason)
            }
            try transaction.setAction(action.id, .queued, mayHaveTakenEffect: action.mayHaveTakenEffect || unknown)
            guard task.parkedSince == nil else { return }
            try Self.tell(.retrying(attempt: task.attempts, reason: reason), [:], .null, action, transaction)
        }
    }

    /// Stores `effects` unless the end is no longer wanted. The conversation is kept still first: its turn may be taking this call back.
    private func finish(
        _ disposition: TaskContext.Disposition = .done, _ effects: @escaping @Sendable (BrandTransaction) throws -> Void
    ) async throws {
        let action = action
        try await context.finish(disposition) { transaction in
            try transaction.lock(Self.conversation(of: action, transaction))
            guard try transaction.isQueued(action.id) else { return }
            try effects(transaction)
        }
    }

    static func conversation(of action: ActionRecord, _ transaction: BrandTransaction) -> Lane {
        Lane(brand: transaction.brand, instance: action.instance, user: action.user)
    }

    static func store(
        _ state: ActionReport.State, of action: ActionRecord, screen: UpdateTranslator?, in transaction: BrandTransaction,
        redrive: RedrivableTask,
        detail: String
    ) throws {
        let stored: ActionRecord.State
        var isDeadLetter = false
        switch state {
        case .done: stored = .done
        case .refused: stored = .refused
        case .cancelled: stored = .cancelled
        case .notDone, .retrying: (stored, isDeadLetter) = (.failed, true)
        case .unknown: (stored, isDeadLetter) = (.unknown, true)
        }
        try transaction.setAction(action.id, stored, mayHaveTakenEffect: stored == .unknown)
        try transaction.setIntent(action.intentID, session: action.session, status: stored == .cancelled ? .cancelled : .failed)
        try tell(state, [:], .null, action, transaction)
        let error: JSONValue = ["outcome": .string(name(state)), "detail": .string(detail)]
        try transaction.show(
            [StreamingUpdate(.actionFailed, at: transaction.now, ["error": error, "queue_id": .string(action.id.description)])],
            session: action.session, instance: action.instance, user: action.user, on: screen)
        try transaction.record(.actionFailed, instance: action.instance, data: data(action, error))
        guard isDeadLetter else { return }
        try transaction.insertDeadLetter(
            kind: "action", reason: name(state), detail: ["action": .string(action.canonicalAction), "error": .string(detail)],
            about: .init(id: action.id.value, session: action.session, instance: action.instance, user: action.user), task: redrive.json)
    }

    /// Puts the news on the conversation's lane.
    private static func tell(
        _ state: ActionReport.State, _ result: [String: JSONValue], _ body: JSONValue, _ action: ActionRecord,
        _ transaction: BrandTransaction
    ) throws {
        let report = ActionReport(
            id: action.id, taskID: action.taskID, intentID: action.intentID, canonicalAction: action.canonicalAction, params: [:],
            state: state,
            result: result, body: body)
        guard case .object(var payload) = report.payload else { return }
        payload["session"] = .string(action.session.description)
        try transaction.enqueue(
            NewTask(
                id: QueueTaskID(transaction.newID()), lane: conversation(of: action, transaction).key, pool: .turn,
                kind: TurnTask.toolResult, payload: .object(payload),
                runAt: transaction.now))
    }

    private static func name(_ state: ActionReport.State) -> String {
        switch state {
        case .done: "done"
        case .refused: "refused"
        case .notDone: "not_done"
        case .unknown: "unknown"
        case .retrying: "retrying"
        case .cancelled: "cancelled"
        }
    }

    private static func data(_ action: ActionRecord, _ result: JSONValue) -> JSONValue {
        [
            "queue_id": .string(action.id.description), "action": .string(action.canonicalAction),
            "user_id": .string(action.user.description),
            "session_id": .string(action.session.description), "result": result,
        ]
    }
}
