internal import Conversation
internal import Storage

/// Everything a turn knows at its beginning, read from one state of the store.
struct TurnSnapshot: Sendable {
    var session: SessionRecord
    var state: ConversationState
    var version: Int64
    var user: User
    var event: LaneEvent
    var message: MessageRecord?
    var openActions: [OpenAction]
    var completedActions: Set<String>
    var fingerprints: [[UInt8]: Timestamp]
    var history: [HistoryLine]

    /// How long a repeated request is asked about ("You already booked this. Another?").
    static let duplicateWindow = Duration.seconds(600)

    /// Nil when there is nothing to do: the message had its turn, or what the task speaks of is gone. The history and
    /// the session's summary are read only `withHistory`: they are the largest part by far.
    static func load(_ task: QueueTask, withHistory: Bool, in transaction: BrandTransaction) throws -> TurnSnapshot? {
        guard let id = task.payload["session"]?.string.flatMap({ SessionID($0) }), let session = try transaction.session(id) else {
            return nil
        }
        guard let user = try transaction.user(session.user) else { return nil }
        guard let (event, message) = try event(task, session: id, transaction) else { return nil }
        var (state, version) = try transaction.state(of: id)
        // Only who reads the history, a model, is told the summary.
        if withHistory, message != nil { state.sessionSummary = try transaction.sessionSummary(of: id) }
        let open = try transaction.openActions(of: user.id).map { try transaction.openAction($0) }
        return TurnSnapshot(
            session: session, state: state, version: version, user: user, event: event, message: message, openActions: open,
            completedActions: try transaction.completedActions(of: user.id),
            fingerprints: try transaction.fingerprints(
                of: user.id, since: Timestamp(milliseconds: transaction.now.milliseconds - duplicateWindow.milliseconds)),
            history: try message == nil || !withHistory ? [] : history(id, transaction))
    }

    private static func event(_ task: QueueTask, session: SessionID, _ transaction: BrandTransaction) throws -> (LaneEvent, MessageRecord?)?
    {
        switch task.kind {
        case TurnTask.message:
            guard let id = task.payload["message"]?.string.flatMap({ MessageID($0) }),
                let record = try transaction.message(id, session: session), record.outcome == nil
            else { return nil }
            guard let content = Content(json: record.content) else {
                throw StageError(stage: .storage, retryable: false, cause: "the content of message \(id) cannot be read back")
            }
            let stored = StoredMessage(
                id: id, content: content, providerID: record.providerID ?? "", sentAt: record.sentAt, receivedAt: record.recordedAt,
                context: record.context ?? .object([:]))
            return (.message(stored), record)
        case TurnTask.toolResult:
            guard let action = try self.action(task, transaction),
                let report = ActionReport(
                    payload: task.payload, action: action.id, taskID: action.taskID, intentID: action.intentID,
                    name: action.canonicalAction,
                    params: action.params)
            else { return nil }
            return (.toolResult(report), nil)
        case TurnTask.inlineWait:
            guard let action = try self.action(task, transaction), action.state == .queued else { return nil }
            return (.inlineWait(action.id), nil)
        case let kind: throw StageError(stage: .brain, retryable: false, cause: "a turn task of unknown kind \(kind)")
        }
    }

    private static func action(_ task: QueueTask, _ transaction: BrandTransaction) throws -> ActionRecord? {
        try task.payload["action"]?.string.flatMap { ActionID($0) }.flatMap { try transaction.action($0) }
    }

    private static func history(_ session: SessionID, _ transaction: BrandTransaction) throws -> [HistoryLine] {
        try transaction.latestMessages(session: session, limit: 10).compactMap { record in
            // What a policy dropped is not read later on either.
            if record.outcome?.hasPrefix("dropped:") ?? false { return nil }
            let text = record.isInbound ? Content(json: record.content)?.text : OutboundContent(json: record.content)?.plainText
            return text.map { HistoryLine(speaker: record.isInbound ? .customer : .brand, text: $0) }
        }
    }
}
