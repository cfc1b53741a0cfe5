import Conversation
import Logging
import TestKit
import Testing

@testable import Gateway
@testable import Storage

/// What is stored when a delivery cannot be brought to an end.
struct DeliveryTests {
    private static let brand = BrandID(rawValue: "salon")
    private static let instance = InstanceID(rawValue: "salon-whatsapp")
    private struct Broken: Error {}

    /// One queued reply, and how it and its dead letters stand after its task was given up.
    private static func giveUp(
        kind: String, mayHaveActed: Bool, from state: String
    ) async throws -> (message: MessageRecord, letters: [DeadLetterRecord], waiting: Int) {
        let clock = ControlledClock()
        return try await TemporaryStore.with(clock: clock) { store in
            let handler = DeliveryHandler(
                registry: Registry(clock: clock), policy: SendPolicy(), reading: ReadingSignals(clock: clock), unknownReply: .seconds(45),
                backoff: Backoff(RetryPolicy()), jitter: FixedJitter(), metrics: GatewayMetrics(), logger: Logger(label: "test"))
            return try await store.brand(brand).write { transaction in
                let id = try reply(in: transaction)
                if state != "queued" { try transaction.setSendState(state, of: id, error: "reset") }
                let task = QueueTask(
                    id: QueueTaskID(id.value), kind: kind, payload: ["message": .string(id.description)], priority: .normal, attempts: 5,
                    crashes: 0, createdAt: transaction.now, node: "test", wasInterrupted: mayHaveActed)
                try handler.giveUp(task, lane: "delivery:x", error: Broken(), in: transaction)
                return (
                    try #require(try transaction.outboundMessage(id)), try transaction.deadLetters(after: nil, limit: 10),
                    try transaction.pendingTasks(in: "settle:\(id)")
                )
            }
        }
    }

    private static func reply(in transaction: BrandTransaction) throws -> MessageID {
        let user = try transaction.resolveUser(
            channel: ChannelName(rawValue: "whatsapp"), sender: Sender(identifiers: [Identifier(kind: .phone, value: "+12125550100")]),
            tier: "verified", verified: true)
        let session = try transaction.openSession(instance: instance, user: user)
        let id = MessageID(transaction.newID())
        try transaction.insertOutbound(
            id: id, session: session, instance: instance, user: user, content: .text("x"), narrative: .null, inReplyTo: nil, turn: nil)
        return id
    }

    @Test func aReplyThatMayHaveLeftIsUnknownAndWaitsForItsStatus() async throws {
        let (message, letters, waiting) = try await Self.giveUp(kind: Outbox.deliver, mayHaveActed: true, from: "queued")
        #expect(message.sendState == "unknown")
        #expect(letters.isEmpty)
        #expect(waiting == 1)
    }

    @Test func aReplyThatCertainlyStayedHereCanBeDrivenAgain() async throws {
        let (message, letters, waiting) = try await Self.giveUp(kind: Outbox.deliver, mayHaveActed: false, from: "queued")
        #expect(message.sendState == "failed")
        #expect(letters.map(\.kind) == ["delivery"] && letters.first?.task.isNull == false)
        #expect(waiting == 0)
    }

    @Test(arguments: [true, false]) func aReplyThatAStatusSettledMeanwhileStaysSettled(mayHaveActed: Bool) async throws {
        let (message, letters, _) = try await Self.giveUp(kind: Outbox.deliver, mayHaveActed: mayHaveActed, from: "sent")
        #expect(message.sendState == "sent")
        #expect(letters.isEmpty)
    }

    @Test func aWaitForAStatusThatIsGivenUpEndsAsOneThatHeardNothing() async throws {
        let (message, letters, _) = try await Self.giveUp(kind: Outbox.settle, mayHaveActed: false, from: "unknown")
        #expect(message.sendState == "unknown")
        #expect(letters.map(\.kind) == ["unknown"] && letters.first?.task.isNull == true)
        let settled = try await Self.giveUp(kind: Outbox.settle, mayHaveActed: false, from: "sent")
        #expect(settled.message.sendState == "sent" && settled.letters.isEmpty)
    }
}
