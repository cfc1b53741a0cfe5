internal import Brain
internal import Conversation
internal import Storage

/// A turn while people have the conversation: nothing is understood and nothing answered. Messages go to the people; ends of actions too,
/// and are told to the customer at the hand-back.
struct MutedTurn: Sendable {
    let snapshot: TurnSnapshot
    let lane: Lane
    let turn: UniqueID
    let links: MediaLinks

    /// Throws a retryable error when people gave the conversation back meanwhile: then the turn is one for the bot.
    func store(_ payload: JSONValue, in transaction: BrandTransaction) throws {
        guard var handover = try transaction.openHandover(instance: lane.instance, user: lane.user), handover.mutes else {
            throw StageError(stage: .brain, retryable: true, cause: "the conversation was given back meanwhile")
        }
        switch snapshot.event {
        case .message: try forward(to: handover, transaction)
        case .toolResult(let report):
            guard report.state.isEnd else { return }
            handover.results.append(payload)
            try transaction.updateHandover(handover)
            try transaction.note(Self.text(report), in: handover)
        // Nobody waits for "working on it", and a hand-back that people overtook comes again with the next one.
        case .inlineWait, .handedBack: break
        }
    }

    private func forward(to handover: HandoverRecord, _ transaction: BrandTransaction) throws {
        guard let message = snapshot.message else { return }
        let content = Content(json: message.content)
        if case .system = content {
            return try transaction.setOutcome("no_reply:system", of: message.id, session: snapshot.session.id, turn: turn)
        }
        let link = links.link(to: message.id, in: snapshot.session.id, now: transaction.now)
        try transaction.add(HandoverText.entry(message, link: link), to: handover)
        try transaction.setOutcome("forwarded", of: message.id, session: snapshot.session.id, turn: turn)
        guard let text = content?.text, StopWords.isOptOut(text) else { return }
        // The people answer it; that the customer wants no more offers is on record from now on.
        try transaction.optOut(lane.user, topic: OptOutTopic.marketing, proof: text)
        var state = snapshot.state
        state.optedOutOfMarketing = true
        guard try transaction.storeState(try StoredJSON.encode(state), of: snapshot.session.id, version: snapshot.version) else {
            throw StageError(stage: .session, retryable: true, cause: "the conversation's state was written by someone else")
        }
    }

    private static func text(_ report: ActionReport) -> String {
        let name = report.canonicalAction
        return switch report.state {
        case .done: "\(name) is done: \(CanonicalJSON.text(.object(report.result)))"
        case .refused(let status, let detail): "\(name) was refused with \(status)\(detail.map { ": \($0)" } ?? "")"
        case .notDone(let reason): "\(name) was not done: \(reason)"
        case .unknown(let reason): "nobody knows how \(name) ended: \(reason)"
        case .retrying(let attempt, let reason): "\(name) is tried again after attempt \(attempt): \(reason)"
        case .cancelled: "\(name) was taken back"
        }
    }
}

extension ActionReport.State {
    /// Whether nothing more is to come.
    var isEnd: Bool {
        switch self {
        case .done, .refused, .notDone, .unknown, .cancelled: true
        case .retrying: false
        }
    }
}
