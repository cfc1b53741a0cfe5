internal import Conversation
internal import Storage

/// A message sent outside a turn, when it is its turn in the conversation: what customers wrote before it is answered before it.
enum SendTurn {
    /// Payload: `messages`, the ids of its parts in order, and `session`. A node of a release that knows no such tasks looks for the session
    /// first: with it the task becomes a dead letter there that can be redriven, without it nothing would come of it.
    static func task(_ receipt: SendReceipt, lane: Lane, now: Timestamp) -> NewTask {
        NewTask(
            id: QueueTaskID(receipt.messages[0].value), lane: lane.key, pool: .turn, kind: TurnTask.send,
            payload: [
                "messages": .array(receipt.messages.map { .string($0.description) }), "session": .string(receipt.session.description),
            ], runAt: now)
    }

    /// Hands the parts to the conversation's way out, or to the people who took it over meanwhile.
    static func release(_ payload: JSONValue, in transaction: BrandTransaction) throws {
        for message in try waiting(payload, transaction) {
            if let handover = try transaction.openHandover(instance: message.instance, user: message.user), handover.mutes {
                let text = OutboundContent(json: message.content)?.plainText ?? ""
                try transaction.note("Held back, because you have the conversation; the brand wanted to send: \(text)", in: handover)
                try bury(message, reason: "handover_open", error: "people have the conversation", transaction)
            } else {
                try Outbox.deliver(message.id, lane: lane(of: message, transaction), in: transaction)
            }
        }
    }

    /// It could not even be handed on.
    static func giveUp(_ payload: JSONValue, error: any Error, in transaction: BrandTransaction) throws {
        for message in try waiting(payload, transaction) { try bury(message, reason: "failed", error: "\(error)", transaction) }
    }

    private static func waiting(_ payload: JSONValue, _ transaction: BrandTransaction) throws -> [MessageRecord] {
        let ids = (payload["messages"]?.array ?? []).compactMap { $0.string.flatMap { MessageID($0) } }
        return try ids.compactMap { try transaction.outboundMessage($0) }.filter { $0.sendState == "queued" }
    }

    private static func lane(of message: MessageRecord, _ transaction: BrandTransaction) -> Lane {
        Lane(brand: transaction.brand, instance: message.instance, user: message.user)
    }

    /// Seen, told on the bus, and sent after all when somebody redrives it.
    private static func bury(_ message: MessageRecord, reason: String, error: String, _ transaction: BrandTransaction) throws {
        try transaction.setSendState("failed", of: message.id, error: "\(reason): \(error)")
        try transaction.record(
            .messageStatus, instance: message.instance,
            data: [
                "message_id": .string(message.id.description), "provider_message_id": .null, "status": "failed",
                "at": .string(transaction.now.description), "error": .string("\(reason): \(error)"),
            ])
        var delivery = lane(of: message, transaction)
        delivery.kind = .delivery
        try transaction.insertDeadLetter(
            kind: "delivery", reason: reason, detail: ["error": .string(error)],
            about: .init(id: message.id.value, session: message.session, instance: message.instance, user: message.user),
            task: RedrivableTask(delivery: message.id, lane: delivery.key).json)
    }
}

extension RedrivableTask {
    /// The delivery of a message.
    fileprivate init(delivery message: MessageID, lane: String) {
        self.init(
            lane: lane, pool: .delivery, kind: Outbox.deliver, payload: ["message": .string(message.description)], priority: .normal)
    }
}
