import Conversation
import Foundation
import Storage
import TestKit
import Testing

/// Events leave the real program for a real NATS, and a program in another language reads them.
@Suite(.serialized) struct BusTests {
    /// Sessions are over after a few seconds, so that one ends within a test.
    private static func options(_ url: String) -> Rig.Options {
        Rig.Options(
            edits: Rig.Options.quick.edits + [
                (file: "switchboard.yaml", from: "unknown_reply_s: 45", to: "unknown_reply_s: 1"),
                (
                    file: "brands/salon/brand.yaml", from: "    accept_guests: false\n    session_timeout_min: 30",
                    to: "    accept_guests: false\n    session_timeout_min: 0.1"
                ),
            ], bus: url)
    }

    private func with(_ body: (Rig, NATSServer, String) async throws -> Void) async throws {
        try await NATSServer.with { server in
            let url = server.freshURL()
            try await Rig.with(Self.options(url)) { try await body($0, server, url) }
        }
    }

    // MARK: What is published

    @Test func aConsumerReadsEveryEventAsItIsDocumented() async throws {
        try await with { rig, _, url in
            try await everythingHappens(rig)
            try await published(rig)
            let events = try await consume(rig, url)
            try await expectAll(events, of: "salon", rig, url)
            #expect(Set(events.compactMap { $0["type"]?.string }) == Set(BusEvent.Kind.allCases.map(\.rawValue)))
            #expect(try await consume(rig, url).isEmpty, "a second run has nothing new to read")
            let documented = try Documented()
            for event in events { documented.expect(event) }
            // For whoever writes the page: one of each, as it came.
            var shown: Set<String> = []
            for event in events {
                let name = (event["type"]?.string ?? "") + (event["data"]?["error"] == nil ? "" : " with an error")
                if shown.insert(name).inserted { print("example \(CanonicalJSON.text(event))") }
            }
        }
    }

    @Test func thePageShowsTheConsumerThatTheTestsRun() throws {
        let page = try String(contentsOfFile: Rig.repository + "/docs/events.md", encoding: .utf8)
        let script = try String(contentsOfFile: Rig.repository + "/Tests/EndToEnd/python/nats_consumer.py", encoding: .utf8)
        #expect(page.contains("```python\n" + script + "```"))
    }

    @Test func aBrandsUserReadsItsOwnEventsAndNothingElse() async throws {
        let page = try String(contentsOfFile: Rig.repository + "/docs/events.md", encoding: .utf8)
        let block = try #require(page.components(separatedBy: "```\naccounts {").last?.components(separatedBy: "```").first)
        try await NATSServer.with(access: "accounts {" + block) { server in
            func url(_ user: String) -> String { "nats://\(user):choose-one-for-the-\(user)@127.0.0.1:\(server.port)" }
            try await Rig.with(Self.options(url("gateway"))) { rig in
                _ = try await rig.ask("hello")
                _ = try await rig.ask("hello", instance: "jobs-whatsapp")
                try await published(rig)
                // The operator makes the consumers; what they print is remembered elsewhere than the brands' own notes.
                for brand in ["salon", "jobs"] { _ = try await consume(rig, url("gateway"), brand: brand, notes: "operator") }
                _ = try await rig.ask("what can you do?")
                _ = try await rig.ask("what can you do?", instance: "jobs-whatsapp")
                try await published(rig)
                let own = try await consume(rig, url("salon"))
                #expect(!own.isEmpty && own.allSatisfy { $0["source"]?.string?.hasPrefix("/brands/salon/") == true })
                let foreign = try await run(rig, url("salon"), brand: "jobs", notes: "thief")
                #expect(foreign.code != 0 && foreign.out.isEmpty, "\(foreign.out)")
                let jobs = try await consume(rig, url("jobs"), brand: "jobs")
                #expect(!jobs.isEmpty && jobs.allSatisfy { $0["source"]?.string?.hasPrefix("/brands/jobs/") == true })
                let before = try NATSReader.messages(url: url("gateway")).count
                for subject in [
                    "switchboard.jobs.update", "switchboard.salon.update", "switchboard.jobs.commands.send", "_switchboard.signals",
                ] {
                    try NATSReader.publish(url: url("salon"), subject: subject, body: "{}")
                }
                #expect(try NATSReader.messages(url: url("gateway")).count == before)
                // What it may do is to have its own customers written to.
                let command = #"{"instance":"salon-whatsapp","to":{"phone":"+15550001111"},"text":"Your order is ready."}"#
                let surroundings = rig.environment.merging(["NATS_URL": url("salon"), "BRAND": "salon"]) { $1 }
                let ended = try await Python.run(
                    "python/nats_command.py", ["order-17", command], environment: surroundings, folder: rig.folder)
                #expect(ended.code == 0, "\(ended.err)")
                try await rig.reply(with: "Your order is ready.")
            }
        }
    }

