import Conversation
import Foundation
import TestKit
import Testing

/// Messages that a brand's programs command over NATS, on two stores: one file, and PostgreSQL with several nodes.
@Suite(.serialized) struct CommandSendTests {
    private static let subject = "switchboard.salon.commands.send"
    private static let phone = "15550001111"

    private static func body(_ text: String, to phone: String = phone) -> JSONValue {
        ["instance": "salon-whatsapp", "to": ["phone": .string("+" + phone)], "text": .string(text)]
    }

    /// A gateway with a NATS of its own, on the store that this run tests.
    private func with(_ body: (Rig, NATSServer, String) async throws -> Void) async throws {
        try await NATSServer.with { server in
            let url = server.freshURL()
            let (before, patience) = ("shutdown_grace_s: 35", "shutdown_grace_s: 35\nbus: { command_patience_s: 1 }")
            let edits = Rig.Options.quick.edits + [(file: "switchboard.yaml", from: before, to: patience)]
            try await Rig.with(Rig.Options(edits: edits, bus: url)) { try await body($0, server, url) }
        }
    }

    private static func publish(_ body: JSONValue, _ url: String, id: String? = nil) throws {
        try NATSReader.publish(url: url, subject: subject, body: CanonicalJSON.bytes(body), id: id)
    }

    /// Everything that was published is done.
    private static func settled(_ url: String) async throws {
        try await eventually("no command is left") {
            let open = try NATSReader.open(url: url, consumer: "switchboard-commands")
            return open.waiting == 0 && open.unacknowledged == 0
        }
    }

    private static func count(_ text: String, _ rig: Rig, to phone: String = phone) async throws -> Int {
        try await rig.texts(to: phone).filter { $0 == text }.count
    }

    @Test func aProgramInPythonHasAMessageSentOnce() async throws {
        try await with { rig, server, url in
            _ = try await rig.ask("hello")
            let surroundings = rig.environment.merging(["NATS_URL": url, "BRAND": "salon"]) { $1 }
            func run() async throws {
                let command = CanonicalJSON.text(Self.body("Your order is ready."))
                let ended = try await Python.run(
                    "python/nats_command.py", ["order-17", command], environment: surroundings, folder: rig.folder)
                try #require(ended.code == 0, "\(ended.err)")
            }
            try await run()
            try await rig.reply(with: "Your order is ready.")
            try await run()
            // A NATS that has forgotten everything brings it again; we have not.
            try await server.wipe()
            try await eventually("the stream is there again") { (try? NATSReader.messages(url: url)) != nil }
            try await run()
            try await Self.settled(url)
            try await rig.drain()
            #expect(try await Self.count("Your order is ready.", rig) == 1)
        }
    }

    @Test func thePageShowsTheProgramThatTheTestsRun() throws {
        let page = try String(contentsOfFile: Rig.repository + "/docs/events.md", encoding: .utf8)
        let script = try String(contentsOfFile: Rig.repository + "/Tests/EndToEnd/python/nats_command.py", encoding: .utf8)
        #expect(page.contains("```python\n" + script + "```"))
    }

    @Test func everyCommandEndsInSomethingThatCanBeSeen() async throws {
        try await with { rig, _, url in
            _ = try await rig.ask("hello")
            try NATSReader.publish(url: url, subject: Self.subject, body: Array("not json".utf8))
            try NATSReader.publish(url: url, subject: Self.subject, body: Array(repeating: UInt8(ascii: " "), count: 200_000))
            try Self.publish(["instance": "salon-whatsapp"], url)
            try Self.publish(Self.body("x", to: "15559999999"), url, id: "m-1")
            try Self.publish(Self.body("Your order is ready."), url, id: "m-2")
            try NATSReader.publish(
                url: url, subject: "switchboard.nobody.commands.send", body: CanonicalJSON.bytes(Self.body("foreign words")))
            // The salon's customer is nobody of the other brand's, whoever says so.
            try NATSReader.publish(
                url: url, subject: "switchboard.jobs.commands.send", body: CanonicalJSON.bytes(Self.body("foreign words")))
            try await Self.settled(url)
            try await rig.reply(with: "Your order is ready.")
            let letters = try await rig.deadLetters()
            #expect(letters.compactMap { $0["kind"]?.string } == ["command"] && letters.first?["reason"] == "unknown_user")
            #expect(letters.first?["redrivable"] != true)
            #expect(try await rig.deadLetters("jobs").isEmpty)
            let kept = try await rig.quarantine()
            #expect(kept.count == 5 && kept.allSatisfy { $0["channel"] == "bus" }, "\(kept)")
            for reason in ["no brand nobody for ", "no instance salon-whatsapp for ", " is 200000 bytes long"] {
                #expect(kept.filter { $0["reason"]?.string.map { " \($0)".contains(reason) } == true }.count == 1, "\(reason): \(kept)")
            }
            try await rig.drain()
            #expect(try await Self.count("foreign words", rig) == 0)
        }
    }

