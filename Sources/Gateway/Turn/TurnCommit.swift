internal import Brain
internal import Conversation
internal import Storage

/// What a turn stores, all in one transaction: state, replies, decisions, timers, ledger, updates, and what became of the message.
struct TurnCommit: Sendable {
    let snapshot: TurnSnapshot
    let result: TurnResult
    /// Of the conversation, for people; empty for a turn that hands nothing over.
    let material: HandoverMaterial
    let brand: BrandRuntime
    let channel: any Channel
    let lane: Lane
    let turn: UniqueID

    /// Nil where nobody can look at the conversation.
    private var screen: UpdateTranslator? {
        channel.capabilities.keepsFeed ? UpdateTranslator(templates: configuration.templates) : nil
    }

    private var configuration: BrandConfiguration { brand.configuration }
    private var session: SessionID { snapshot.session.id }

    func store(_ encodedState: String, in transaction: BrandTransaction) throws {
        // People took the conversation since this turn looked: it is for them to answer.
        guard try !transaction.isMuted(instance: lane.instance, user: lane.user) else {
            throw StageError(stage: .brain, retryable: true, cause: "the conversation was taken over meanwhile")
        }
        if var handedBack = snapshot.handedBack, let current = try transaction.handover(handedBack.id) {
            handedBack = current
            handedBack.results = []
            try transaction.updateHandover(handedBack)
        }
        guard try transaction.storeState(encodedState, of: session, version: snapshot.version) else {
            throw StageError(stage: .session, retryable: true, cause: "the conversation's state was written by someone else")
        }
        for effect in result.effects { try apply(effect, transaction) }
        try tellOfHandover(transaction)
        try transaction.show(
            updates, session: session, instance: lane.instance, user: lane.user, on: screen)
        if let message = snapshot.message {
            try transaction.setOutcome(outcome, of: message.id, session: session, turn: turn)
        }
        // The opt-out is the customer's at all numbers of the brand, the state one conversation's: a repeated STOP counts too.
        if result.state.optedOutOfMarketing, !snapshot.state.optedOutOfMarketing || StopWords.isOptOut(proof) {
            try transaction.optOut(lane.user, topic: OptOutTopic.marketing, proof: proof)
        } else if !result.state.optedOutOfMarketing, snapshot.state.optedOutOfMarketing {
            try transaction.optIn(lane.user, topic: OptOutTopic.marketing, proof: proof)
        }
        if saysSomething { try ColdTask.follow(turn: session, of: configuration, in: transaction) }
    }

    /// The words that were said.
    private var proof: String { snapshot.message.flatMap { Content(json: $0.content)?.text } ?? "" }

    /// Whether the conversation is longer after this turn than before.
    private var saysSomething: Bool {
        snapshot.message != nil || result.effects.contains { if case .reply = $0 { true } else { false } }
    }

    /// The state as it is stored. The summary is read anew with every turn, and stands elsewhere.
    static func encode(_ state: ConversationState) throws -> String {
        var kept = state
        kept.sessionSummary = nil
        return try StoredJSON.encode(kept)
    }

    private var updates: [StreamingUpdate] {
        result.effects.compactMap { if case .update(let update) = $0 { update } else { nil } }
    }

    private var outcome: String {
        var isAnswered = false
        for effect in result.effects {
            switch effect {
            case .reply: isAnswered = true
            case .handover, .queue: if !isAnswered { isAnswered = true }
            case .timer, .cancelAction, .update, .ledger: break
            }
        }
        return isAnswered ? "answered" : "no_reply:\(snapshot.message.flatMap { Content(json: $0.content)?.kind } ?? "none")"
    }

    private func apply(_ effect: Effect, _ transaction: BrandTransaction) throws {
        switch effect {
        case .reply(let reply):
            try Outbox.enqueue(
                reply, session: session, lane: lane, channel: channel, turn: turn, in: transaction)
        case .queue(let decision): try queue(decision, transaction)
        case .timer(let timer): try start(timer, transaction)
        case .cancelAction(let id):
            let definition = try transaction.action(id).flatMap { configuration.action(named: $0.canonicalAction) }
            // Someone began it since this turn looked: decide again on what is true now.
            guard try transaction.cancelAction(id, isRead: definition.map { !$0.isWrite } ?? false) else {
                throw StageError(stage: .brain, retryable: true, cause: "action \(id) began while it was being taken back")
            }
        case .update: break
        case .ledger(let entry): try store(entry, transaction)
        case .handover(let request): try handOver(request, transaction)
        }
    }

    private func queue(_ decision: ActionDecision, _ transaction: BrandTransaction) throws {
        guard try transaction.insertAction(decision, session: session, instance: lane.instance, user: lane.user) else { return }
        try transaction.enqueue(
            NewTask(
                id: QueueTaskID(decision.id.value), lane: ActionRecord.lane(of: decision.id), pool: .action, kind: "action",
                payload: ["action": .string(decision.id.description)], priority: decision.priority, runAt: transaction.now))
        try transaction.record(
            .actionQueued, instance: lane.instance,
            data: [
                "queue_id": .string(decision.id.description), "action": .string(decision.canonicalAction),
                "user_id": .string(lane.user.description),
                "session_id": .string(session.description),
            ])
    }

    private func start(_ timer: Timer, _ transaction: BrandTransaction) throws {
        try transaction.enqueue(
            NewTask(
                id: QueueTaskID(transaction.newID()), lane: lane.key, pool: .turn, kind: TurnTask.inlineWait,
                payload: ["action": .string(timer.action.description), "session": .string(session.description)],
                runAt: transaction.now + timer.after))
    }

    private func store(_ entry: IntentLedgerEntry, _ transaction: BrandTransaction) throws {
        try transaction.store(entry, session: session)
        guard entry.status == .new || entry.status == .actionNotFound else { return }
        try transaction.record(
            .intentDetected, instance: lane.instance,
            data: [
                "intent_id": .string(entry.id.description), "type": .string(entry.intentType.rawValue),
                "canonical_intent": .string(entry.canonicalIntent), "confidence": .number(entry.confidence),
                "session_id": .string(session.description),
            ])
    }

    private func handOver(_ request: HandoverRequest, _ transaction: BrandTransaction) throws {
        try HandoverOpening(brand: brand, channel: channel, session: snapshot.session, user: snapshot.user, state: result.state).store(
            request, material, in: transaction)
    }

    /// Whoever decided it, nobody is handed over without a word.
    private func tellOfHandover(_ transaction: BrandTransaction) throws {
        var isHandedOver = false
        for effect in result.effects {
            switch effect {
            case .reply: return
            case .handover: isHandedOver = true
            case .queue, .timer, .cancelAction, .update, .ledger: break
            }
        }
        guard isHandedOver, let handover = try transaction.openHandover(instance: lane.instance, user: lane.user), handover.mutes else {
            return
        }
        try HandoverConversation(brand: brand, channel: channel, transaction: transaction).tell("handover", handover)
    }
}
