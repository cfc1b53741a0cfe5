import Conversation
import Foundation
import JSON
import Testing

/// Systems that answer with malice or nonsense, addresses in disguise, floods, and what must never be written down.
@Suite(.serialized) struct HostileTests {
    /// Short waits, so that every attempt is over within a second.
    private static let impatient: [(file: String, from: String, to: String)] = [
        ("brands/salon/actions.yaml", "retry: { attempts: 5, backoff_s: [2, 4, 8, 16] }", "retry: { attempts: 3, backoff_s: [0.1, 0.2] }"),
        (
            "brands/salon/actions.yaml", "      sunday: /hours/sun\n    safety: read",
            "      sunday: /hours/sun\n    safety: read\n    retry: { attempts: 2, backoff_s: [0.1] }"
        ),
        ("brands/salon/actions.yaml", "    timeout_s: 30\n", "    timeout_s: 5\n"),
    ]

    private static let kinds: [(name: String, fault: [String: JSONValue])] = [
        ("an endless body", ["body_bytes": "endless"]), ("a gzip bomb", ["gzip_bytes": 67_108_864]),
        ("300 KB of headers", ["header_bytes": 300_000]), ("a redirect", ["redirect": "http://127.0.0.1:1/salon/bookings"]),
        ("something else than JSON", ["garbage": true]), ("a connection cut before", ["drop": "before"]),
        ("a connection cut after", ["drop": "after"]),
    ]
    /// One for each kind, within the salon's hours.
    private static let times = ["9:30am", "10:30am", "11:30am", "1:30pm", "2:30pm", "3:30pm", "4:30pm"]
    /// Words that say that there is no booking.
    private static let denials = ["nothing has been booked", "nothing was changed", "couldn't reach", "not booked"]

    @Test func aBookingSurvivesOneHostileAnswerOfEachKind() async throws {
        try await Rig.with(.init(edits: Self.impatient)) { rig in
            for (index, phone) in ["15550030001", "15550030002"].enumerated() { _ = try await Self.book(rig, phone, hour: 9 + index) }
            let before = try rig.gatewayMemory()
            for (index, kind) in Self.kinds.enumerated() {
                let phone = "1555003100\(index)"
                let question = try await rig.ask("book a haircut on Wednesday at \(Self.times[index])", from: phone)
                #expect(question.contains(":30"), "\(kind.name): \(question)")
                try await rig.fault(kind.fault.merging(["path": "/salon/bookings", "method": "POST", "times": 1]) { $1 })
                let earlier = try await rig.arrived("/salon/bookings", method: "POST").count
                let told = try await Self.confirm(rig, phone) { $0.contains("bk-1") }
                let calls = try await rig.arrived("/salon/bookings", method: "POST").dropFirst(earlier)
                #expect(calls.count == 2, "\(kind.name): \(calls.count) calls")
                #expect(Set(calls.map { $0["headers"]?["idempotency-key"]?.string ?? "" }).count == 1, "\(kind.name)")
                #expect(Set(calls.map { $0["body"]?.string ?? "" }).count == 1, "\(kind.name)")
                #expect(Self.denials.allSatisfy { !told.contains($0) }, "\(kind.name): \(told)")
            }
            #expect(try await rig.bookings().count == Self.kinds.count + 2)
            #expect(try await rig.deadLetters("salon").isEmpty)
            let grown = try rig.gatewayMemory() - before
            #expect(grown <= 16 << 20, "memory grew by \(grown >> 20) MiB")
        }
    }

