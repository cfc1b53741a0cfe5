internal import Conversation
internal import Storage

/// Puts replies where they survive: one row and one delivery task for each part that the channel can carry.
enum Outbox {
    static let deliver = "deliver"
    static let settle = "settle"

    /// `marks` stand beside the narrative in what operators see, such as who wrote it.
    static func enqueue(
        _ reply: Reply, session: SessionID, lane: Lane, channel: any Channel, turn: UniqueID?, marks: [String: JSONValue] = [:],
        in transaction: BrandTransaction
    ) throws {
        let narrative: [String: JSONValue] = [
            "instruction": .string(reply.narrative.instruction.rawValue), "primary": .string(reply.narrative.primary),
        ]
        for part in channel.render(reply.content) {
            let id = MessageID(transaction.newID())
            try transaction.insertOutbound(
                id: id, session: session, instance: lane.instance, user: lane.user, content: part,
                narrative: .object(narrative.merging(marks) { $1 }),
                inReplyTo: reply.inReplyTo, turn: turn)
            try deliver(id, lane: lane, in: transaction)
        }
    }

    /// Puts a stored message on the way out of the conversation whose lane it is, behind what is there: its task is as new as this moment,
    /// however old the message.
    static func deliver(_ message: MessageID, lane: Lane, in transaction: BrandTransaction) throws {
        var delivery = lane
        delivery.kind = .delivery
        try transaction.enqueue(
            NewTask(
                id: QueueTaskID(transaction.newID()), lane: delivery.key, pool: .delivery, kind: deliver,
                payload: ["message": .string(message.description)], priority: .normal, runAt: transaction.now))
    }
}
