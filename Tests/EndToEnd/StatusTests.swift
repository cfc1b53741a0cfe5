import Conversation
import Foundation
import Testing

@Suite(.serialized) struct StatusTests {
    private let phone = "15550001111"

    /// A reply that the stand-in accepted: its platform id, our reference, and the session it belongs to.
    private struct Sent {
        var providerID: String
        var reference: String
        var session: String
    }

    private func withoutStatuses(_ rig: Rig) async throws { try await rig.fault(["path": "/graph", "statuses": []]) }

    private func sent(_ rig: Rig, to phone: String) async throws -> Sent {
        var found: JSONValue?
        try await eventually("the reply is accepted") {
            found = try await rig.replies(to: phone).last
            return found != nil
        }
        let session = try #require(try await rig.sessions(of: phone).first)
        return Sent(
            providerID: try #require(found?["id"]?.string), reference: try #require(found?["message"]?["biz_opaque_callback_data"]?.string),
            session: session)
    }

    // MARK: Orders

    private static let ranks = ["sent": 10, "failed": 20, "delivered": 30, "read": 40]

    private static func permutations(_ items: [String]) -> [[String]] {
        guard let first = items.first else { return [[]] }
        return permutations(Array(items.dropFirst())).flatMap { rest in
            (0...rest.count).map { Array(rest[..<$0]) + [first] + Array(rest[$0...]) }
        }
    }

