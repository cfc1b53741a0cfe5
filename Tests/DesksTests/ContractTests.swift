import TestKit
import Testing

/// The contract of `TicketDesk`, for each driver and each way it learns what people do.
@Suite struct ContractTests {
    private func keep(_ world: ScriptedDesk) async throws {
        try await DeskContract(world).run()
        #expect(world.board.complaints.isEmpty, "the desk asks only for what is documented")
    }

    @Test func genericWebhookKeepsTheContract() async throws { try await keep(try WebhookWorld.make()) }
    @Test func requestTrackerKeepsTheContract() async throws { try await keep(try RequestTrackerWorld.make()) }
    @Test func zendeskKeepsTheContractWhenItCalls() async throws { try await keep(try ZendeskWorld.make(callsUs: true)) }
    @Test func zendeskKeepsTheContractWhenItIsAsked() async throws { try await keep(try ZendeskWorld.make(callsUs: false)) }
    @Test func freshdeskKeepsTheContractWhenItCalls() async throws { try await keep(try FreshdeskWorld.make(callsUs: true)) }
    @Test func freshdeskKeepsTheContractWhenItIsAsked() async throws { try await keep(try FreshdeskWorld.make(callsUs: false)) }
}
