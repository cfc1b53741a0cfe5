import Conversation
import Storage
import TestKit
import Testing

/// Characters that one of the databases would refuse, where customers can put them.
struct NullCharacterTests {
    private static let brand = BrandID(rawValue: "salon")
    private static let instance = InstanceID(rawValue: "salon-whatsapp")

    @Test(arguments: TestDatabase.Kind.allCases) func aMessageWithU0000IsStoredLikeEveryOther(kind: TestDatabase.Kind) async throws {
        let temporary = try await TestDatabase.make(kind)
        let store = Store(database: temporary.database, clock: SystemClock(), ids: SystemIDs(), node: "test")
        let hostile = "a\u{0}b\u{10FFFF}0\u{FFFE}"
        let sender = Sender(identifiers: [Identifier(kind: .phone, value: "+1\u{0}5")], profileName: hostile)
        let message = InboundMessage(
            providerID: "wamid.\u{0}1", sender: sender, content: .text(hostile), sentAt: store.clock.now, raw: "{\"x\":\"\u{0}\"}")
        for isFirst in [true, false] {
            let stored = try await store.brand(Self.brand).write { transaction in
                let user = try transaction.resolveUser(
                    channel: ChannelName(rawValue: "whatsapp"), sender: sender, tier: "verified", verified: true)
                let running = try transaction.activeSession(instance: Self.instance, user: user)
                let session = try running?.id ?? transaction.openSession(instance: Self.instance, user: user)
                return try transaction.insertInbound(
                    message, content: CanonicalJSON.text(message.content.json), id: MessageID(transaction.newID()), session: session,
                    instance: Self.instance, user: user)
            }
            #expect(stored == isFirst)
        }
        let (id, user) = try await store.brand(Self.brand).read { transaction in
            let match = try transaction.match(sender, channel: ChannelName(rawValue: "whatsapp"))
            return (
                try transaction.inboundMessage(providerID: message.providerID, instance: Self.instance),
                try match.user.flatMap { try transaction.user($0) }
            )
        }
        #expect(id != nil && user?.profileName == hostile && user?.identifiers.map(\.value) == ["+1\u{0}5"])
        try await temporary.remove()
    }
}
