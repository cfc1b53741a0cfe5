import Conversation
import Desks
import Foundation
import HTTPCalls
import JSON
import Signing
import TestKit
import Testing

/// A roundup tracker of its own (from PyPI, classic template) behind `docs/examples/roundup-bridge.py`, which speaks our generic webhook.
final class Roundup: DeskWorld {
    static let secret = Secret("whsec_" + Base64.encode(Array(repeating: 9, count: 32)))

    let desk: any TicketDesk
    /// Where our calls go: the bridge.
    let url: String
    private let tracker: Int
    private let server: ForeignServer
    private let client: CurlClient

    static func start() async throws -> Roundup {
        let server = try ForeignServer("roundup")
        do {
            let (tracker, bridge) = (try Rig.freePort(), try Rig.freePort())
            try await install(server, port: tracker)
            let user = getuid() == 0 ? ["-u", "root", "-g", "root"] : []
            try server.start(program("roundup-server") + user + ["-n", "127.0.0.1", "-p", "\(tracker)", "desk=\(server.folder)/tracker"])
            let roundup = try Roundup(server, tracker: tracker, bridge: bridge)
            try await eventually("roundup answers", within: .seconds(60)) { try await roundup.isUp("http://127.0.0.1:\(tracker)/desk/") }
            try server.start(
                [Python.interpreter, Rig.repository + "/docs/examples/roundup-bridge.py", "\(bridge)", roundup.address("gateway")],
                ["WEBHOOK_SECRET": secret.reveal()])
            try await eventually("the bridge answers", within: .seconds(60)) { try await roundup.isUp(roundup.url) }
            return roundup
        } catch {
            Issue.record("roundup does not start (it is one of Tests/EndToEnd/requirements.txt): \(error)\n\(server.log.suffix(3_000))")
            await server.stop()
            throw error
        }
    }

    private init(_ server: ForeignServer, tracker: Int, bridge: Int) throws {
        self.server = server
        self.tracker = tracker
        url = "http://127.0.0.1:\(bridge)/"
        client = try CurlClient()
        desk = try Desks.make(
            DeskConfiguration(
                id: "desk", kind: .webhook, baseURL: url, webhookSecret: Self.secret, timeout: .seconds(30),
                allowPrivateAddresses: [try AddressRule(parsing: "127.0.0.1")]), http: client)
    }

    func stop() async {
        await client.shutdown()
        await server.stop()
    }

    /// A script of the Python that has our requirements.
    private static func program(_ name: String) -> [String] {
        let folder = URL(fileURLWithPath: Python.interpreter).deletingLastPathComponent().path
        return Python.interpreter.contains("/") ? [folder + "/" + name] : [name]
    }

    private static func install(_ server: ForeignServer, port: Int) async throws {
        let home = server.folder + "/tracker"
        let admin = program("roundup-admin") + ["-i", home]
        let settings = "admin_email=a@example.com,mail_domain=example.com,mail_host=localhost,tracker_web=http://127.0.0.1:\(port)/desk/"
        try await server.run(admin + ["install", "classic", "sqlite", settings])
        let file = home + "/config.ini"
        // Mail is written to a file.
        let mailed = try String(contentsOfFile: file, encoding: .utf8).replacing(
            /(?m)^debug = $/, with: "debug = \(server.folder)/mail")
        try mailed.write(toFile: file, atomically: true, encoding: .utf8)
        try await server.run(admin + ["initialise", "administrator"])
        for name in ["gateway", "agent"] {
            try await server.run(
                admin + ["create", "user", "username=\(name)", "password=\(name)", "address=\(name)@example.com", "roles=User"])
        }
    }

    private func address(_ user: String) -> String { "http://\(user):\(user)@127.0.0.1:\(tracker)/desk/" }

    private func isUp(_ url: String) async throws -> Bool {
        let rule = try AddressRule(parsing: "127.0.0.1")
        let result = await client.call(HTTPCall(method: "GET", url: url, timeout: .seconds(5), pool: "look", allowPrivateAddresses: [rule]))
        if case .answer = result { return true }
        return false
    }

    /// What somebody who works in the tracker does.
    private func work(_ arguments: [String]) async throws -> JSONValue {
        let ended = try await Python.run(
            "python/roundup_agent.py", [address("agent")] + arguments, environment: ProcessInfo.processInfo.environment,
            folder: server.folder)
        try #require(ended.code == 0, "\(ended.err)")
        return try JSONValue(parsing: Array(ended.out.utf8))
    }

    // MARK: DeskWorld

    func tickets(_ reference: HandoverID) async throws -> Int { Int(try await work(["tickets", reference.description]).integer ?? -1) }

    func entries(of ticket: DeskTicket) async throws -> [ShownEntry] {
        // The tracker has no internal messages: the bridge says so in the text.
        try await work(["entries", ticket.id]).array?.compactMap(\.string).map {
            ShownEntry(text: $0, isInternal: $0.prefix(40).contains("(internal): "))
        } ?? []
    }

    func write(_ text: String, isInternal: Bool, in ticket: DeskTicket) async throws {
        // What agents write among themselves has no place in this tracker.
        if !isInternal { _ = try await work(["write", ticket.id, text]) }
    }

    func setClosed(_ isClosed: Bool, _ ticket: DeskTicket) async throws {
        _ = try await work(["status", ticket.id, isClosed ? "resolved" : "chatting"])
    }

    func isClosed(_ ticket: DeskTicket) async throws -> Bool { try await work(["status", ticket.id]).string == "resolved" }

    /// The bridge is asked, and tells nothing by itself.
    var isHeard: Bool { false }
    func calls(atLeast count: Int) async throws -> [ChannelRequest] { [] }

    func fail(_ fault: DeskFault) async -> Bool { false }
}
