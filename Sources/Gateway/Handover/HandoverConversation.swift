internal import Brain
internal import Conversation
internal import Storage

/// A customer's conversation that people have or had: what is said in it, and who speaks. Everything happens in the caller's transaction;
/// the caller stores the handover afterwards.
struct HandoverConversation {
    let brand: BrandRuntime
    let channel: any Channel
    let transaction: BrandTransaction

    private func lane(_ handover: HandoverRecord) -> Lane {
        Lane(brand: brand.id, instance: handover.instance, user: handover.user)
    }

    /// The session that goes on, else the one in which the handover was opened.
    private func session(_ handover: HandoverRecord) throws -> SessionID {
        try transaction.activeSession(instance: handover.instance, user: handover.user)?.id ?? handover.session
    }

    /// Tells the customer something in the bot's name. `key` is a template's.
    func tell(_ key: String, _ handover: HandoverRecord) throws {
        guard let user = try transaction.user(handover.user) else { return }
        let text = brand.brain.words(key, user: user, now: transaction.now)
        try Outbox.enqueue(
            Reply(content: .text(text), narrative: Narrative(instruction: .handover, primary: key)), session: try session(handover),
            lane: lane(handover), channel: channel, turn: nil, marks: ["handover_id": .string(handover.id.description)], in: transaction)
    }

    /// Sends a person's words to the customer, on the customer's own way out. The first ones are the answer that was waited for, and the
    /// person has the conversation from then on; a program's words are neither. What the channel does not let through is noted for the
    /// people instead: the reason.
    func say(
        _ text: String, by author: String?, isAutomatic: Bool = false, _ handover: inout HandoverRecord
    ) throws -> ChannelError? {
        let content = OutboundContent.text(text)
        let sessions = [
            try transaction.session(handover.session), try transaction.activeSession(instance: handover.instance, user: handover.user),
        ]
        let inbound = sessions.compactMap { $0?.lastInboundAt }.max()
        if let refusal = channel.refusal(of: content, lastInboundAt: inbound, now: transaction.now) {
            try transaction.note("This answer did not reach the customer (\(refusal.message)): \(text)", in: handover)
            return refusal
        }
        let narrative = Narrative(instruction: .handover, primary: "agent")
        try Outbox.enqueue(
            Reply(content: content, narrative: narrative), session: try session(handover), lane: lane(handover), channel: channel,
            turn: nil, marks: ["author": "agent", "agent": JSONValue(author), "handover_id": .string(handover.id.description)],
            in: transaction)
        try transaction.insertEntry(
            HandoverEntry(TicketEntry(id: transaction.newID(), author: .agent, text: text, at: transaction.now), .said), of: handover.id)
        if isAutomatic { return nil }
        if handover.answeredAt == nil {
            handover.answeredAt = transaction.now
            handover.answeredBy = author
            transaction.tell(.answered, handover)
            _ = try transaction.cancelTask(QueueTaskID(handover.id.value), lane: DeskTask.waitLane(of: handover.id))
        }
        if !handover.mutes { try takeOver(&handover) }
        return nil
    }

    /// People have the conversation again, after the bot had it; they are shown what was said meanwhile.
    func takeOver(_ handover: inout HandoverRecord) throws {
        try showLately(handover)
        try mute(&handover)
    }

    func mute(_ handover: inout HandoverRecord) throws {
        handover.mutes = true
        try show("open", handover)
    }

    private func showLately(_ handover: HandoverRecord) throws {
        let lately = try transaction.latestMessages(session: try session(handover), limit: 10).filter { $0.recordedAt > handover.createdAt }
        guard !lately.isEmpty else { return }
        let lines = lately.map { HandoverText.entry($0) }.map { "\($0.author.rawValue): \($0.text)" }
        try transaction.note("What was said while the assistant had the conversation:\n" + lines.joined(separator: "\n"), in: handover)
    }

    private func show(_ state: String, _ handover: HandoverRecord) throws {
        guard channel.capabilities.keepsFeed else { return }
        try transaction.appendFeed(.handover, body: ["state": .string(state)], instance: handover.instance, user: handover.user)
    }

    /// Gives the conversation back to the bot, which says so in its lane, before it reads anything else.
    func handBack(_ handover: inout HandoverRecord, words: String) throws {
        guard handover.mutes else { return }
        handover.mutes = false
        try show("closed", handover)
        try transaction.enqueue(
            NewTask(
                id: QueueTaskID(transaction.newID()), lane: lane(handover).key, pool: .turn, kind: TurnTask.handedBack,
                payload: [
                    "handover": .string(handover.id.description), "session": .string(try session(handover).description),
                    "words": .string(words),
                ], priority: .high, runAt: transaction.now))
    }

    /// `tellsDesk`: the ticket does not know yet.
    func close(_ handover: inout HandoverRecord, reason: String, tellsDesk: Bool) throws {
        try handBack(&handover, words: "handover.closed")
        handover.state = .closed
        handover.closedAt = transaction.now
        handover.closedReason = reason
        _ = try transaction.cancelTask(QueueTaskID(handover.id.value), lane: DeskTask.waitLane(of: handover.id))
        transaction.tell(.closed, handover)
        try transaction.record(.handoverClosed, instance: handover.instance, data: HandoverOpening.event(handover))
        guard tellsDesk, handover.deskState != .none else { return }
        try transaction.enqueue(
            NewTask(
                id: QueueTaskID(transaction.newID()), lane: DeskTask.lane(of: handover.id), pool: .desk, kind: DeskTask.close,
                payload: ["handover": .string(handover.id.description), "reason": .string(reason)], runAt: transaction.now))
    }

    /// People took it up again; only when the customer has no newer handover open.
    func reopen(_ handover: inout HandoverRecord) throws {
        handover.state = .open
        handover.closedAt = nil
        handover.closedReason = nil
        handover.loopedAt = nil
        // Whoever took it up again may leave as anybody may: nobody is kept waiting without end.
        handover.answeredAt = nil
        try transaction.waitForPeople(handover, brand.configuration.handover.nobodyAvailable)
        try takeOver(&handover)
        try tell("handover.reopened", handover)
        transaction.tell(.reopened, handover)
        try transaction.record(.handoverOpened, instance: handover.instance, data: HandoverOpening.event(handover))
    }
}
