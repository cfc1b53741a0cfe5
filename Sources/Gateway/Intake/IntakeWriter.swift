internal import Conversation
internal import Storage

/// Stores one item of a webhook inside the transaction of its brand.
struct IntakeWriter {
    let transaction: BrandTransaction
    let instance: InstanceConfiguration
    let tiers: [String]
    let provesIdentity: Bool
    let keepsFeed: Bool
    /// The content of a message as JSON, written before the transaction: the writer thread is the one that everybody waits for.
    let content: String?

    func store(_ item: WebhookItem, _ receipt: inout IntakeReceipt) throws {
        switch item {
        case .message(let message, _, _): try store(message, &receipt)
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

    private func store(_ message: InboundMessage, _ receipt: inout IntakeReceipt) throws {
        let match = try transaction.match(message.sender, channel: instance.channel)
        let running = try match.user.flatMap { try transaction.ongoingSession(instance: instance, user: $0) }
        // A duplicate must make neither a user nor a session. Where both are there the insert itself tells.
        if running == nil, let known = try transaction.inboundMessage(providerID: message.providerID, instance: instance.id) {
            return receipt.add(duplicate: known)
        }
        let id = MessageID(transaction.newID())
        // What a message says about a known sender is taken over only when the message is new: a copy that comes late must not undo it.
        let user = try match.user ?? resolve(message, match)
        let session = try running?.id ?? transaction.startSession(instance: instance, user: user)
        let content = content ?? message.content.canonicalText
        guard
            try transaction.insertInbound(message, content: content, id: id, session: session, instance: instance.id, user: user)
        else {
            guard let known = try transaction.inboundMessage(providerID: message.providerID, instance: instance.id) else {
                throw StageError(stage: .intake, retryable: true, cause: "a message that is neither new nor known")
            }
            return receipt.add(duplicate: known)
        }
        if match.user != nil { _ = try resolve(message, match) }
        if let running { try transaction.touchSession(running) }
        if keepsFeed {
            let shown = FeedMessage(id: id, isInbound: true, content: message.content.json, at: message.sentAt)
            try transaction.appendFeed(shown, instance: instance.id, user: user)
        }
        try announce(message, id, session, user, content)
        receipt.accepted += 1
        receipt.messages.append(id)
    }

    private func announce(_ message: InboundMessage, _ id: MessageID, _ session: SessionID, _ user: UserID, _ content: String) throws {
        let reference = "\"message_id\":\"\(id)\",\"session_id\":\"\(session)\""
        try transaction.record(
            .messageReceived, instance: instance.id,
            dataText: """
                {"content":\(content),\(reference),"provider_message_id":\(CanonicalJSON.text(.string(message.providerID))),\
                "user_id":"\(user)"}
                """)
        try transaction.enqueue(
            id, session: session, lane: Lane(brand: transaction.brand, instance: instance.id, user: user))
    }

    /// A channel that proves who writes makes verified users; any other makes guests.
    private func resolve(_ message: InboundMessage, _ match: SenderMatch) throws -> UserID {
        let tier = provesIdentity && !instance.acceptGuests ? tiers.dropFirst().first ?? tiers.first : tiers.first
        let user = try transaction.complete(
            match, channel: instance.channel, sender: message.sender, tier: tier ?? "guest", verified: provesIdentity)
        if case .system(let notice) = message.content, let identifier = notice.newIdentifier {
            try transaction.link(identifier, channel: instance.channel, to: user)
        }
        return user
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
}
