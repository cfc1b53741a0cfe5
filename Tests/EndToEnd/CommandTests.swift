import Conversation
import Foundation
import JSON
import Testing

#if canImport(Glibc)
    import Glibc
#endif

/// The program as an operator meets it: what it says about a configuration, how it refuses to start, what it leaves on the disk.
@Suite(.serialized) struct CommandTests {
    // MARK: check

    private struct Broken: Sendable {
        let file: String
        let from: String
        let to: String
        /// What the line must name: its key, and the way out.
        let key: String
        let remedy: String
    }

    private static let broken = [
        Broken(file: "brands/salon/brand.yaml", from: "tiers:", to: "teirs:", key: "teirs", remedy: "did you mean \"tiers\"?"),
        Broken(
            file: "brands/salon/actions.yaml", from: "    refused_parameter: start", to: "    refused_parameter: strat",
            key: "actions[0].refused_parameter", remedy: "\"start\""),
        Broken(
            file: "brands/salon/actions.yaml", from: "    safety: read\n\n  - canonical_name: cancel_booking",
            to: "    safety: harmless\n\n  - canonical_name: cancel_booking", key: "actions[1].safety", remedy: "idempotent"),
        Broken(file: "brands/salon/brand.yaml", from: "America/New_York", to: "America/Gotham", key: "time_zone", remedy: "did you mean"),
        Broken(file: "brands/salon/schemas.yaml", from: "ttl_s: 300", to: "ttl_s: soon", key: "schemas[0].ttl_s", remedy: "write a number"),
        Broken(
            file: "brands/salon/brand.yaml", from: "key: \"${SALON_ADMIN_KEY}\"", to: "key: \"${NO_SUCH_KEY}\"", key: "keys[0].key",
            remedy: "NO_SUCH_KEY"),
        Broken(
            file: "brands/salon/intents.yaml", from: "patterns: ['(?i)^", to: "patterns: ['(?i", key: "intents[0].patterns[0]",
            remedy: "RE2 syntax"),
        Broken(
            file: "brands/salon/brand.yaml", from: "    phone_number_id: \"106540352242922\"\n", to: "",
            key: "instances[0].phone_number_id", remedy: "add"),
        Broken(file: "switchboard.yaml", from: "jitter: 0.1", to: "jitter: 7", key: "queue.jitter", remedy: "0 to 1"),
    ]

    @Test func checkNamesFileLineKeyAndWayOutOfEachMistake() async throws {
        for broken in Self.broken {
            try await Rig.with(.init(edits: [(broken.file, broken.from, broken.to)], startsGateway: false)) { rig in
                let result = try await rig.run(["check", "--config", rig.config, "--channels", rig.channels])
                #expect(result.code == 1, "\(broken.key): \(result)")
                let line =
                    result.out.split(separator: "\n").first { $0.contains(broken.key) && $0.contains("/config/") }.map(String.init) ?? ""
                #expect(line.wholeMatch(of: /\S+\.yaml:[0-9]+: \S+: .+; .+/) != nil, "\(broken.key): \(result.out)")
                #expect(line.contains(broken.remedy), "\(line)")
                let place = try #require(line.firstMatch(of: /:([0-9]+):[^0-9]/).flatMap { Int($0.1) }, "\(result.out)")
                let file = try String(contentsOfFile: String(line.prefix { $0 != ":" }), encoding: .utf8)
                let text = file.split(separator: "\n", omittingEmptySubsequences: false)[place - 1]
                if broken.to.isEmpty { return }
                let wrong = broken.to.split(separator: "\n").first.map { $0.trimmingCharacters(in: .whitespaces) } ?? ""
                #expect(text.contains(wrong), "\(line) is not where it is wrong: \(text)")
            }
        }
    }