    @Test func theStatusOfAReplyNeverMovesBackwards() async throws {
        try await Rig.with { rig in
            try await withoutStatuses(rig)
            let orders = Self.permutations(["sent", "failed", "delivered", "read"])
            #expect(orders.count == 24)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in orders.indices { group.addTask { try await rig.say("when are you open", from: "1555000\(4000 + number)") } }
                try await group.waitForAll()
            }
            try await rig.drain()
            for (number, order) in orders.enumerated() { try await follow(rig, order, phone: "1555000\(4000 + number)") }
        }
    }

    private func follow(_ rig: Rig, _ order: [String], phone: String) async throws {
        let reply = try await sent(rig, to: phone)
        var highest = 0
        var seen: [String] = []
        // Each comes twice; the second time also without our own reference, found by the platform's id alone.
        for status in order.flatMap({ [$0, $0] }) {
            let reference = seen.last == status ? nil : reply.reference
            let answer = try await rig.webhook(Rig.status(status, of: reply.providerID, reference: reference, to: phone))
            #expect(answer.status == 200 && answer.json["accepted"] == 1)
            seen.append(status)
            highest = max(highest, Self.ranks[status] ?? 0)
            let shown = try await rig.outbound(reply.reference, session: reply.session)?["status"]?.string
            #expect(Self.ranks[shown ?? ""] == highest, "after \(seen) the status is \(shown ?? "none")")
        }
        let last = try await rig.outbound(reply.reference, session: reply.session)
        #expect(last?["status"] == "read" && last?["send_state"] == "sent" && last?["provider_message_id"]?.string == reply.providerID)
    }

    // MARK: Sends whose end nobody saw

    /// Dies right after the channel took the reply, and is started again.
    private func dieAfterSending(_ rig: Rig) async throws {
        try await rig.startGateway(["SWITCHBOARD_CRASH_AT": CrashPoint.sentToChannelIDNotStored.name])
        try await rig.say("when are you open", from: phone)
        await rig.exited(try #require(rig.gateway))
        #expect(rig.gateway?.terminationReason == .uncaughtSignal)
        try await rig.startGateway()
    }

    private static func stopped(_ unknownReply: String = "45") -> Rig.Options {
        var options = Rig.Options(edits: [(file: "switchboard.yaml", from: "unknown_reply_s: 45", to: "unknown_reply_s: \(unknownReply)")])
        options.startsGateway = false
        return options
    }

    @Test func aReplyThatDiedOnTheWayIsUnknownUntilItsStatusSettlesIt() async throws {
        try await Rig.with(Self.stopped()) { rig in
            try await withoutStatuses(rig)
            try await dieAfterSending(rig)
            let reply = try await sent(rig, to: phone)
            try await eventually("the reply is marked unknown") {
                try await rig.outbound(reply.reference, session: reply.session)?["send_state"] == "unknown"
            }
            #expect(
                try await rig.webhook(Rig.status("delivered", of: reply.providerID, reference: reply.reference, to: phone)).status == 200)
            let settled = try await rig.outbound(reply.reference, session: reply.session)
            #expect(settled?["send_state"] == "sent" && settled?["status"] == "delivered")
            #expect(settled?["provider_message_id"]?.string == reply.providerID)
            #expect(try await rig.deadLetters().isEmpty)
            #expect(try await rig.replies(to: phone).count == 1)
        }
    }

    @Test func theStatusesThatThePlatformSendsByItselfSettleAReplyThatDiedOnTheWay() async throws {
        try await Rig.with(Self.stopped("2")) { rig in
            try await dieAfterSending(rig)
            let reply = try await sent(rig, to: phone)
            try await eventually("the reply is read") {
                try await rig.outbound(reply.reference, session: reply.session)?["status"] == "read"
            }
            try await rig.drain()
            #expect(try await rig.outbound(reply.reference, session: reply.session)?["send_state"] == "sent")
            #expect(try await rig.deadLetters().isEmpty)
            #expect(try await rig.replies(to: phone).count == 1)
        }
    }

    @Test func aReplyWithoutAStatusBecomesADeadLetterWhichALateStatusSettles() async throws {
        try await Rig.with(Self.stopped("1")) { rig in
            try await withoutStatuses(rig)
            try await dieAfterSending(rig)
            let reply = try await sent(rig, to: phone)
            try await eventually("the dead letter") { try await rig.deadLetters().count == 1 }
            let letter = try #require(try await rig.deadLetters().first)
            #expect(letter["kind"] == "unknown" && letter["state"] == "open")
            #expect(try await rig.outbound(reply.reference, session: reply.session)?["send_state"] == "unknown")
            // There is nothing to run again: sending it once more could double it.
            let redrive = try await rig.post(
                rig.gatewayURL + "/v1/dead-letters/\(letter["id"]?.string ?? "")/redrive", key: rig.adminKey("salon"))
            #expect(redrive.status == 409)

            #expect(try await rig.webhook(Rig.status("read", of: reply.providerID, reference: reply.reference, to: phone)).status == 200)
            #expect(try await rig.deadLetters().first?["state"] == "settled")
            let settled = try await rig.outbound(reply.reference, session: reply.session)
            #expect(settled?["send_state"] == "sent" && settled?["status"] == "read")
            #expect(try await rig.replies(to: phone).count == 1)
        }
    }

    /// The connection breaks after the platform took the reply; its statuses and our own note that nobody knows cross each other.
    @Test func aStatusThatCrossesTheLossOfTheAnswerIsNotForgotten() async throws {
        var options = Self.stopped("1")
        options.startsGateway = true
        try await Rig.with(options) { rig in
            try await rig.fault(["path": "/graph", "drop": "after"])
            let phones = (0..<30).map { "1555000\(3000 + $0)" }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for phone in phones { group.addTask { try await rig.say("when are you open", from: phone) } }
                try await group.waitForAll()
            }
            try await eventually("all were sent") {
                for phone in phones where try await rig.replies(to: phone).count != 1 { return false }
                return true
            }
            try await rig.drain()
            let open = try await rig.deadLetters().filter { $0["state"] == "open" }
            #expect(open.isEmpty, "\(open.count) replies that have a status are dead letters")
            for phone in phones { #expect(try await rig.replies(to: phone).count == 1) }
            #expect(await rig.stopGateway() == 0)
            #expect(try await rig.count("SELECT count(*) FROM messages WHERE direction = 'out' AND send_state <> 'sent'") == 0)
        }
    }
}
