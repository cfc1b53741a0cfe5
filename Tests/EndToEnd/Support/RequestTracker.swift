import Conversation
import Desks
import Foundation
import HTTPCalls
import JSON
import Signing
import TestKit
import Testing

/// A Request Tracker 5 of its own: Debian's package (`request-tracker5 rt5-db-sqlite rt5-standalone`) on a database, a configuration and
/// caches in a folder that goes with it. Nothing of the system's own installation is used but its programs.
final class RequestTracker: DeskWorld {
    /// The gateway's account, with just the rights that docs/handover.md names.
    static let gateway = (user: "switchboard", password: "gateway-password")
    static let agent = (user: "agent", password: "agent-password")
    static let queue = "Chats"

    let port: Int
    let desk: any TicketDesk
    private let server: ForeignServer
    private let client: CurlClient
    private let rule: AddressRule

    var url: String { "http://127.0.0.1:\(port)" }

    static func start() async throws -> RequestTracker {
        let program = "/usr/share/request-tracker5/libexec/rt-server"
        try #require(
            FileManager.default.isExecutableFile(atPath: program),
            "Request Tracker is needed: apt-get install --no-install-recommends request-tracker5 rt5-db-sqlite rt5-standalone")
        let server = try ForeignServer("request-tracker")
        do {
            let port = try Rig.freePort()
            let environment = try prepare(server, port: port)
            try await server.run(["/usr/sbin/rt-setup-database-5", "--action", "init", "--skip-create"], environment)
            try await server.run(
                ["/usr/sbin/rt-setup-database-5", "--action", "insert", "--skip-create", "--datafile", server.folder + "/people.pl"],
                environment)
            try server.start([program, "--port", "\(port)", "--host", "127.0.0.1"], environment)
            let tracker = try RequestTracker(server, port: port)
            try await eventually("Request Tracker answers", within: .seconds(60)) {
                try await tracker.ask("GET", "/rt", as: agent)["Version"]?.string?.hasPrefix("5.") == true
            }
            return tracker
        } catch {
            Issue.record("Request Tracker does not start: \(error)\n\(server.log.suffix(3_000))")
            await server.stop()
            throw error
        }
    }

    private init(_ server: ForeignServer, port: Int) throws {
        self.server = server
        self.port = port
        client = try CurlClient()
        rule = try AddressRule(parsing: "127.0.0.1:\(port)")
        desk = try Desks.make(
            DeskConfiguration(
                id: "rt", kind: .requestTracker, baseURL: "http://127.0.0.1:\(port)", user: Self.gateway.user,
                password: Secret(Self.gateway.password), queue: Self.queue, timeout: .seconds(30), allowPrivateAddresses: [rule]),
            http: client)
    }

    func stop() async {
        await client.shutdown()
        await server.stop()
    }

    /// Writes the configuration; answers the environment in which Request Tracker uses it.
    private static func prepare(_ server: ForeignServer, port: Int) throws -> [String: String] {
        for name in ["conf.d", "mason", "sessions", "var"] {
            try FileManager.default.createDirectory(atPath: "\(server.folder)/\(name)", withIntermediateDirectories: true)
        }
        try server.write(
            """
            Set($rtname, 'test');
            Set($Organization, 'test');
            Set($WebDomain, '127.0.0.1');
            Set($WebPort, \(port));
            Set($Timezone, 'UTC');
            Set($DatabaseType, 'SQLite');
            Set($DatabaseName, '\(server.folder)/rtdb');
            Set($LogToSyslog, undef);
            Set($LogToFile, undef);
            Set($LogToSTDERR, 'warning');
            Set($MailCommand, 'mbox');
            Set($WebSessionClass, 'Apache::Session::File');
            $RT::VarPath = '\(server.folder)/var';
            $RT::MasonDataDir = '\(server.folder)/mason';
            $RT::MasonSessionDir = '\(server.folder)/sessions';
            1;
            """, to: "site.pm")
        try server.write(
            """
            our @Users = (
                { Name => '\(gateway.user)', Privileged => 1, Password => '\(gateway.password)', EmailAddress => 'gateway@example.com' },
                { Name => '\(agent.user)', Privileged => 1, Password => '\(agent.password)', EmailAddress => 'agent@example.com' },
            );
            our @Queues = ( { Name => '\(queue)' } );
            our @ACL = map { { UserId => $_->[0], Queue => '\(queue)', Right => $_->[1] } } (
                [ '\(gateway.user)', [qw(SeeQueue ShowTicket ShowTicketComments CreateTicket ReplyToTicket CommentOnTicket ModifyTicket)] ],
                [ '\(agent.user)', [qw(SeeQueue ShowTicket ShowTicketComments ReplyToTicket CommentOnTicket ModifyTicket OwnTicket TakeTicket)] ],
            );
            """, to: "people.pl")
        return ["RT_SITE_CONFIG": server.folder + "/site.pm", "RT_SITE_CONFIG_DIR": server.folder + "/conf.d"]
    }

    /// One call of its REST 2 interface by somebody who works there.
    @discardableResult func ask(
        _ method: String, _ path: String, as who: (user: String, password: String) = RequestTracker.agent, _ body: JSONValue? = nil
    ) async throws -> JSONValue {
        let authorization = "Basic " + Base64.encode(Array("\(who.user):\(who.password)".utf8))
        let result = await client.call(
            HTTPCall(
                method: method, url: url + "/REST/2.0" + path,
                headers: [("Authorization", authorization), ("Content-Type", "application/json")],
                body: body.map { CanonicalJSON.bytes($0) }, timeout: .seconds(30), maxResponseBytes: 4_194_304, pool: "agent",
                allowPrivateAddresses: [rule]))
        guard case .answer(let answer) = result, (200...299).contains(answer.status) else {
            throw Failed(description: "\(path): \(result)")
        }
        return try JSONValue(parsing: answer.body)
    }

    struct Failed: Error, CustomStringConvertible { let description: String }

    // MARK: DeskWorld

    func tickets(_ reference: HandoverID) async throws -> Int {
        let query = PercentEncoding.queryComponent("Subject LIKE '\(reference)'")
        return try await ask("GET", "/tickets?query=\(query)")["items"]?.array?.count ?? 0
    }

    func entries(of ticket: DeskTicket) async throws -> [ShownEntry] {
        let history = try await ask("GET", "/ticket/\(ticket.id)/history?fields=Type&per_page=100")["items"]?.array ?? []
        var entries: [ShownEntry] = []
        for transaction in history {
            guard let type = transaction["Type"]?.string, ["Create", "Correspond", "Comment"].contains(type),
                let id = transaction["id"]?.string
            else { continue }
            for part in try await ask("GET", "/transaction/\(id)/attachments")["items"]?.array ?? [] {
                let content = try await ask("GET", "/attachment/\(part["id"]?.string ?? "")")["Content"]?.string ?? ""
                let bytes = Base64.decode(content.filter { !$0.isWhitespace }) ?? []
                entries.append(ShownEntry(text: String(decoding: bytes, as: UTF8.self), isInternal: type == "Comment"))
            }
        }
        return entries
    }

    func write(_ text: String, isInternal: Bool, in ticket: DeskTicket) async throws {
        try await ask(
            "POST", "/ticket/\(ticket.id)/\(isInternal ? "comment" : "correspond")",
            ["Content": .string(text), "ContentType": "text/plain"])
    }

    /// As the editor of its pages sends an answer, files included.
    func write(html: String, file: (name: String, bytes: [UInt8])? = nil, in ticket: DeskTicket) async throws {
        var message: [String: JSONValue] = ["Content": .string(html), "ContentType": "text/html"]
        if let file {
            message["Attachments"] = [
                ["FileName": .string(file.name), "FileType": "application/pdf", "FileContent": .string(Base64.encode(file.bytes))]
            ]
        }
        try await ask("POST", "/ticket/\(ticket.id)/correspond", .object(message))
    }

    func setClosed(_ isClosed: Bool, _ ticket: DeskTicket) async throws {
        try await ask("PUT", "/ticket/\(ticket.id)", ["Status": isClosed ? "resolved" : "open"])
    }

    func take(_ ticket: DeskTicket) async throws { try await ask("PUT", "/ticket/\(ticket.id)", ["Owner": .string(Self.agent.user)]) }

    func isClosed(_ ticket: DeskTicket) async throws -> Bool {
        try await ask("GET", "/ticket/\(ticket.id)")["Status"]?.string == "resolved"
    }

    func calls(atLeast count: Int) async throws -> [ChannelRequest] { [] }
    func fail(_ fault: DeskFault) async -> Bool { false }
}
