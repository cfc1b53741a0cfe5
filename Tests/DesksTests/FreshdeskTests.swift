import Conversation
import TestKit
import Testing

@testable import Desks

@Suite struct FreshdeskTests {
    private func events(_ call: ChannelRequest, at now: Timestamp = SystemClock().now) throws -> [DeskEvent] {
        try FreshdeskWorld.make(callsUs: true).desk.events(in: call, now: now)
    }

    @Test func aRuleSaysWhichTicketToLookAt() throws {
        let reference = HandoverID(Sample.ids.next())
        let tags = "vip, switchboard, \(FreshdeskDesk.tag(reference))"
        let event = try #require(try events(FreshdeskWorld.filled(ticket: "7", tags: tags)).first)
        #expect(event.kind == .changed && event.ticket == "7" && event.reference == reference)
        #expect(FreshdeskDesk.tag(reference).count == 32)
    }

    @Test func aWrongSecretIsUnproven() throws {
        for secret in ["another-secret-of-length", "a-secret-of-some-lengt", "A-SECRET-OF-SOME-LENGTH"] {
            let call = FreshdeskWorld.filled(ticket: "7", secret: Secret(secret))
            do throws(DeskError) {
                _ = try FreshdeskWorld.reader().events(in: call, now: SystemClock().now)
                Issue.record("a wrong secret was taken")
            } catch {
                #expect(error.outcome == .unproven)
            }
        }
    }

    @Test(arguments: [
        "", "{}", "[]", "{\"tags\":\"7\"}", "{\"ticket\":\"seven\"}", "{\"ticket\":\"7", "{\"ticket\":-7}",
    ])
    func aBodyInAnotherFormIsRefused(_ body: String) throws {
        let call = channelRequest([("X-Switchboard-Secret", FreshdeskWorld.secret.reveal())], Array(body.utf8))
        do throws(DeskError) {
            _ = try FreshdeskWorld.reader().events(in: call, now: SystemClock().now)
            Issue.record("\(body) was read")
        } catch {
            #expect(error.outcome == .refused)
        }
    }

    /// A brand with more new tickets than are listed is searched.
    @Test func anOldTicketIsFoundBySearch() async throws {
        let world = try FreshdeskWorld.make(callsUs: false)
        let reference = HandoverID(Sample.ids.next())
        let ticket = try await world.desk.open(Sample.draft(reference))
        world.change { board in for _ in 1...1_200 { board.tickets.append(Board.Ticket(id: board.number(), subject: "other")) } }
        #expect(try await world.desk.find(reference)?.id == ticket.id)
        #expect(world.board.requests.last == "GET /api/v2/search/tickets")
    }
}

extension FreshdeskWorld {
    /// A desk that only reads calls.
    static func reader() throws(DeskError) -> any TicketDesk {
        let configuration = DeskConfiguration(
            id: "d", kind: .freshdesk, baseURL: "https://desk.test", token: Secret("key"), webhookSecret: secret)
        guard let desk = try? Desks.make(configuration, http: NoClient()) else { throw DeskError(.refused, "no desk") }
        return desk
    }
}