    // MARK: What goes wrong

    @Test func aCrashBetweenPublishingAndMarkingAddsNoEvent() async throws {
        try await with { rig, _, url in
            for pass in Chaos.passes([1, 3, 6]) {
                #expect(await rig.stopGateway() == 0)
                // It may die before it is ready: what was left is published at the start.
                let fatal = ["SWITCHBOARD_CRASH_AT": "\(CrashPoint.publishedNotMarked.name):\(pass)"]
                try await rig.startGateway(fatal, waitUntilReady: false)
                let gateway = try #require(rig.gateway)
                // Until it dies; what is said then is said again, as the channel would.
                while gateway.isRunning {
                    _ = try? await rig.say("hello number \(pass)")
                    try await Task.sleep(for: .milliseconds(50))
                }
                #expect(gateway.terminationReason == .uncaughtSignal)
                try await rig.startGateway()
                _ = try await rig.ask("what services do you have?")
            }
            try await published(rig)
            try await expectAll(try await consume(rig, url), of: "salon", rig, url)
            // Replies that were under way at a death are unknown for a while.
            #expect(try await rig.checked(options: ["--unsettled"]) == [])
        }
    }

    @Test func withoutNATSTheConversationGoesOnAndTheEventsComeLater() async throws {
        try await with { rig, server, url in
            _ = try await rig.ask("hello")
            try await published(rig)
            server.stop()
            let question = try await rig.ask("book a haircut on Wednesday at 3pm")
            #expect(question.contains("Haircut"))
            _ = try await rig.ask("yes")
            #expect(try await rig.bookings().count == 1)
            // Also a gateway that starts while NATS is away serves.
            #expect(await rig.stopGateway() == 0)
            try await rig.startGateway()
            _ = try await rig.ask("hello again")
            try server.start()
            try await server.waitUntilReady()
            try await published(rig)
            try await expectAll(try await consume(rig, url), of: "salon", rig, url)
        }
    }

    @Test func aReplayCompletesWhatAWipedNATSLost() async throws {
        try await with { rig, server, url in
            _ = try await rig.ask("book a haircut on Wednesday at 3pm")
            _ = try await rig.ask("yes")
            try await published(rig)
            try await server.wipe()
            // The gateway that runs does it.
            let first = try await rig.run(["bus", "replay", "--data", rig.data, "--since", "1h"])
            #expect(first.code == 0, "\(first.err)")
            let events = try await consume(rig, url)
            try await expectAll(events, of: "salon", rig, url)
            #expect(first.err.contains("of \(try total(first.out)) events published"))
            // An intact stream gets nothing twice.
            try await rig.startGateway()
            let stored = try NATSReader.messages(url: url).count
            let second = try await rig.run(["bus", "replay", "--data", rig.data, "--since", "1h"])
            #expect(second.code == 0, "\(second.err)")
            #expect(try total(second.out) >= events.count)
            #expect(try NATSReader.messages(url: url).count == stored)
            // Without a gateway the command does it itself.
            #expect(await rig.stopGateway() == 0)
            try await server.wipe()
            let place = ["--data", rig.data, "--config", rig.config, "--channels", rig.channels, "--since", "1h"]
            let third = try await rig.run(["bus", "replay"] + place + ["--bus", url, "--brand", "salon"])
            #expect(third.code == 0, "\(third.err)")
            #expect(try NATSReader.messages(url: url).count == events.count)
            #expect(try await consume(rig, url).isEmpty, "the consumer knew all of them by their ids")
            let nobody = try await rig.run(["bus", "replay"] + place, ["SWITCHBOARD_BUS": ""])
            #expect(nobody.code == 2, "nobody to ask and no bus: \(nobody)")
            #expect(try await rig.run(["bus", "replay", "--data", rig.data, "--since", "soon"]).code == 2)
        }
    }

    // MARK: Help

