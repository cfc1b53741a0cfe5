internal import Conversation
internal import Storage

/// One command, decided and stored in one transaction.
struct SendAcceptance: Sendable {
    let command: SendCommand
    let addressee: Addressee
    let instance: InstanceConfiguration
    let channel: any Channel
    let lane: Lane
    let policy: SendPolicy
    let key: SendKey?
    let origin: SendDesk.Origin
    /// Asked last: what is refused for another reason, or is known, costs no token.
    let limit: @Sendable () -> SendRefusal?

    func store(in transaction: BrandTransaction) throws -> SendDesk.Answer {
        if let known = try key?.answer(in: transaction) { return known }
        // Whoever it was a moment ago, the customer may have been merged or have gone.
        guard try addressee.user(in: transaction) == lane.user else { return .refused(.unknownUser) }
        guard try transaction.isKnown(lane.user, at: instance.channel) else { return .refused(.noRecipient) }
        if let handover = try transaction.openHandover(instance: instance.id, user: lane.user), handover.mutes {
            return .refused(.handover(handover.id))
        }
        let parts = channel.render(withIDs(command.content, transaction)).map { (id: MessageID(transaction.newID()), content: $0) }
        if let refusal = try refusal(of: parts, transaction) { return .refused(refusal) }
        // Of copies that came to several nodes at the same time only the one that has the key pays.
        if let answered = try key?.claim(in: transaction) { return answered }
        if let refusal = limit() {
            try key?.forget(in: transaction)
            return .refused(refusal)
        }
        let receipt = try keep(parts, transaction)
        try key?.store(receipt, in: transaction)
        return .accepted(receipt)
    }

    /// The last word is spoken when the message leaves; what is refused already now is not taken.
    private func refusal(
        of parts: [(id: MessageID, content: OutboundContent)], _ transaction: BrandTransaction
    ) throws -> SendRefusal? {
        let inbound = try transaction.lastInbound(instance: instance.id, user: lane.user)
        let isOptedOut = try command.category == .marketing && transaction.isOptedOut(lane.user, topic: OptOutTopic.marketing)
        for part in parts {
            let verdict = policy.decide(
                part.content, message: part.id, brand: lane.brand, channel: channel, lastInboundAt: inbound, isOptedOut: isOptedOut,
                now: transaction.now)
            if case .denied(let error) = verdict { return SendRefusal(error) }
        }
        return nil
    }

    private func keep(
        _ parts: [(id: MessageID, content: OutboundContent)], _ transaction: BrandTransaction
    ) throws -> SendReceipt {
        let session = try transaction.outreachSession(instance: instance, user: lane.user)
        let marks: JSONValue = [
            "author": "brand", "by": .string(origin.rawValue), "category": .string(command.category.rawValue),
        ]
        for part in parts {
            try transaction.insertOutbound(
                id: part.id, session: session, instance: instance.id, user: lane.user, content: part.content, narrative: marks,
                inReplyTo: nil, turn: nil)
        }
        let receipt = SendReceipt(messages: parts.map(\.id), session: session, user: lane.user)
        try transaction.enqueue(SendTurn.task(receipt, lane: lane, now: transaction.now))
        return receipt
    }

    private func withIDs(_ content: OutboundContent, _ transaction: BrandTransaction) -> OutboundContent {
        guard case .choices(var prompt) = content else { return content }
        for index in prompt.options.indices where prompt.options[index].id.isEmpty {
            prompt.options[index].id = transaction.newID().description
        }
        return .choices(prompt)
    }
}
