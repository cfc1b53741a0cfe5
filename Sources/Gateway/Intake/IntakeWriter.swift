internal import Conversation
internal import Storage

/// Stores one item of a webhook inside the transaction of its brand.
struct IntakeWriter {
    let transaction: BrandTransaction
    let instance: InstanceConfiguration
    let tiers: [String]
    let provesIdentity: Bool
    /// The content of a message as JSON, written before the transaction: the writer thread is the one that everybody waits for.
    let content: String?

    func store(_ item: WebhookItem, _ receipt: inout IntakeReceipt) throws {
        switch item {
        case .message(let message, _, _):
            if try store(message) { receipt.accepted += 1 } else { receipt.duplicates += 1 }
        case .status(let status, _, _):
            try store(status)
            receipt.accepted += 1
        case .field(let name, let body, _):
            try transaction.storeField(name, body: body, instance: instance.id)
            receipt.accepted += 1
        case .unreadable(let reason, let body, let address):
            guard let address else { return }
            try transaction.quarantine(address, reason: reason, body: body)
            receipt.quarantined += 1
        case .ignored: receipt.ignored += 1
        }
    }

    /// False when it was there before: then nothing is stored.
    private func store(_ message: InboundMessage) throws -> Bool {
        if try transaction.isKnown(providerID: message.providerID, instance: instance.id) { return false }
        let user = try resolve(message.sender)
        if case .system(let notice) = message.content, let identifier = notice.newIdentifier {
            try transaction.link(identifier, channel: instance.channel, to: user)
        }
        let session = try openSession(user)
        let id = MessageID(transaction.newID())
        let content = content ?? CanonicalJSON.text(message.content.json)
        try transaction.insertInbound(message, content: content, id: id, session: session, instance: instance.id, user: user)
        let reference = "\"message_id\":\"\(id)\",\"session_id\":\"\(session)\""
        let provider = CanonicalJSON.text(.string(message.providerID))
        try transaction.record(
            .messageReceived, instance: instance.id,
            dataText: "{\"content\":\(content),\(reference),\"provider_message_id\":\(provider),\"user_id\":\"\(user)\"}")
        let lane = Lane(brand: transaction.brand, instance: instance.id, user: user)
        try transaction.enqueue(
            NewTask(
                id: QueueTaskID(id.value), lane: lane.key, pool: .turn, kind: TurnTask.message,
                payloadText: "{\"message\":\"\(id)\",\"session\":\"\(session)\"}", runAt: transaction.now))
        return true
    }

    /// A channel that proves who writes makes verified users; any other makes guests.
    private func resolve(_ sender: Sender) throws -> UserID {
        let tier = provesIdentity && !instance.acceptGuests ? tiers.dropFirst().first ?? tiers.first : tiers.first
        return try transaction.resolveUser(
            channel: instance.channel, sender: sender, tier: tier ?? "guest", verified: provesIdentity)
    }

    /// The running session, or a new one after a silence; a session never ends while an action of its user is open.
    private func openSession(_ user: UserID) throws -> SessionID {
        if let session = try transaction.activeSession(instance: instance.id, user: user) {
            let isOver = transaction.now - session.lastMessageAt > instance.sessionTimeout
            if try !isOver || transaction.hasRunningAction(user) {
                try transaction.touchSession(session)
                return session.id
            }
            try transaction.endSession(session.id)
            try transaction.record(.sessionEnded, instance: instance.id, data: reference(session.id, user))
        }
        let session = try transaction.openSession(instance: instance.id, user: user)
        try transaction.record(.sessionStarted, instance: instance.id, data: reference(session, user))
        return session
    }

    private func store(_ status: StatusUpdate) throws {
        guard case .advanced = try transaction.apply(status, instance: instance.id) else { return }
        try transaction.record(
            .messageStatus, instance: instance.id,
            data: [
                "message_id": JSONValue(status.reference), "provider_message_id": .string(status.providerMessageID),
                "status": .string(status.status.name), "at": .string(status.at.description),
            ])
    }

    private func reference(_ session: SessionID, _ user: UserID) -> JSONValue {
        ["session_id": .string(session.description), "user_id": .string(user.description)]
    }
}
