internal import Brain
internal import Conversation
internal import Storage

/// What people are given to go on with: made once, in the transaction that opens the handover.
struct HandoverPayload {
    let request: HandoverRequest
    let session: SessionRecord
    let user: User
    let state: ConversationState
    let configuration: BrandConfiguration

    /// Messages of the conversation that go along.
    private static let historyLength = 50

    func json(_ handover: HandoverID, priority: HandoverPriority, channel: HandoverChannel, in transaction: BrandTransaction) throws
        -> JSONValue
    {
        let history = try transaction.latestMessages(session: session.id, limit: Self.historyLength).map(HandoverText.entry)
        let actions = try transaction.attemptedActions(of: user.id, session: session.id, limit: 20)
        let done = actions.filter { $0["state"] == "done" }
        let failed = actions.filter { ["failed", "refused", "unknown"].contains($0["state"]?.string) }
        let errors = failed.map { "\($0["action"]?.string ?? ""): \($0["state"]?.string ?? ""): \($0["detail"]?.string ?? "")" }
        return [
            "id": .string(handover.description), "reason": .string(request.trigger.rawValue), "priority": .string(priority.rawValue),
            "channel": .string(channel.rawValue), "summary": .string(try summary(in: transaction)), "history": .array(history.map(\.json)),
            "last_message": JSONValue(history.last { $0.author == .customer }?.text),
            "attempted_actions": .array(actions),
            "tool_results": .array(done.map { ["action": $0["action"] ?? .null, "result": $0["result"] ?? .null] }),
            "errors": .array(errors.map(JSONValue.string)), "customer": customer,
            "flow_state": Wires(state: state, popularActions: []).json, "created_at": .string(session.startedAt.description),
            "escalated_at": .string(transaction.now.description),
        ]
    }

    private func summary(in transaction: BrandTransaction) throws -> String {
        let notes = try SessionNotes.current(of: session, configuration: configuration, in: transaction)
        return [request.summary, notes?.summary, state.handBack].compactMap { $0 }.filter { !$0.isEmpty }.joined(separator: "\n")
    }

    private var customer: JSONValue {
        [
            "id": .string(user.id.description), "brand_user_id": JSONValue(user.identifier(.brandUser)),
            "name": JSONValue(user.profileName),
            "tier": .string(user.tier), "verified": .bool(user.isVerified), "locale": JSONValue(user.locale),
            "time_zone": JSONValue(user.timeZone), "phone": JSONValue(user.identifier(.phone)), "email": JSONValue(user.identifier(.email)),
            "session_id": .string(session.id.description), "instance": .string(session.instance.rawValue),
        ]
    }
}

extension TicketEntry {
    var json: JSONValue {
        [
            "id": .string(id.description), "author": .string(author.rawValue), "text": .string(text), "internal": .bool(isInternal),
            "at": .string(at.description),
            "attachments": .array(
                attachments.map { ["url": .string($0.url), "name": .string($0.name), "mime_type": JSONValue($0.mimeType)] }),
        ]
    }

    /// Nil when the value was not written by `json`.
    init?(json: JSONValue) {
        guard let id = json["id"]?.string.flatMap({ UniqueID($0) }), let author = json["author"]?.string.flatMap(Author.init(rawValue:)),
            let at = json["at"]?.string.flatMap({ Timestamp($0) })
        else { return nil }
        let files = (json["attachments"]?.array ?? []).map {
            TicketAttachment(url: $0["url"]?.string ?? "", name: $0["name"]?.string ?? "", mimeType: $0["mime_type"]?.string)
        }
        self.init(
            id: id, author: author, text: json["text"]?.string ?? "", attachments: files, isInternal: json["internal"]?.bool ?? false,
            at: at)
    }
}
