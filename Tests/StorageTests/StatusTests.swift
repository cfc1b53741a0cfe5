import Conversation
import Storage
import TestKit
import Testing

struct StatusTests {
    private let brand = BrandID(rawValue: "salon")
    private let instance = InstanceID(rawValue: "salon-whatsapp")

    private func sent(_ transaction: BrandTransaction) throws -> MessageID {
        let user = try transaction.resolveUser(
            channel: ChannelName(rawValue: "whatsapp"), sender: Sender(identifiers: [Identifier(kind: .phone, value: "+15550001111")]),
            tier: "verified", verified: true
        )
        let session = try transaction.openSession(instance: instance, user: user)
        let id = MessageID(transaction.newID())
        try transaction.insertOutbound(
            id: id, session: session, instance: instance, user: user, content: .text("x"), narrative: .null, inReplyTo: nil, turn: nil)
        return id
    }

    private static let names = ["sent", "delivered", "read", "failed"]
    private static var orders: [[String]] {
        func permutations(_ items: [String]) -> [[String]] {
            items.isEmpty
                ? [[]]
                : items.indices.flatMap { index in
                    var rest = items
                    let head = rest.remove(at: index)
                    return permutations(rest).map { [head] + $0 }
                }
        }
        return permutations(names)
    }

    @Test(arguments: orders) func statusesNeverMoveBackwards(order: [String]) async throws {
        try await TemporaryStore.with { store in
            let id = try await store.brand(brand).write { try sent($0) }
            var best = 0
            for name in order + order {
                let update = StatusUpdate(
                    providerMessageID: "wamid.1", reference: id.description, status: DeliveryStatus(name), at: store.clock.now)
                _ = try await store.brand(brand).write { try $0.apply(update, instance: instance) }
                best = max(best, DeliveryStatus(name).rank)
                let status = try await store.brand(brand).read { try $0.outboundMessage(id)?.status }
                #expect(status.map { DeliveryStatus($0).rank } == best)
            }
            #expect(try await store.brand(brand).read { try $0.outboundMessage(id)?.status } == "read")
        }
    }

    @Test func aStatusBeforeOurOwnRecordIsKeptAndApplied() async throws {
        try await TemporaryStore.with { store in
            let id = try await store.brand(brand).write { try sent($0) }
            let early = StatusUpdate(providerMessageID: "wamid.9", status: .delivered, at: store.clock.now)
            let effect = try await store.brand(brand).write { try $0.apply(early, instance: instance) }
            guard case .early = effect else { return #expect(Bool(false), "was \(effect)") }
            try await store.brand(brand).write { transaction in
                try transaction.markSent(id, providerID: "wamid.9")
                try transaction.applyEarlyStatus(providerID: "wamid.9", instance: instance)
            }
            #expect(try await store.brand(brand).read { try $0.outboundMessage(id)?.status } == "delivered")
        }
    }

    @Test func aStatusSettlesAnUnknownSendAndItsDeadLetter() async throws {
        try await TemporaryStore.with { store in
            let id = try await store.brand(brand).write { transaction in
                let id = try sent(transaction)
                try transaction.setSendState("unknown", of: id, error: "reset")
                try transaction.insertDeadLetter(kind: "unknown", reason: "no status", detail: [:], about: .init(id: id.value), task: .null)
                return id
            }
            let update = StatusUpdate(providerMessageID: "wamid.2", reference: id.description, status: .sent, at: store.clock.now)
            _ = try await store.brand(brand).write { try $0.apply(update, instance: instance) }
            let (message, open) = try await store.brand(brand).read { (try $0.outboundMessage(id), try $0.openDeadLetters()) }
            #expect(message?.sendState == "sent" && message?.providerID == "wamid.2" && open == 0)
        }
    }

    @Test func theSamePhoneAtTwoBrandsIsTwoUsers() async throws {
        try await TemporaryStore.with { store in
            let sender = Sender(identifiers: [Identifier(kind: .phone, value: "+15550001111")])
            var users: [UserID] = []
            for name in ["salon", "jobs", "salon"] {
                users.append(
                    try await store.brand(BrandID(rawValue: name)).write {
                        try $0.resolveUser(channel: ChannelName(rawValue: "whatsapp"), sender: sender, tier: "verified", verified: true)
                    })
            }
            #expect(users[0] != users[1] && users[0] == users[2])
            let foreign = try await store.brand(BrandID(rawValue: "jobs")).read { [user = users[0]] in try $0.user(user) }
            #expect(foreign == nil)
        }
    }

    @Test func aFailedDeliveryIsADeadLetterUntilItArrivesAfterAll() async throws {
        try await TemporaryStore.with { store in
            let id = try await store.brand(brand).write { transaction in
                let id = try sent(transaction)
                try transaction.markSent(id, providerID: "wamid.3")
                return id
            }
            func apply(_ name: String) async throws {
                let update = StatusUpdate(
                    providerMessageID: "wamid.3", status: DeliveryStatus(name), at: store.clock.now, errors: [["code": 131_026]])
                _ = try await store.brand(brand).write { try $0.apply(update, instance: instance) }
            }
            try await apply("failed")
            try await apply("failed")
            let (letters, message) = try await store.brand(brand).read {
                (try $0.deadLetters(after: nil, limit: 9), try $0.outboundMessage(id))
            }
            #expect(letters.count == 1 && letters.first?.subject == id.value && letters.first?.task["kind"] == "deliver")
            #expect(message?.sendState == "failed")
            try await apply("delivered")
            let (open, late) = try await store.brand(brand).read { (try $0.openDeadLetters(), try $0.outboundMessage(id)) }
            #expect(open == 0 && late?.sendState == "sent" && late?.status == "delivered")
        }
    }

    @Test func aNumberThatPassedToSomebodyElseOpensNothingOfItsFormerOwner() async throws {
        try await TemporaryStore.with { store in
            func user(_ identifiers: [Identifier]) async throws -> UserID {
                try await store.brand(brand).write {
                    try $0.resolveUser(
                        channel: ChannelName(rawValue: "whatsapp"), sender: Sender(identifiers: identifiers), tier: "verified",
                        verified: true
                    )
                }
            }
            let phone = Identifier(kind: .phone, value: "+15550001111")
            let (first, second) = (Identifier(kind: .bsuid, value: "US.1"), Identifier(kind: .bsuid, value: "US.2"))
            let owner = try await user([phone])
            let linked = try await user([first, phone])
            let stranger = try await user([second, phone])
            let again = try await user([second])
            #expect(owner == linked && stranger != owner && again == stranger)
            let identifiers = try await store.brand(brand).read { try $0.user(stranger)?.identifiers }
            #expect(identifiers == [second])
        }
    }
}
