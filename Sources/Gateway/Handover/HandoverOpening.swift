internal import Conversation
internal import Storage

/// Opens a handover in the transaction of whatever asks for it. A customer has one open handover at an instance: what asks again while
/// one is open becomes a note there.
struct HandoverOpening {
    let brand: BrandRuntime
    let channel: any Channel
    let session: SessionRecord
    let user: User
    let state: ConversationState

    private var settings: HandoverConfiguration { brand.configuration.handover }

    func store(_ request: HandoverRequest, _ material: HandoverMaterial, in transaction: BrandTransaction) throws {
        let way = way(of: request)
        let conversation = HandoverConversation(brand: brand, channel: channel, transaction: transaction)
        if var open = try transaction.openHandover(instance: session.instance, user: user.id) {
            return try join(&open, request, way, conversation)
        }
        let id = HandoverID(transaction.newID())
        let priority = settings.priority(of: request.trigger)
        let payload = HandoverPayload(request: request, session: session, user: user, state: state, material: material).json(
            id, priority: priority, channel: way, at: transaction.now)
        var handover = HandoverRecord(
            id: id, instance: session.instance, user: user.id, session: session.id, reason: request.trigger, priority: priority,
            channel: way, mutes: false, payload: payload, desk: way.goesToDesk ? settings.desk?.id : nil, createdAt: transaction.now)
        guard try transaction.insertHandover(handover) else {
            throw StageError(stage: .session, retryable: true, cause: "another handover of this customer was opened meanwhile")
        }
        if handover.desk != nil { try transaction.openTicket(for: handover) }
        if way.mutes {
            try conversation.mute(&handover)
            try transaction.waitForPeople(handover, settings.nobodyAvailable)
            try transaction.updateHandover(handover)
        }
        try transaction.record(.handoverOpened, instance: session.instance, data: Self.event(handover))
    }

    /// One failed call is looked into behind the scenes while the customer goes on, unless the brand says otherwise.
    private func way(of request: HandoverRequest) -> HandoverChannel {
        if request.trigger == .systemError, request.action != nil, settings.channels[.systemError] == nil { return .callback }
        return settings.channel(for: request.trigger)
    }

    /// What the bot has for itself now, because the handover is a callback or nobody answered, people are asked to take after all.
    private func join(
        _ open: inout HandoverRecord, _ request: HandoverRequest, _ way: HandoverChannel, _ conversation: HandoverConversation
    ) throws {
        let transaction = conversation.transaction
        let takesOver = way.mutes && !open.mutes
        if takesOver {
            open.channel = way
            if way.goesToDesk, let desk = settings.desk?.id { try transaction.send(&open, to: desk) }
        }
        try transaction.note("Asked for again, because \(request.trigger.words). \(request.summary)", in: open)
        guard takesOver else { return }
        try conversation.takeOver(&open)
        if open.answeredAt == nil { try transaction.waitForPeople(open, settings.nobodyAvailable) }
        try transaction.updateHandover(open)
    }

    static func event(_ handover: HandoverRecord) -> JSONValue {
        [
            "handover_id": .string(handover.id.description), "reason": .string(handover.reason.rawValue),
            "priority": .string(handover.priority.rawValue), "channel": .string(handover.channel.rawValue),
            "session_id": .string(handover.session.description), "user_id": .string(handover.user.description),
            "closed_reason": JSONValue(handover.closedReason),
        ]
    }
}
