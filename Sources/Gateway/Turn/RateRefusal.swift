internal import Conversation
internal import Storage

/// A message over the limit: told once, then dropped with its reason on record.
struct RateRefusal: Sendable {
    let bucket: String
    let retryAfter: Duration
    /// Nil when it was told already.
    let text: String?

    /// The same without a word: people have the conversation.
    var unsaid: RateRefusal { RateRefusal(bucket: bucket, retryAfter: retryAfter, text: nil) }

    func store(
        _ message: MessageRecord, _ snapshot: TurnSnapshot, _ channel: any Channel, turn: UniqueID, in transaction: BrandTransaction
    ) throws {
        if let text {
            let narrative = Narrative(instruction: .reportError, primary: "rate_limited", must: ["retry_after_s: \(retryAfter.seconds)"])
            try Outbox.enqueue(
                Reply(content: .text(text), narrative: narrative), session: snapshot.session.id,
                lane: Lane(brand: transaction.brand, instance: snapshot.session.instance, user: snapshot.user.id), channel: channel,
                turn: turn,
                in: transaction)
        }
        try transaction.setOutcome("dropped:rate_limited:\(bucket)", of: message.id, session: snapshot.session.id, turn: turn)
    }
}
