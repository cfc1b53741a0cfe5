internal import Brain
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
    /// People have the conversation: the bot is silent.
    var isMuted: Bool
    /// What the turn gives back to the bot, if that is what it is for.
    var handedBack: HandoverRecord?

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
        if withHistory, message != nil { state.summarize(try transaction.sessionSummary(of: id)) }
        // An earlier session, or the platform, may know more than this one's state does.
        if case .message(let said) = event, let text = said.content.text, StopWords.isOptIn(text), !state.optedOutOfMarketing {
            state.optedOutOfMarketing = try transaction.isOptedOut(user.id, topic: OptOutTopic.marketing)
        }
        let handedBack = task.kind == TurnTask.handedBack ? try handover(task, transaction) : nil
        let open = try transaction.openActions(of: user.id).map { try transaction.openAction($0) }
        return TurnSnapshot(
            session: session, state: state, version: version, user: user, event: event, message: message, openActions: open,
            completedActions: try transaction.completedActions(of: user.id),
            fingerprints: try transaction.fingerprints(
                of: user.id, since: Timestamp(milliseconds: transaction.now.milliseconds - duplicateWindow.milliseconds)),
            history: try message == nil || !withHistory ? [] : history(id, transaction),
            isMuted: try transaction.isMuted(instance: session.instance, user: user.id), handedBack: handedBack)
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
            return try report(task.payload, transaction).map { (.toolResult($0), nil) }
        case TurnTask.inlineWait:
            guard let action = try action(task.payload, transaction), action.state == .queued else { return nil }
            return (.inlineWait(action.id), nil)
        case TurnTask.handedBack:
            guard let handover = try handover(task, transaction) else { return nil }
            let reports = try handover.results.compactMap { try report($0, transaction) }
            let summary = try HandBackSummary.text(handover, transaction)
            return (
                .handedBack(HandBack(summary: summary, reports: reports, words: task.payload["words"]?.string ?? "handover.closed")), nil
            )
        case let kind: throw StageError(stage: .brain, retryable: false, cause: "a turn task of unknown kind \(kind)")
        }
    }

    private static func report(_ payload: JSONValue, _ transaction: BrandTransaction) throws -> ActionReport? {
        try action(payload, transaction).flatMap { action in
            ActionReport(
                payload: payload, action: action.id, taskID: action.taskID, intentID: action.intentID, name: action.canonicalAction,
                params: action.params)
        }
    }

    private static func handover(_ task: QueueTask, _ transaction: BrandTransaction) throws -> HandoverRecord? {
        try task.payload["handover"]?.string.flatMap { HandoverID($0) }.flatMap { try transaction.handover($0) }
    }

    private static func action(_ payload: JSONValue, _ transaction: BrandTransaction) throws -> ActionRecord? {
        try payload["action"]?.string.flatMap { ActionID($0) }.flatMap { try transaction.action($0) }
    }

    private static func history(_ session: SessionID, _ transaction: BrandTransaction) throws -> [HistoryLine] {
        try transaction.latestMessages(session: session, limit: 10).compactMap(\.line)
    }
}

extension MessageRecord {
    /// The words as whoever reads the conversation later on is given them; nil for what has none, and for what a policy dropped: that is not
    /// read then either.
    var line: HistoryLine? {
        if outcome?.hasPrefix("dropped:") ?? false { return nil }
        let text = isInbound ? Content(json: content)?.text : OutboundContent(json: content)?.plainText
        return text.map { HistoryLine(speaker: isInbound ? .customer : .brand, text: $0) }
    }
}