    @Test func aBookingThatNobodyCanConfirmIsNeverDeniedAndCanBeDrivenAgain() async throws {
        try await Rig.with(.init(edits: Self.impatient)) { rig in
            _ = try await Self.book(rig, "15550032009", hour: 9)
            let before = try rig.gatewayMemory()
            for (index, kind) in Self.kinds.enumerated() {
                let phone = "1555003200\(index)"
                _ = try await rig.ask("book a haircut on Wednesday at \(Self.times[index])", from: phone)
                try await rig.fault(kind.fault.merging(["path": "/salon/bookings", "method": "POST"]) { $1 })
                let letters = try await rig.deadLetters("salon", kind: "action").count
                let told = try await Self.confirm(rig, phone) { $0.contains("could not confirm whether") }
                #expect(Self.denials.allSatisfy { !told.contains($0) }, "\(kind.name): \(told)")
                #expect(!told.contains("bk-1"), "\(kind.name): \(told)")
                try await eventually("a dead letter after \(kind.name)") {
                    try await rig.deadLetters("salon", kind: "action").count > letters
                }
                try await rig.clearFaults()
                let letter = try #require(try await rig.deadLetters("salon", kind: "action").first)
                #expect(letter["reason"] == "unknown" && letter["state"] == "open", "\(kind.name): \(letter)")
                let replies = try await rig.replies(to: phone).count
                let id = letter["id"]?.string ?? ""
                #expect(try await rig.post("\(rig.gatewayURL)/v1/dead-letters/\(id)/redrive", key: rig.adminKey("salon")).status == 200)
                let last = try await rig.nextReply(after: replies, to: phone, said: "redrive after \(kind.name)")
                #expect(last.contains("bk-1"), "\(kind.name): \(last)")
            }
            #expect(try await rig.bookings().count == Self.kinds.count + 1)
            let grown = try rig.gatewayMemory() - before
            #expect(grown <= 16 << 20, "memory grew by \(grown >> 20) MiB")
        }
    }

    @Test func loopbackInDisguiseIsNeverCalled() async throws {
        let guarded = [("brands/salon/brand.yaml", "  allow_private_addresses: [\"127.0.0.1\"]\n", "")]
        try await Rig.with(.init(edits: Self.impatient + guarded, startsGateway: false)) { rig in
            let hosts = [
                "127.0.0.1", "localhost", "127.1", "2130706433", "0x7f.1", "0177.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0",
                "localhost.", "[::ffff:7f00:1]",
            ]
            for (index, host) in hosts.enumerated() {
                try await rig.startGateway(["SALON_API_URL": "http://\(host):\(rig.sandboxPort)/salon"])
                let phone = "155500330" + (index < 10 ? "0\(index)" : "\(index)")
                let letters = try await rig.deadLetters("salon", kind: "action").count
                try await rig.say("what are your opening hours", from: phone)
                try await eventually("the customer of \(host) is told") {
                    try await rig.replies(to: phone).contains {
                        $0["text"]?.string?.contains("couldn't look up our opening hours") == true
                    }
                }
                try await eventually("a dead letter for \(host)") {
                    try await rig.deadLetters("salon", kind: "action").count == letters + 1
                }
                #expect(try await rig.get(rig.gatewayURL + "/healthz").status == 200)
                #expect(await rig.stopGateway() == 0, "\(host)")
            }
            // What is no plain host does not get past the configuration, and costs only that brand.
            for host in ["①②⑦.0.0.1", "somebody@127.0.0.1"] {
                try await rig.startGateway(["SALON_API_URL": "http://\(host):\(rig.sandboxPort)/salon"])
                let body = Rig.delivery([
                    (Rig.salonNumber, ["messages": [Rig.textMessage("hello", from: "15550033100", id: "wamid.\(host)")]])
                ])
                #expect(try await rig.webhook(body).json["quarantined"] == 1, "\(host)")
                #expect(try await !rig.ask("hello", from: "15550033101", instance: "jobs-whatsapp").isEmpty)
                #expect(await rig.stopGateway() == 0, "\(host)")
            }
            #expect(try await rig.arrived("/salon").isEmpty)
        }
    }

