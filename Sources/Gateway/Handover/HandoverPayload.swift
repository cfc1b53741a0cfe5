internal import Brain
internal import Conversation
internal import Storage

/// What of a conversation people are given to go on with, as the store has it. Read before the handover is opened, where that is possible:
/// summing a conversation up takes longer than a writer should be kept.
struct HandoverMaterial: Sendable {
    /// Oldest first.
    var history: [TicketEntry] = []
    var actions: [JSONValue] = []
    /// The session's notes.
    var notes: String?

    /// Messages of the conversation that go along.
    private static let historyLength = 50

    /// `message` is the one that leads to the handover. Others that had no turn yet are not in it: they reach the people when they have.
    static func load(
        _ session: SessionRecord, message: MessageID?, _ configuration: BrandConfiguration, in transaction: BrandTransaction
    ) throws -> HandoverMaterial {
        let messages = try transaction.latestMessages(session: session.id, limit: historyLength).filter {
            !$0.isInbound || $0.outcome != nil || $0.id == message
        }
        let links = MediaLinks(configuration)
        return HandoverMaterial(
            history: messages.map { HandoverText.entry($0, link: links.link(to: $0.id, in: session.id, now: transaction.now)) },
            actions: try transaction.attemptedActions(of: session.user, session: session.id, limit: 20),
            notes: try SessionNotes.current(of: session, configuration: configuration, in: transaction)?.summary)
    }
}

/// What people are given to go on with: made once, when the handover is opened.
struct HandoverPayload {
    let request: HandoverRequest
    let session: SessionRecord
    let user: User
    let state: ConversationState
    let material: HandoverMaterial

    func json(_ handover: HandoverID, priority: HandoverPriority, channel: HandoverChannel, at now: Timestamp) -> JSONValue {
        let (history, actions) = (material.history, material.actions)
        let done = actions.filter { $0["state"] == "done" }
        let failed = actions.filter { ["failed", "refused", "unknown"].contains($0["state"]?.string) }
        let errors = failed.map { "\($0["action"]?.string ?? ""): \($0["state"]?.string ?? ""): \($0["detail"]?.string ?? "")" }
        return [
            "id": .string(handover.description), "reason": .string(request.trigger.rawValue), "priority": .string(priority.rawValue),
            "channel": .string(channel.rawValue), "summary": .string(summary), "history": .array(history.map(\.json)),
            "last_message": JSONValue(history.last { $0.author == .customer }?.text),
            "attempted_actions": .array(actions),
            "tool_results": .array(done.map { ["action": $0["action"] ?? .null, "result": $0["result"] ?? .null] }),
            "errors": .array(errors.map(JSONValue.string)), "customer": customer,
            "flow_state": Wires(state: state, popularActions: []).json, "created_at": .string(session.startedAt.description),
            "escalated_at": .string(now.description),
        ]
    }

    private var summary: String {
        [request.summary, material.notes, state.handBack].compactMap { $0 }.filter { !$0.isEmpty }.joined(separator: "\n")
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
