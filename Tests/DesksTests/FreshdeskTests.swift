import Conversation
import TestKit
import Testing

@testable import Desks

@Suite struct FreshdeskTests {
    private func events(_ call: ChannelRequest, at now: Timestamp = SystemClock().now) throws -> [DeskEvent] {
        try FreshdeskWorld.make(callsUs: true).desk.events(in: call, now: now)
    }

    @Test func textThatBreaksTheBodyIsReadAllTheSame() throws {
        let text = "She said \"no\",\nthen \\ left: {\"event\":\"closed\"}"
        let event = try #require(try events(FreshdeskWorld.filled("reply", ticket: "7", text: text)).first)
        #expect(event.kind == .reply(text: text, attachments: []))
        #expect(event.ticket == "7")
    }

    @Test func textCannotBecomeAnotherMember() throws {
        let event = try #require(
            try events(FreshdeskWorld.filled("reply", ticket: "7", text: "x\",\"ticket\":\"8\",\"event\":\"closed")).first)
        #expect(event.ticket == "7")
        #expect(event.kind != .closed)
    }

    @Test func markupOfThePeopleBecomesText() throws {
        let call = FreshdeskWorld.filled("reply", ticket: "7", text: "<div>Hello &amp; <b>welcome</b><br>again</div>")
        #expect(try events(call).first?.kind == .reply(text: "Hello & welcome\nagain", attachments: []))
    }

    @Test func theReferenceIsReadFromTheTags() throws {
        let reference = HandoverID(Sample.ids.next())
        let call = FreshdeskWorld.filled("closed", ticket: "7", tags: "vip, switchboard, \(FreshdeskDesk.tag(reference))", text: "")
        #expect(try events(call).first?.reference == reference)
        #expect(FreshdeskDesk.tag(reference).count == 32)
    }

    @Test func aRepeatedCallIsTheSameEvent() throws {
        let now = Timestamp(seconds: 1_800_000_000)
        let closed = FreshdeskWorld.filled("closed", ticket: "7", text: "")
        #expect(try events(closed, at: now).first?.id == events(closed, at: now + .seconds(30)).first?.id)
        #expect(try events(closed, at: now).first?.id != events(closed, at: now + .seconds(1_200)).first?.id)
        let reply = FreshdeskWorld.filled("reply", ticket: "7", text: "Hello")
        #expect(try events(reply, at: now).first?.id == events(reply, at: now + .seconds(7_200)).first?.id)
    }

    @Test func aWrongSecretIsUnproven() throws {
        for secret in ["another-secret-of-length", "a-secret-of-some-lengt", "A-SECRET-OF-SOME-LENGTH"] {
            let call = FreshdeskWorld.filled("closed", ticket: "7", text: "", secret: Secret(secret))
            do throws(DeskError) {
                _ = try FreshdeskWorld.reader().events(in: call, now: SystemClock().now)
                Issue.record("a wrong secret was taken")
            } catch {
                #expect(error.outcome == .unproven)
            }
        }
    }

    @Test(arguments: [
        "", "{}", "[]", "{\"event\":\"reply\"}", "{\"event\":\"closed\",\"ticket\":\"seven\"}", "\"text\":\"",
        "{\"event\":\"x\",\"ticket\":\"7\"}",
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
