internal import Brain
internal import Conversation
internal import Storage

/// A message that a policy keeps from having its turn: nobody tries to understand it, and it is dropped with its reason on record.
struct MessageRefusal: Sendable {
    var verdict: PolicyVerdict
    /// Nil when it was told already, or when it is no concern of this customer.
    var text: String?

    /// Throws a retryable error when people took the conversation meanwhile: then the message is for them.
    func store(
        _ snapshot: TurnSnapshot, _ brand: BrandRuntime, _ channel: any Channel, turn: UniqueID, in transaction: BrandTransaction
    ) throws {
        guard let message = snapshot.message else { return }
        let session = snapshot.session
        guard try !transaction.isMuted(instance: session.instance, user: snapshot.user.id) else {
            throw StageError(stage: .brain, retryable: true, cause: "the conversation was taken over meanwhile")
        }
        if let text {
            let reply = Reply(content: .text(text), narrative: narrative(text), inReplyTo: message.providerID)
            let lane = Lane(brand: transaction.brand, instance: session.instance, user: snapshot.user.id)
            try Outbox.enqueue(reply, session: session.id, lane: lane, channel: channel, turn: turn, in: transaction)
            let screen = channel.capabilities.keepsFeed ? UpdateTranslator(templates: brand.configuration.templates) : nil
            try transaction.show(
                [verdict.update(at: transaction.now)], session: session.id, instance: session.instance, user: snapshot.user.id, on: screen)
        }
        try transaction.setOutcome("dropped:\(verdict.rule)", of: message.id, session: session.id, turn: turn)
        // Nothing else comes of the word: whatever was asked, it is taken for the one wish that must not be lost.
        if let words = Content(json: message.content)?.text, StopWords.isOptOut(words) {
            try transaction.optOut(snapshot.user.id, topic: OptOutTopic.marketing, proof: words)
        }
    }

    private func narrative(_ text: String) -> Narrative {
        let wait = verdict.retryAfter.map { ["retry_after_s: \($0.seconds)"] } ?? []
        return Narrative(
            instruction: verdict.result == .rateLimit ? .reportError : .handleBlocker,
            primary: verdict.result == .rateLimit ? "rate_limited" : text, must: [text] + wait)
    }
}

extension PolicyVerdict {
    /// The verdict for those who look on.
    func update(at now: Timestamp) -> StreamingUpdate {
        var fields: [String: JSONValue] = ["reasons": [.string(rule)]]
        fields["retry_after_s"] = retryAfter.map { .number($0.seconds) }
        fields["remaining_quota"] = remainingQuota.map { .integer(Int64($0)) }
        return StreamingUpdate(.actionBlocked, at: now, fields)
    }
}