    @Test func whatIdentifiesACustomerOrOpensADoorIsNeverWrittenDown() async throws {
        var options = Rig.Options(edits: Self.impatient)
        options.logLevel = "debug"
        try await Rig.with(options) { rig in
            let canaries = [
                "15550034001", "1 555 003 4001", "555-003-4001", "canary.person@example.com", "xylophonecanary", "Marzipanstreet",
            ]
            _ = try await Self.book(rig, "15550034001", hour: 10)
            for text in [
                "hello xylophonecanary", "my mail is canary.person@example.com", "update my phone number to 555-003-4001",
                "17 Marzipanstreet", "stop",
            ] { _ = try await rig.ask(text, from: "15550034001") }
            try await rig.fault(["path": "/salon/bookings", "method": "POST", "garbage": true])
            _ = try await rig.ask("book a haircut on Thursday at 3:30pm", from: "15550034001")
            try await rig.say("yes", from: "15550034001")
            try await eventually("a dead letter") { try await !rig.deadLetters("salon", kind: "action").isEmpty }
            try await rig.refuseReplies()
            try await rig.say("hello xylophonecanary", from: "15550034001")
            try await eventually("a refused reply") { try await !rig.deadLetters("salon", kind: "delivery").isEmpty }
            var written = [
                ("the metrics", try await rig.get(rig.gatewayURL + "/metrics", key: rig.operatorKey).text),
                ("a refused webhook", try await rig.webhook(Array("xylophonecanary 15550034001".utf8), signature: "sha256=0").text),
                ("an unknown path", try await rig.get(rig.gatewayURL + "/v1/xylophonecanary").text),
                ("a bad key", try await rig.get(rig.gatewayURL + "/v1/sessions", key: "xylophonecanary").text),
            ]
            #expect(await rig.stopGateway() == 0)
            written.append(("the log", rig.gatewayLog))
            let secrets = rig.environment.filter { name, _ in ["KEY", "SECRET", "TOKEN"].contains { name.hasSuffix($0) } }
            #expect(secrets.count >= 15)
            for (place, text) in written {
                #expect(!text.isEmpty, "\(place) is empty")
                for canary in canaries where text.contains(canary) {
                    let line = text.split(separator: "\n").first { $0.contains(canary) } ?? ""
                    Issue.record("\(place) holds \(canary): \(line.prefix(600))")
                }
                for (name, value) in secrets where text.contains(value) { Issue.record("\(place) holds the value of \(name)") }
            }
        }
    }

    @Test func aFloodOfOneCustomerIsAnsweredOnceAndCostsTheNeighbourNothing() async throws {
        let limit = [("brands/salon/policies.yaml", "user_per_minute: 30", "user_per_minute: 5")]
        try await Rig.with(.init(edits: limit)) { rig in
            for number in 1...25 { try await rig.say("hello \(number)", from: "15550035001") }
            #expect(try await rig.ask("hello", from: "15550035002").contains("Hello"))
            try await eventually("every message of the flood has an outcome") {
                try await rig.inbound("salon").allSatisfy { $0["outcome"]?.string != nil }
            }
            let outcomes = try await rig.inbound("salon").compactMap { $0["outcome"]?.string }
            let dropped = outcomes.count { $0 == "dropped:rate_limited:user" }
            // The bucket fills while the test runs: by one in twelve seconds.
            #expect((17...20).contains(dropped), "\(outcomes)")
            try await eventually("what was not dropped is answered") { try await rig.replies(to: "15550035001").count >= 25 - dropped + 1 }
            let replies = try await rig.replies(to: "15550035001").compactMap { $0["text"]?.string }
            #expect(replies.count { $0.contains("That was a lot at once") } == 1, "\(replies)")
            #expect(replies.count == 25 - dropped + 1)
        }
    }

    // MARK: Steps

    private static func book(_ rig: Rig, _ phone: String, hour: Int) async throws -> String {
        _ = try await rig.ask("book a haircut on Wednesday at \(hour)am", from: phone)
        return try await confirm(rig, phone) { $0.contains("bk-1") }
    }

    /// Says yes and waits for a reply that satisfies `isLast`; everything that was said since.
    private static func confirm(_ rig: Rig, _ phone: String, _ isLast: @escaping (String) -> Bool) async throws -> String {
        let before = try await rig.replies(to: phone).count
        try await rig.say("yes", from: phone)
        var texts: [String] = []
        do {
            try await eventually("the last word to \(phone)") {
                texts = try await rig.replies(to: phone).dropFirst(before).compactMap { $0["text"]?.string }
                return texts.contains(where: isLast)
            }
        } catch {
            throw Timeout(description: "\(error); said so far: \(texts)")
        }
        return texts.joined(separator: "\n")
    }
}