    /// A booking that works, one that fails, a person who takes over and gives back, a reply that the channel refuses, and a session that
    /// ends.
    private func everythingHappens(_ rig: Rig) async throws {
        _ = try await rig.ask("book a haircut on Wednesday at 3pm")
        _ = try await rig.ask("yes")
        try await rig.fault(["path": "/salon/bookings", "method": "POST", "status": 422, "times": 1])
        _ = try await rig.ask("book a haircut on Thursday at 4pm")
        let count = try await rig.replies().count
        _ = try await rig.say("yes")
        try await eventually("the failure is told") { try await rig.replies().count > count }
        _ = try await rig.ask("I want to talk to a person")
        let id = try #require(try await rig.handovers(state: "open").first?["id"]?.string)
        let closed = try await rig.post(rig.gatewayURL + "/v1/handovers/\(id)/close", key: rig.adminKey("salon"))
        #expect(closed.status == 200)
        try await rig.reply(with: "I'm back")
        try await rig.fault([
            "path": .string("/graph/v23.0/\(Rig.salonNumber)/messages"), "method": "POST", "status": 400, "times": 1,
            "body": ["error": ["message": "Undeliverable", "code": 131_026]],
        ])
        _ = try await rig.say("what services do you have?")
        try await eventually("the reply is refused") { try await rig.deadLetters().contains { $0["kind"] == "delivery" } }
        try await Task.sleep(for: .seconds(7))
        _ = try await rig.ask("hello")
    }

    /// Returns when the running gateway's work is done and NATS has all its events.
    private func published(_ rig: Rig) async throws {
        try await rig.drain()
        try await eventually("NATS has all events", within: rig.untilTakenOver) {
            // Replays nothing, and waits for what is not published yet.
            try await rig.run(["bus", "replay", "--data", rig.data, "--since", "0s"]).code == 0
        }
    }

    /// What a Python program reads that was not running until now, each event held against CloudEvents there.
    private func consume(_ rig: Rig, _ url: String, brand: String = "salon", notes: String = "seen") async throws -> [JSONValue] {
        let ended = try await run(rig, url, brand: brand, notes: notes)
        try #require(ended.code == 0, "\(ended.err)")
        return try ended.out.split(separator: "\n").map { try JSONDecoder().decode(JSONValue.self, from: Data($0.utf8)) }
    }

    private func run(_ rig: Rig, _ url: String, brand: String, notes: String) async throws -> (code: Int32, out: String, err: String) {
        let surroundings = rig.environment.merging(["NATS_URL": url, "BRAND": brand, "DATABASE": "\(rig.folder)/\(notes).sqlite"]) { $1 }
        return try await Python.run("python/nats_consumer.py", ["1.5"], environment: surroundings, folder: rig.folder)
    }

    /// The consumer has all events of the brand, each once and in the order of the store, and so has the stream. Stops the gateway.
    private func expectAll(_ events: [JSONValue], of brand: String, _ rig: Rig, _ url: String) async throws {
        #expect(await rig.stopGateway() == 0)
        let rows = try await rig.withStore { database in
            try await database.read(.installation) {
                try $0.rows(SQL("SELECT event_id FROM events WHERE brand_id = $1 ORDER BY event_id"), [.text(brand)])
            }
        }
        let kept = try rows.map { try $0.id(0).description }
        #expect(!kept.isEmpty && events.compactMap { $0["id"]?.string } == kept)
        let stored = try NATSReader.messages(url: url).filter { $0.subject.hasPrefix("switchboard.\(brand).") }
        #expect(stored.compactMap(\.id) == kept)
    }

    private func total(_ said: String) throws -> Int { try #require(said.split(separator: " ").first.flatMap { Int($0) }, "\(said)") }
}

/// The examples of `docs/events.md`, by type.
private struct Documented {
    /// The keys of `data` in the example of each type.
    private var keys: [String: Set<String>] = [:]

    init() throws {
        let page = try String(contentsOfFile: Rig.repository + "/docs/events.md", encoding: .utf8)
        for block in page.components(separatedBy: "```json\n").dropFirst() {
            let text = block.components(separatedBy: "```").first ?? ""
            let event = try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
            guard let type = event["type"]?.string, let data = event["data"]?.object else { continue }
            keys[type, default: []].formUnion(data.keys)
        }
        #expect(Set(keys.keys) == Set(BusEvent.Kind.allCases.map(\.rawValue)), "docs/events.md lacks examples")
    }

    /// An event has the attributes that the page shows, and no key in its data that the page's examples do not have.
    func expect(_ event: JSONValue) {
        let type = event["type"]?.string ?? ""
        let attributes: Set<String> = ["specversion", "id", "source", "type", "time", "datacontenttype", "data"]
        #expect(Set(event.object?.keys.map { $0 } ?? []) == attributes)
        // Each kind of update has its own fields, which the page lists in a table.
        let found = Set(event["data"]?.object?.keys.map { $0 } ?? [])
        let known = keys[type] ?? []
        if type == "update" {
            #expect(found.isSuperset(of: ["update_type", "timestamp", "seq", "session_id", "user_id"]), "\(event)")
        } else {
            #expect(found.isSubset(of: known), "\(type) has \(found.subtracting(known)), of which docs/events.md does not speak")
        }
    }
}