    @Test func whatWasCommandedWhileTheGatewayWasAwayIsDoneAfterwards() async throws {
        try await with { rig, _, url in
            _ = try await rig.ask("hello")
            try await rig.drain()
            await rig.killGateway()
            for number in 0..<5 { try Self.publish(Self.body("number \(number)"), url, id: "n-\(number)") }
            try await rig.startGateway()
            try await Self.settled(url)
            try await rig.drain()
            let texts = try await rig.texts().filter { $0.hasPrefix("number ") }
            #expect(texts == (0..<5).map { "number \($0)" })
            try await rig.expectPeace()
        }
    }

    @Test func aCrashBeforeTheAcknowledgementDoesNothingTwice() async throws {
        try await with { rig, _, url in
            _ = try await rig.ask("hello")
            try await rig.drain()
            #expect(await rig.stopGateway() == 0)
            // It dies as soon as the command is stored.
            try await rig.startGateway(["SWITCHBOARD_CRASH_AT": "\(CrashPoint.answeredNotWoken.name):1"])
            let gateway = try #require(rig.gateway)
            try Self.publish(Self.body("Your order is ready."), url, id: "m-1")
            await rig.exited(gateway)
            #expect(gateway.terminationReason == .uncaughtSignal)
            try await rig.startGateway()
            try await rig.reply(with: "Your order is ready.")
            // NATS gives it to somebody again when its time to be acknowledged is over.
            try await eventually("it is acknowledged", within: .seconds(45)) {
                let open = try NATSReader.open(url: url, consumer: "switchboard-commands")
                return open.waiting == 0 && open.unacknowledged == 0
            }
            try await rig.drain()
            #expect(try await Self.count("Your order is ready.", rig) == 1)
            #expect(try await rig.deadLetters().isEmpty)
            try await rig.expectPeace()
        }
    }

    // MARK: Several nodes

    @Test func nodesShareTheCommandsAndOneThatIsKilledLosesNone() async throws {
        try await SharedServers.with { servers in
            try await Rig.with(Chaos.options(servers)) { rig in
                let url = try #require(rig.place?.bus)
                let phones = (0..<10).map { Chaos.phone($0) }
                for phone in phones { _ = try await rig.ask("hello", from: phone) }
                let second = try await rig.startNode("second", ["--role", "worker"])
                for round in 0..<10 {
                    for phone in phones { try Self.publish(Self.body("number \(round)", to: phone), url, id: "\(phone)-\(round)") }
                    if round == 4 { await second.kill() }
                }
                try await eventually("every command is done", within: .seconds(60)) {
                    let open = try NATSReader.open(url: url, consumer: "switchboard-commands")
                    return open.waiting == 0 && open.unacknowledged == 0
                }
                try await rig.drain(within: .seconds(60))
                for phone in phones {
                    let texts = try await rig.texts(to: phone).filter { $0.hasPrefix("number ") }
                    let unknown = try await rig.count("SELECT count(*) FROM messages WHERE send_state = 'unknown'")
                    // A message that was on its way when its node died may have arrived or not; it is never sent again.
                    #expect(Set(texts).count == texts.count, "\(phone): \(texts)")
                    #expect(texts.count + Int(unknown) >= 10, "\(phone): \(texts)")
                }
                let stored = try await rig.count("SELECT count(*) FROM messages WHERE context LIKE '%\"by\":\"bus\"%'")
                #expect(stored == 100, "one message for each command")
                try await rig.startAgain("second")
                try await rig.expectPeace()
            }
        }
    }

    @Test func whileTheStoreIsAwayCommandsWait() async throws {
        try await SharedServers.with { servers in
            try await Rig.with(Chaos.options(servers)) { rig in
                let url = try #require(rig.place?.bus)
                _ = try await rig.ask("hello")
                try await rig.drain()
                try await servers.postgres.stop()
                for number in 0..<5 { try Self.publish(Self.body("number \(number)"), url, id: "n-\(number)") }
                try await Task.sleep(for: .seconds(3))
                let open = try NATSReader.open(url: url, consumer: "switchboard-commands")
                #expect(open.waiting + open.unacknowledged == 5, "none is acknowledged")
                try await servers.postgres.startAgain()
                try await Self.settled(url)
                try await rig.drain(within: .seconds(60))
                let texts = try await rig.texts().filter { $0.hasPrefix("number ") }
                #expect(Set(texts) == Set((0..<5).map { "number \($0)" }) && texts.count == 5)
            }
        }
    }
}
