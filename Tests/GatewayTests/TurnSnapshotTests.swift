import Conversation
import TestKit
import Testing

@testable import Gateway
@testable import Storage

struct TurnSnapshotTests {
    private let brand = BrandID(rawValue: "salon")
    private let instance = InstanceID(rawValue: "salon-whatsapp")

    /// A conversation of one reply and one message, which has its turn now.
    private func turn(in transaction: BrandTransaction) throws -> QueueTask {
        let sender = Sender(identifiers: [Identifier(kind: .phone, value: "+12125550100")])
        let user = try transaction.resolveUser(
            channel: ChannelName(rawValue: "whatsapp"), sender: sender, tier: "verified", verified: true)
        let session = try transaction.openSession(instance: instance, user: user)
        try transaction.insertOutbound(
            id: MessageID(transaction.newID()), session: session, instance: instance, user: user, content: .text("Which day?"),
            narrative: .null, inReplyTo: nil, turn: nil)
        let id = MessageID(transaction.newID())
        let message = InboundMessage(providerID: "wamid.1", sender: sender, content: .text("tomorrow"), sentAt: transaction.now)
        let isNew = try transaction.insertInbound(
            message, content: message.content.canonicalText, id: id, session: session, instance: instance, user: user)
        #expect(isNew)
        return QueueTask(
            id: QueueTaskID(id.value), kind: TurnTask.message,
            payload: ["message": .string(id.description), "session": .string(session.description)], priority: .normal, attempts: 1,
            crashes: 0, createdAt: transaction.now, node: "test", wasInterrupted: false)
    }

    @Test func theHistoryIsReadOnlyForWhoWantsIt() async throws {
        try await TemporaryStore.with { store in
            let task = try await store.brand(brand).write { try turn(in: $0) }
            for isWanted in [true, false] {
                let snapshot = try await store.brand(brand).read { try TurnSnapshot.load(task, withHistory: isWanted, in: $0) }
                #expect(snapshot?.message != nil)
                #expect(snapshot?.history.map(\.text) == (isWanted ? ["Which day?", "tomorrow"] : []))
            }
        }
    }

    @Test func whatAPolicyDroppedIsNoPartOfTheHistory() async throws {
        try await TemporaryStore.with { store in
            let task = try await store.brand(brand).write { transaction in
                let task = try turn(in: transaction)
                let session = try #require(task.payload["session"]?.string.flatMap { SessionID($0) })
                let user = try #require(try transaction.session(session)?.user)
                let sender = Sender(identifiers: [Identifier(kind: .phone, value: "+12125550100")])
                for (number, outcome) in ["dropped:filter:card", "dropped:rate_limited:user", "answered"].enumerated() {
                    let id = MessageID(transaction.newID())
                    let message = InboundMessage(
                        providerID: "wamid.old-\(number)", sender: sender, content: .text(outcome), sentAt: transaction.now)
                    _ = try transaction.insertInbound(
                        message, content: message.content.canonicalText, id: id, session: session, instance: instance, user: user)
                    try transaction.setOutcome(outcome, of: id, session: session, turn: nil)
                }
                return task
            }
            let snapshot = try await store.brand(brand).read { try TurnSnapshot.load(task, withHistory: true, in: $0) }
            #expect(Set(snapshot?.history.map(\.text) ?? []) == ["Which day?", "tomorrow", "answered"])
        }
    }
}
