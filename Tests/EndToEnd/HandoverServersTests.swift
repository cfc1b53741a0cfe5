import Conversation
import Foundation
import JSON
import TestKit
import Testing

/// A customer on WhatsApp, the gateway, and a ticket system that others wrote: the whole way there and back.
@Suite(.serialized) struct HandoverServersTests {
    private static let wish = "I want to talk to a person"

    @Test func requestTrackerIsAskedForItsAnswersAndClosings() async throws {
        let tracker = try await RequestTracker.start()
        let yaml = """
            channel: ticket
            desk:
              id: rt
              kind: request_tracker
              base_url: "\(tracker.url)"
              user: \(RequestTracker.gateway.user)
              password: "${SALON_DESK_PASSWORD}"
              queue: \(RequestTracker.queue)
              poll_interval_s: 1
              timeout_s: 30
              allow_private_addresses: ["127.0.0.1"]
            """
        await Self.run(stop: tracker.stop) {
            try await Self.with(yaml, ["SALON_DESK_PASSWORD": RequestTracker.gateway.password]) { rig in
                try await Self.wayThereAndBack(rig, tracker)
            }
        }
    }

    @Test func roundupBehindItsBridgeSpeaksTheGenericWebhook() async throws {
        var options = Rig.Options(environment: ["SALON_DESK_SECRET": Roundup.secret.reveal()])
        options.startsGateway = false
        try await Rig.with(options) { rig in
            let tracker = try await Roundup.start()
            let yaml = """
                channel: ticket
                desk:
                  id: desk
                  kind: webhook
                  base_url: "\(tracker.url)"
                  webhook_secret: "${SALON_DESK_SECRET}"
                  poll_interval_s: 1
                  timeout_s: 30
                  allow_private_addresses: ["127.0.0.1"]
                """
            await Self.run(stop: tracker.stop) {
                try yaml.write(toFile: rig.config + "/brands/salon/handover.yaml", atomically: true, encoding: .utf8)
                try await rig.startGateway()
                try await Self.wayThereAndBack(rig, tracker)
            }
        }
    }

    /// One ticket with the conversation; the next words in it; an answer on the customer's phone; the end gives the conversation back.
    private static func wayThereAndBack(_ rig: Rig, _ world: some DeskWorld) async throws {
        try await rig.ask("hello there")
        try await rig.ask(wish)
        var shown: JSONValue = .null
        try await eventually("a ticket", within: .seconds(60)) {
            shown = try await rig.handovers().first ?? .null
            return shown["ticket_id"]?.string != nil
        }
        let reference = try #require(shown["id"]?.string.flatMap { HandoverID($0) })
        let ticket = DeskTicket(id: try #require(shown["ticket_id"]?.string))
        #expect(try await world.tickets(reference) == 1)
        try await rig.say("may I bring my dog along?")
        try await eventually("the next words in the ticket", within: .seconds(60)) {
            try await world.entries(of: ticket).contains { $0.text.contains("may I bring my dog along?") }
        }
        let entries = try await world.entries(of: ticket)
        #expect(entries.contains { $0.text.contains("hello there") }, "the history: \(entries)")
        // Dead in the middle, and alive again: people still have the conversation.
        await rig.killGateway()
        try await rig.startGateway()
        let count = try await rig.replies().count
        try await world.write("Yes, dogs are welcome.", isInternal: false, in: ticket)
        try await rig.reply(with: "Yes, dogs are welcome.", after: count, within: .seconds(60))
        try await world.setClosed(true, ticket)
        try await rig.reply(with: "I'm back", after: count, within: .seconds(60))
        let answer = try await rig.ask("hello again")
        #expect(!answer.isEmpty)
        let texts = try await rig.texts()
        #expect(texts.filter { $0.contains("dogs are welcome") }.count == 1, "\(texts)")
        #expect(!texts.contains { $0.contains("bring my dog") }, "our own words never come back: \(texts)")
        #expect(try await world.tickets(reference) == 1)
        #expect(try await rig.handovers().first?["state"] == "closed")
    }

    // MARK: Support

    private static func with(_ yaml: String, _ environment: [String: String], _ body: (Rig) async throws -> Void) async throws {
        var options = Rig.Options(environment: environment)
        options.startsGateway = false
        try await Rig.with(options) { rig in
            try yaml.write(toFile: rig.config + "/brands/salon/handover.yaml", atomically: true, encoding: .utf8)
            try await rig.startGateway()
            try await body(rig)
        }
    }

    /// Takes the ticket system down afterwards, whatever happened.
    private static func run(stop: () async -> Void, _ body: () async throws -> Void) async {
        do { try await body() } catch { Issue.record("\(error)") }
        await stop()
    }
}
