import Conversation
import Storage
import TestKit
import Testing

@testable import Gateway

struct IntakeWriterTests {
    private func take(_ id: String, from name: String, also: [Identifier] = [], _ world: PageWorld) async throws -> IntakeReceipt {
        let sender = Sender(identifiers: [Identifier(kind: .guest, value: "d-1")] + also, profileName: name)
        let message = InboundMessage(providerID: id, sender: sender, content: .text("hello"), sentAt: world.clock.now)
        let address = InstanceAddress(channel: PageWorld.salon.channel, app: "page", account: PageWorld.salon.id.rawValue)
        return try await world.brand().write { transaction in
            var receipt = IntakeReceipt()
            let writer = IntakeWriter(
                transaction: transaction, instance: PageWorld.salon, tiers: ["visitor", "member"], provesIdentity: false, keepsFeed: false,
                content: nil)
            try writer.store(.message(message, address, raw: { [] }), &receipt)
            return receipt
        }
    }

    private func users(_ world: PageWorld) async throws -> [User] {
        try await world.brand().read { transaction in
            try transaction.sessions(after: nil, limit: 10).compactMap { try transaction.user($0.user) }
        }
    }

    @Test func aLateCopyOfAnOldMessageChangesNothingAboutItsSender() async throws {
        try await PageWorld.with { world in
            #expect(try await take("m-1", from: "Old name", world).accepted == 1)
            #expect(try await take("m-2", from: "New name", world).accepted == 1)
            let late = Identifier(kind: .email, value: "late@example.com")
            #expect(try await take("m-1", from: "Old name", also: [late], world).duplicates == 1)
            let user = try #require(try await users(world).first)
            #expect(user.profileName == "New name" && user.identifiers.count == 1)
            #expect(try await take("m-3", from: "New name", also: [late], world).accepted == 1)
            #expect(try await users(world).first?.identifiers.count == 2)
        }
    }
}
