import Conversation
import Foundation
import JSON
import Testing

/// What arrives at the webhook: sorted to its brand, kept when nobody can read it, turned away when it is not signed.
@Suite(.serialized) struct IntakeTests {
    private static let strangeNumber = "106540352249999"

    @Test func oneWebhookForTwoBrandsAndAStrangerIsSortedAndTheRestReplayedLater() async throws {
        try await Rig.with { rig in
            let answer = try await rig.webhook(Self.mixed())
            #expect(answer.status == 200)
            #expect(answer.json == ["accepted": 8, "duplicates": 0, "ignored": 0, "quarantined": 2])
            try await eventually("everybody known is answered") {
                for phone in ["15550011001", "15550011002", "15550011003", "15550011004", "15550011005"]
                where try await rig.replies(to: phone).isEmpty { return false }
                return true
            }
            #expect(
                try await Set(rig.inbound("salon").compactMap(Self.text)) == ["hello salon", "thanks salon", "broken \u{FFFD} character"])
            #expect(try await Set(rig.inbound("jobs").compactMap(Self.text)) == ["hello jobs", "thanks jobs"])
            try await Self.replayOnceConfigured(rig)
        }
    }

    private static func replayOnceConfigured(_ rig: Rig) async throws {
        let kept = try await rig.quarantine()
        #expect(kept.count == 2)
        let malformed = try #require(kept.first { $0["brand"] == "salon" }?["id"]?.string)
        let stranger = try #require(kept.first { $0["brand"]?.isNull == true && $0["account"] == .string(strangeNumber) }?["id"]?.string)
        for id in [malformed, stranger] {
            rig.expectProblem(
                try await rig.post("\(rig.gatewayURL)/v1/quarantine/\(id)/replay", key: rig.operatorKey), 409, "not yet replayable")
        }
        #expect(
            try await rig.webhook(
                Rig.delivery([(strangeNumber, ["messages": [Rig.textMessage("one more", from: "15550011007", id: "wamid.more")]])])
            ).status == 200)
        let second = try #require(
            try await rig.quarantine().first { $0["id"] != .string(malformed) && $0["id"] != .string(stranger) }?["id"]?.string)
        try rig.apply(
            (
                "brands/jobs/brand.yaml", "instances:\n",
                "instances:\n  - { id: jobs-second, channel: whatsapp, app: main, phone_number_id: \"\(strangeNumber)\", "
                    + "access_token: \"${JOBS_WHATSAPP_TOKEN}\" }\n"
            ))
        try await rig.restartGateway()
        let url = "\(rig.gatewayURL)/v1/quarantine/\(stranger)/replay"
        let replayed = try await rig.post(url, key: rig.operatorKey)
        #expect(replayed.status == 200 && replayed.json["accepted"] == 1)
        rig.expectProblem(try await rig.post(url, key: rig.operatorKey), 409, "a second replay")
        let command = try await rig.run(["quarantine", "replay", second] + rig.deskOptions)
        #expect(command.code == 0 && command.out.contains("\"replayed\""), "\(command)")
        #expect(try await rig.run(["quarantine", "replay", second] + rig.deskOptions).code == 1)
        try await eventually("what was replayed is dealt with") {
            try await rig.inbound("jobs").filter { ["hello stranger", "one more"].contains(text($0)) && $0["outcome"]?.string != nil }.count
                == 2
        }
        #expect(try await rig.inbound("salon").count == 3)
        rig.expectProblem(
            try await rig.post("\(rig.gatewayURL)/v1/quarantine/\(malformed)/replay", key: rig.operatorKey), 409, "still unreadable")
    }

    @Test func whateverIsNotSignedAsItShouldBeChangesNoTable() async throws {
        try await Rig.with { rig in
            _ = try await rig.ask("hello")
            #expect(await rig.stopGateway() == 0)
            let before = try await rig.rowCounts()
            try await rig.startGateway()
            let body = Self.one("forged", from: "15550012001")
            let good = rig.sign(body)
            let wrong = [
                "sha256=" + String(repeating: "0", count: 64), "", "sha256=", String(good.dropLast()), String(good.dropFirst(7)),
                good + "0",
                good.uppercased(), "sha256=" + good.dropFirst(7).uppercased(), "sha1=" + good.dropFirst(7), good + ", " + good,
                " " + good + "x",
                rig.sign(body, secret: "another secret altogether"), rig.sign(body, secret: "main"), rig.sign(body + [10]),
            ]
            for signature in wrong { rig.expectProblem(try await rig.webhook(body, signature: signature), 401, "signature \(signature)") }
            let url = "\(rig.gatewayURL)/webhooks/whatsapp/main"
            rig.expectProblem(try await rig.send("POST", url, body: body), 401, "no signature")
            let twice = [(name: "X-Hub-Signature-256", value: good), (name: "X-Hub-Signature-256", value: good)]
            rig.expectProblem(try await rig.send("POST", url, headers: twice, body: body), 401, "two signatures")
            let respelled = Array(String(decoding: body, as: UTF8.self).replacingOccurrences(of: "\":", with: "\": ").utf8)
            #expect(try JSONValue(parsing: respelled) == JSONValue(parsing: body))
            rig.expectProblem(try await rig.webhook(respelled, signature: good), 401, "the same JSON in other bytes")
            #expect(await rig.stopGateway() == 0)
            let changed = try await rig.rowCounts().filter { $0.value != before[$0.key] }
            #expect(changed.isEmpty, "\(changed), and before it was \(before)")
        }
    }

    @Test func signedGarbageIsAcknowledgedAndKept() async throws {
        try await Rig.with { rig in
            let object = #"{"object":"whatsapp_business_account","entry":"#
            let garbage: [(String, [UInt8])] = [
                ("not JSON", Array("hello".utf8)), ("cut off", Array((object + #"[{"changes""#).utf8)), ("empty", []),
                ("arrays 100,000 deep", Array(repeating: UInt8(ascii: "["), count: 100_000)),
                (
                    "objects 100,000 deep",
                    Array((String(repeating: #"{"a":"#, count: 100_000) + "1" + String(repeating: "}", count: 100_000)).utf8)
                ),
                ("array root", Array("[]".utf8)), ("string root", Array("\"text\"".utf8)), ("null root", Array("null".utf8)),
                ("huge number", Array((object + String(repeating: "9", count: 500) + "}").utf8)),
                ("invalid UTF-8", [0xFF, 0xFE, 0xC3, 0x28]), ("zero bytes", [0, 0, 0]),
                ("wrong object", Array(#"{"object":"page","entry":[]}"#.utf8)), ("entry is no array", Array((object + "{}}").utf8)),
            ]
            for (name, body) in garbage {
                let answer = try await rig.webhook(body)
                #expect(answer.status == 200, "\(name)")
                #expect(answer.json == ["accepted": 0, "duplicates": 0, "ignored": 0, "quarantined": 1], "\(name)")
            }
            let kept = try await rig.quarantine()
            #expect(kept.count == garbage.count)
            let first = try #require(kept.last?["id"]?.string)
            #expect(try await rig.get("\(rig.gatewayURL)/v1/quarantine/\(first)", key: rig.operatorKey).json["body"] == "hello")
            #expect(rig.gateway?.isRunning == true)
            #expect(try await rig.ask("hello").isEmpty == false)
        }
    }

    @Test func theLimitTheAppAndTheHandshakeAreChecked() async throws {
        try await Rig.with { rig in
            let space = UInt8(ascii: " ")
            rig.expectProblem(try await rig.webhook(Array(repeating: space, count: 4 << 20 | 1)), 413, "a byte over 4 MiB")
            #expect(try await rig.webhook(Array(repeating: space, count: 4 << 20)).status == 200)
            rig.expectProblem(try await rig.webhook(Array("{}".utf8), app: "other"), 404, "an unknown app")
            let token = try #require(rig.environment["WHATSAPP_VERIFY_TOKEN"])
            let handshake = "\(rig.gatewayURL)/webhooks/whatsapp/main?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token="
            let answer = try await rig.get(handshake + token)
            #expect(answer.status == 200 && answer.text == "1158201444")
            rig.expectProblem(try await rig.get(handshake + "wrong"), 403, "a wrong token")
            rig.expectProblem(try await rig.get(handshake), 403, "an empty token")
            rig.expectProblem(
                try await rig.get(handshake.replacingOccurrences(of: "=subscribe", with: "=other") + token), 403, "another mode")
            rig.expectProblem(
                try await rig.get("\(rig.gatewayURL)/webhooks/whatsapp/other?hub.mode=subscribe&hub.verify_token=\(token)"), 404,
                "another app")
        }
    }

    @Test func aBodyThatDripsIsCutOffAndTheNextOneIsServed() async throws {
        let hurried = [("switchboard.yaml", "request_timeout_s: 15", "request_timeout_s: 1")]
        try await Rig.with(.init(edits: hurried)) { rig in
            let head = "POST /webhooks/whatsapp/main HTTP/1.1\r\nHost: gateway\r\nContent-Length: 100000\r\n\r\n"
            let said = try await SlowClient(port: rig.gatewayPort, head).drip(every: .milliseconds(50), within: .seconds(10))
            let answer = try #require(said, "still connected")
            #expect(answer.hasPrefix("HTTP/1.1 408 ") && answer.contains("application/problem+json"), "\(answer)")
            #expect(try await rig.ask("hello").isEmpty == false)
            #expect(await rig.stopGateway() == 0)
        }
    }

    @Test func aHeadThatDripsIsCutOnAnAbsoluteDeadline() async throws {
        let hurried = [("switchboard.yaml", "request_timeout_s: 15", "request_timeout_s: 1")]
        try await Rig.with(.init(edits: hurried)) { rig in
            for start in ["", "GET /healthz HTTP/1.1\r\nHost: gateway\r\n\r\n"] {
                let client = try SlowClient(port: rig.gatewayPort, start + "POST /webhooks/whatsapp/main HTTP/1.1\r\nX-Slow: ")
                let said = try await client.drip(every: .milliseconds(50), within: .seconds(10))
                #expect(try #require(said, "still connected").hasPrefix(start.isEmpty ? "" : "HTTP/1.1 200 "))
            }
            #expect(try await rig.ask("hello").isEmpty == false)
        }
    }

    @Test func theSecretOfOneAppDoesNotSpeakForTheNumberOfAnother() async throws {
        let other = "test-other-app-secret-\(UUID())"
        let environment = ["OTHER_APP_SECRET": other, "OTHER_VERIFY_TOKEN": "test-other-verify-token"]
        try await Rig.with(.init(environment: environment, startsGateway: false)) { rig in
            try rig.copyChannels()
            try rig.apply(
                (
                    "../channels/WhatsApp/channel.yaml", "apps:\n",
                    "apps:\n  other: { app_secrets: [\"${OTHER_APP_SECRET}\"], verify_token: \"${OTHER_VERIFY_TOKEN}\", "
                        + "graph_url: \"${WHATSAPP_GRAPH_URL}\" }\n"
                ))
            try await rig.startGateway()
            let body = Self.one("cancel my appointment", from: "15550013001")
            #expect(try await rig.webhook(body, app: "main", signature: rig.sign(body, secret: other)).status == 401)
            let answer = try await rig.webhook(body, app: "other", signature: rig.sign(body, secret: other))
            #expect(answer.status == 200)
            #expect(answer.json == ["accepted": 0, "duplicates": 0, "ignored": 0, "quarantined": 1])
            let kept = try await rig.quarantine()
            #expect(kept.count == 1 && kept.first?["app"] == "other" && kept.first?["brand"]?.isNull == true)
            let id = try #require(kept.first?["id"]?.string)
            rig.expectProblem(
                try await rig.post("\(rig.gatewayURL)/v1/quarantine/\(id)/replay", key: rig.operatorKey), 409, "still another app's")
            #expect(try await rig.sessions("salon").isEmpty)
        }
    }

    // MARK: Bodies

    private static func text(_ message: JSONValue) -> String? { message["content"]?["text"]?.string ?? message["content"]?["body"]?.string }

    private static func one(_ text: String, from: String) -> [UInt8] {
        Rig.delivery([(Rig.salonNumber, ["messages": [Rig.textMessage(text, from: from, id: "wamid.\(UUID())")]])])
    }

    private static func status(_ name: String, _ id: String) -> JSONValue {
        ["id": .string(id), "status": .string(name), "timestamp": "1760000000", "recipient_id": "15550011001"]
    }

    /// Five messages, three statuses, one message without an id and one with half a character.
    private static func mixed() -> [UInt8] {
        let body = Rig.delivery([
            (
                Rig.salonNumber,
                [
                    "messages": [
                        Rig.textMessage("hello salon", from: "15550011001", id: "wamid.s1"),
                        ["from": "15550011009", "type": "text", "timestamp": "1760000000", "text": ["body": "no id"]],
                        Rig.textMessage("thanks salon", from: "15550011002", id: "wamid.s2"),
                        Rig.textMessage("broken HALF character", from: "15550011003", id: "wamid.s3"),
                    ]
                ]
            ),
            (
                Rig.jobsNumber,
                [
                    "messages": [
                        Rig.textMessage("hello jobs", from: "15550011004", id: "wamid.j1"),
                        Rig.textMessage("thanks jobs", from: "15550011005", id: "wamid.j2"),
                    ]
                ]
            ),
            (Rig.jobsNumber, ["statuses": [status("delivered", "wamid.o1"), status("read", "wamid.o1")]]),
            (strangeNumber, ["messages": [Rig.textMessage("hello stranger", from: "15550011006", id: "wamid.u1")]]),
            (Rig.salonNumber, ["statuses": [status("sent", "wamid.o2")]]),
        ])
        return Array(String(decoding: body, as: UTF8.self).replacingOccurrences(of: "HALF", with: "\\ud83d").utf8)
    }
}