    @Test func checkAcceptsWhatIsShippedAndNamesWhatTheEnvironmentLacks() async throws {
        try await Rig.with(.init(startsGateway: false)) { rig in
            let arguments = ["check", "--config", rig.config, "--channels", rig.channels]
            let good = try await rig.run(arguments)
            #expect(good.code == 0 && good.out.contains("2 brands") && good.out.contains(": ok"), "\(good)")
            let secrets = [
                "SWITCHBOARD_OPERATOR_KEY", "WHATSAPP_APP_SECRET", "SALON_ADMIN_KEY", "JOBS_SIGNING_SECRET", "SALON_WHATSAPP_TOKEN",
            ]
            let lacking = try await rig.run(arguments, Dictionary(uniqueKeysWithValues: secrets.map { ($0, "") }))
            #expect(lacking.code == 1)
            for name in secrets { #expect(lacking.out.contains(name), "\(name): \(lacking.out)") }
            let unset = try await rig.run(["-u", "SALON_API_TOKEN", Rig.binary] + arguments, program: "/usr/bin/env")
            #expect(unset.code == 1 && unset.out.contains("set SALON_API_TOKEN"), "\(unset)")
            let short = try await rig.run(arguments, ["SALON_ADMIN_KEY": "short"])
            #expect(short.code == 1 && short.out.contains("16 bytes") && !short.out.contains("short\""), "\(short)")
        }
    }

    @Test func aBrokenBrandStandsStillWhileTheOtherOneWorks() async throws {
        let mistake = ("brands/salon/brand.yaml", "tiers:", "teirs:")
        try await Rig.with(.init(edits: [mistake])) { rig in
            #expect(rig.gatewayLog.contains("brand.yaml:") && rig.gatewayLog.contains("teirs"))
            #expect(try await rig.ask("hello", from: "15550041001", instance: "jobs-whatsapp").isEmpty == false)
            let body = Rig.delivery([(Rig.salonNumber, ["messages": [Rig.textMessage("hello", from: "15550041002", id: "wamid.stopped")]])])
            #expect(try await rig.webhook(body).json == ["accepted": 0, "duplicates": 0, "ignored": 0, "quarantined": 1])
            let id = try #require(try await rig.quarantine().first?["id"]?.string)
            #expect(try await rig.run(["quarantine", "replay", id] + rig.deskOptions).code == 1)
            try rig.apply((mistake.0, mistake.2, mistake.1))
            try await rig.restartGateway()
            let replayed = try await rig.run(["quarantine", "replay", id] + rig.deskOptions)
            #expect(replayed.code == 0, "\(replayed)")
            try await eventually("the customer is answered") { try await rig.replies(to: "15550041002").count == 1 }
        }
    }

    // MARK: Starting and not starting

    @Test func whatKeepsItFromStartingIsNamedOnOneLine() async throws {
        try await Rig.with { rig in
            let common = ["--config", rig.config, "--channels", rig.channels]
            let taken = try await rig.run(["serve", "--data", rig.folder + "/second", "--port", "\(rig.gatewayPort)"] + common)
            #expect(taken.code == 3 && taken.err.contains("\(rig.gatewayPort)"), "\(taken)")
            #expect(taken.err.split(separator: "\n").count { $0.contains("\"error\"") } == 0, "\(taken.err)")
            let locked = try await rig.run(["serve", "--data", rig.data, "--port", "0"] + common)
            #expect(locked.code == 3 && locked.err.contains(rig.data), "\(locked)")
            #expect(locked.err.split(separator: "\n").count == 1, "\(locked.err)")
            let sandbox = try await rig.run(["sandbox", "--port", "\(rig.sandboxPort)"])
            #expect(sandbox.code == 3 && sandbox.err.contains("\(rig.sandboxPort)"), "\(sandbox)")
            let demo = try await rig.run(
                ["demo", "--data", rig.folder + "/demo", "--port", "\(try Rig.freePort())", "--sandbox-port", "\(rig.sandboxPort)"] + common
            )
            #expect(demo.code == 3 && demo.err.contains("\(rig.sandboxPort)"), "\(demo)")
            #expect(!demo.out.contains("ready on"), "\(demo.out)")
            #expect(try await rig.get(rig.gatewayURL + "/readyz").status == 200)
        }
    }

    @Test(.onlySQLite(because: "a file can be opened by another process, and must not be"))
    func aStoreOutsideItsDataDirectoryHasOneOwnerToo() async throws {
        try await Rig.with(.init(startsGateway: false)) { rig in
            let store = "sqlite:" + rig.folder + "/shared.sqlite"
            let common = ["--config", rig.config, "--channels", rig.channels, "--store", store]
            let first = Process()
            first.executableURL = URL(fileURLWithPath: Rig.binary)
            first.arguments = ["serve", "--data", rig.folder + "/one", "--port", "\(rig.gatewayPort)"] + common
            first.environment = rig.environment
            first.standardError = FileHandle.nullDevice
            first.standardOutput = FileHandle.nullDevice
            try first.run()
            do {
                try await eventually("the first gateway is ready") { try await rig.get(rig.gatewayURL + "/readyz").status == 200 }
                let second = try await rig.run(["serve", "--data", rig.folder + "/two", "--port", "\(try Rig.freePort())"] + common)
                #expect(second.code == 3 && second.err.contains("shared.sqlite is in use by another gateway"), "\(second)")
                for command in [["dead-letters", "list"], ["quarantine", "list"]] {
                    let offline = try await rig.run(command + ["--data", rig.folder + "/two"] + common)
                    #expect(offline.code == 3 && offline.err.contains("shared.sqlite is in use by another gateway"), "\(offline)")
                    #expect(try await rig.run(command + ["--data", rig.folder + "/one"] + common).code == 0)
                }
            } catch {
                first.terminate()
                throw error
            }
            first.terminate()
            await rig.exited(first)
            #expect(first.terminationStatus == 0)
            #expect(try await rig.run(["dead-letters", "list", "--data", rig.folder + "/two"] + common).code == 0)
        }
    }

    @Test func badUsageIsTwoAndHelpTeaches() async throws {
        try await Rig.with(.init(startsGateway: false)) { rig in
            let bad = [
                ["serve", "--nope"], ["serve", "--port", "many"], ["serve", "--port", "70000"], ["serve", "--log-level", "loud"],
                ["serve", "--store", "mysql:x"], ["check", "--nope"], ["demo", "--sandbox-port", "x"], ["nonsense"],
                ["dead-letters", "show", "x"],
                ["dead-letters", "list", "--limit=-1"], ["dead-letters", "list", "--limit", "0"], ["quarantine", "list", "--limit", "201"],
                ["dead-letters", "list", "--brand", "No Brand"], ["quarantine", "replay"],
                ["sandbox", "check", "--store", "mysql:x"], ["sandbox", "check", "--canary", "salon"],
            ]
            for arguments in bad {
                let result = try await rig.run(arguments)
                #expect(result.code == 2 && !result.err.isEmpty, "\(arguments): \(result)")
            }
            let commands = [
                [], ["serve"], ["demo"], ["sandbox"], ["sandbox", "check"], ["check"], ["dead-letters"], ["dead-letters", "list"],
                ["dead-letters", "show"],
                ["dead-letters", "redrive"], ["dead-letters", "discard"], ["quarantine"], ["quarantine", "list"], ["quarantine", "show"],
                ["quarantine", "replay"], ["bench"],
            ]
            for command in commands {
                let result = try await rig.run(command + ["--help"])
                #expect(result.code == 0 && result.err.isEmpty, "\(command): \(result)")
                #expect(result.out.contains("OVERVIEW: ") && result.out.contains("USAGE: "), "\(command): \(result.out)")
                let options = result.out.split(separator: "\n").filter { $0.wholeMatch(of: /\s+--[a-z-]+( <[a-z-]+>)?/) != nil }
                let explained = Self.lines(after: options, in: result.out).allSatisfy { $0.hasPrefix("     ") }
                #expect(explained, "an option of \(command) without a word: \(result.out)")
            }
        }
    }

    private static func lines(after options: [Substring], in text: String) -> [Substring] {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        return options.map { option in lines.firstIndex(of: option).map { lines[$0 + 1] } ?? "" }
    }

    // MARK: What lies on the disk

    @Test(.onlySQLite(because: "the demo's store is a file of its own"))
    func theDemoKeepsItsSecretsToItselfAndStartsAgain() async throws {
        try await Rig.with(.init(startsGateway: false)) { rig in
            let (port, sandbox, data) = (try Rig.freePort(), try Rig.freePort(), rig.folder + "/demo")
            for round in 1...2 {
                let demo = try Demo(rig, port: port, sandboxPort: sandbox, data: data)
                try await eventually("the demo is ready") { demo.output.contains("Switchboard is ready") }
                #expect(try await rig.get("http://127.0.0.1:\(port)/readyz").status == 200)
                let said = try await rig.post(
                    "http://127.0.0.1:\(sandbox)/_sandbox/say", ["instance": "salon-whatsapp", "from": "15550042001", "text": "hello"])
                #expect(said.json["gateway_status"] == 200, "\(said.text)")
                try await eventually("the demo answers") {
                    try await rig.get("http://127.0.0.1:\(sandbox)/_sandbox/last?to=15550042001").json["messages"]?.array?.isEmpty == false
                }
                #expect(await demo.stop(rig) == 0, "round \(round)")
                #expect(try Rig.mode(data + "/demo.env") == 0o600)
                #expect(try Rig.mode(data) == 0o700)
                let lines = try String(contentsOfFile: data + "/demo.env", encoding: .utf8).split(separator: "\n").filter {
                    !$0.hasPrefix("#")
                }
                #expect(lines.count >= 15)
                for line in lines {
                    let value = line.split(separator: "=", maxSplits: 1).last.map(String.init) ?? ""
                    #expect(value.count >= 16 && !demo.output.contains(value), "\(line.prefix { $0 != "=" })")
                }
                try await eventually("the stand-ins end with the demo") {
                    (try? await rig.get("http://127.0.0.1:\(sandbox)/_sandbox/state")) == nil
                }
            }
        }
    }

    @Test func theDesksAnswerWithAndWithoutAGateway() async throws {
        try await Rig.with { rig in
            try await rig.refuseReplies()
            try await rig.say("hello", from: "15550043001")
            try await eventually("a dead letter") { try await rig.deadLetters("salon").count == 1 }
            let id = try #require(try await rig.deadLetters("salon").first?["id"]?.string)
            #expect(try Rig.mode(rig.data + "/control.sock") == 0o600)
            #expect(try Rig.mode(rig.data) == 0o700)
            let running = try await rig.run(["dead-letters", "list"] + rig.deskOptions)
            #expect(running.code == 0 && running.out.contains(id), "\(running)")
            let others = try await rig.run(["dead-letters", "list", "--brand", "jobs"] + rig.deskOptions)
            #expect(others.code == 0 && !others.out.contains(id), "\(others)")
            #expect(await rig.stopGateway() == 0)
            let stopped = try await rig.run(["dead-letters", "list"] + rig.deskOptions)
            #expect(stopped.code == 0, "\(stopped)")
            #expect(try JSONValue(parsing: Array(stopped.out.utf8)) == JSONValue(parsing: Array(running.out.utf8)))
            #expect(try await rig.run(["dead-letters", "show", id] + rig.deskOptions).out.contains("attempts"))
            #expect(try await rig.run(["dead-letters", "discard", id] + rig.deskOptions).code == 0)
            #expect(try await rig.run(["dead-letters", "discard", id] + rig.deskOptions).code == 1)
            let nowhere = try await rig.run(["dead-letters", "list", "--data", rig.folder + "/none"])
            #expect(nowhere.code == 3 && nowhere.err.contains("/none"), "\(nowhere)")
        }
    }

    @Test func theDeadLettersOfAStoppedBrandAreListedToo() async throws {
        try await Rig.with { rig in
            try await rig.refuseReplies()
            try await rig.say("hello", from: "15550043002")
            try await eventually("a dead letter") { try await rig.deadLetters("salon").count == 1 }
            let id = try #require(try await rig.deadLetters("salon").first?["id"]?.string)
            #expect(await rig.stopGateway() == 0)
            try rig.apply((file: "brands/salon/brand.yaml", from: "tiers:", to: "teirs:"))
            try await rig.startGateway()
            let running = try await rig.run(["dead-letters", "list"] + rig.deskOptions)
            #expect(running.code == 0 && running.out.contains(id), "\(running)")
            #expect(try await rig.run(["dead-letters", "show", id] + rig.deskOptions).code == 0)
            #expect(await rig.stopGateway() == 0)
            let stopped = try await rig.run(["dead-letters", "list"] + rig.deskOptions)
            #expect(stopped.code == 0 && stopped.out.contains(id), "\(stopped)")
        }
    }

    // MARK: What it says about itself

    @Test func healthReadinessMetricsAndDescriptionAreServed() async throws {
        try await Rig.with { rig in
            _ = try await rig.ask("hello")
            #expect(try await rig.get(rig.gatewayURL + "/healthz").json == ["status": "ok"])
            #expect(try await rig.get(rig.gatewayURL + "/readyz").json == ["status": "ready"])
            rig.expectProblem(try await rig.get(rig.gatewayURL + "/metrics"), 401, "metrics without a key")
            rig.expectProblem(try await rig.get(rig.gatewayURL + "/metrics", key: rig.adminKey("salon")), 403, "metrics with a brand's key")
            let metrics = try await rig.get(rig.gatewayURL + "/metrics", key: rig.operatorKey)
            #expect(metrics.status == 200 && metrics.header("Content-Type")?.hasPrefix("text/plain; version=0.0.4") == true)
            for line in metrics.text.split(separator: "\n") where !line.hasPrefix("#") {
                #expect(line.wholeMatch(of: /[a-zA-Z_:][a-zA-Z0-9_:]*(\{.*\})? [-+0-9.eInfNa]+/) != nil, "\(line)")
            }
            #expect(metrics.text.contains("whatsapp"))
            try Self.expectDescription(try await rig.get(rig.gatewayURL + "/openapi.json"))
        }
    }

    private static func expectDescription(_ answer: Answer) throws {
        #expect(answer.status == 200 && answer.header("Content-Type") == "application/json")
        #expect(answer.json["openapi"] == "3.1.0" && answer.json["info"]?["version"]?.string != nil)
        let paths = try #require(answer.json["paths"]?.object)
        for path in [
            "/healthz", "/readyz", "/metrics", "/openapi.json", "/v1/sessions", "/v1/dead-letters/{id}/redrive", "/webhooks/whatsapp/{app}",
        ] {
            #expect(paths[path] != nil, "\(path) is not described")
        }
        for (path, methods) in paths {
            let names = Set(path.matches(of: /\{([a-z_]+)\}/).map { String($0.1) })
            for (method, operation) in try #require(methods.object) {
                let what: Comment = "\(method) \(path)"
                #expect(["get", "post", "put", "patch", "delete", "options"].contains(method), what)
                #expect(operation["responses"]?.object?.isEmpty == false && operation["summary"]?.string?.isEmpty == false, what)
                let described = Set((operation["parameters"]?.array ?? []).filter { $0["in"] == "path" }.compactMap { $0["name"]?.string })
                #expect(described == names, what)
                let isLocked = ["operator", "brand:"].contains { operation["x-access"]?.string?.hasPrefix($0) == true }
                #expect((operation["security"]?.array?.isEmpty == false) == isLocked, what)
            }
        }
    }
}

/// A demo in a process of its own.
private final class Demo {
    private let process = Process()
    private let path: String
    var output: String { (try? String(contentsOfFile: path, encoding: .utf8)) ?? "" }

    init(_ rig: Rig, port: Int, sandboxPort: Int, data: String) throws {
        path = rig.folder + "/demo-\(UUID().uuidString).log"
        #expect(FileManager.default.createFile(atPath: path, contents: nil))
        process.executableURL = URL(fileURLWithPath: Rig.binary)
        process.arguments = [
            "demo", "--config", rig.config, "--channels", rig.channels, "--data", data, "--port", "\(port)", "--sandbox-port",
            "\(sandboxPort)",
            "--log-level", "debug",
        ]
        // Nothing but what finds the program's libraries: the demo makes up the rest.
        process.environment = rig.environment.filter { ["PATH", "HOME", "TZ", "LD_LIBRARY_PATH"].contains($0.key) }
        let handle = FileHandle(forWritingAtPath: path)
        process.standardOutput = handle
        process.standardError = handle
        defer { try? handle?.close() }
        try process.run()
    }

    func stop(_ rig: Rig) async -> Int32 {
        kill(process.processIdentifier, SIGTERM)
        await rig.exited(process)
        return process.terminationStatus
    }
}
