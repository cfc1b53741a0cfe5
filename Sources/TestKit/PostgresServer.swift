import Foundation
import Storage
import Synchronization

/// A real PostgreSQL for tests, with the durability of production: on a free port of 127.0.0.1, in a folder of its own, gone when this
/// process ends in whatever way. The gateway's role owns nothing there.
package final class PostgresServer: Sendable {
    package struct Problem: Error, CustomStringConvertible {
        package var description: String
        init(_ description: String) { self.description = description }
    }

    /// The addresses of one database.
    package struct Addresses: Sendable {
        package var name: String
        /// As the gateway's role.
        package var gateway: String
        /// As the role that owns the tables.
        package var owner: String
        /// As the server's own administrator, whom nothing binds.
        package var administrator: String
    }

    static let ownerRole = "switchboard_owner"
    package static let gatewayRole = "switchboard"
    private static let template = "switchboard_template"

    private struct State {
        /// Emptied, ready to be used again.
        var free: [String] = []
        var made: Set<String> = []
    }

    private let state = Mutex(State())
    private let process: ServerProcess?
    /// Address of the database `postgres`, as administrator.
    private let administration: String

    // MARK: Servers

    private static let common = Mutex<Task<PostgresServer, any Error>?>(nil)

    /// The one server of this test process, started by whoever asks first. `SWITCHBOARD_TEST_POSTGRES` (an administrator's address)
    /// names another. Throws `Problem` when it cannot be started: a test without its server fails.
    package static func shared() async throws -> PostgresServer {
        let task = common.withLock { current in
            if let current { return current }
            // Lives as long as the process: every test waits for the same one.
            let task = Task { try await start(at: ProcessInfo.processInfo.environment["SWITCHBOARD_TEST_POSTGRES"]) }
            current = task
            return task
        }
        return try await task.value
    }

    /// A server of the caller's own, for tests that stop it.
    package static func start() async throws -> PostgresServer { try await start(at: nil) }

    private static func start(at address: String?) async throws -> PostgresServer {
        let process = address == nil ? try await ServerProcess.start() : nil
        let server = PostgresServer(
            process: process, administration: address ?? "postgres://postgres@127.0.0.1:\(process?.port ?? 0)/postgres")
        if address != nil { Leftovers.drop(at: server) }
        try await server.prepare()
        return server
    }

    private init(process: ServerProcess?, administration: String) {
        self.process = process
        self.administration = administration
    }

    private func prepare() async throws {
        do {
            for role in [Self.ownerRole, Self.gatewayRole] {
                try await administrate(
                    """
                    DO $$ BEGIN CREATE ROLE \(role) LOGIN PASSWORD 'secret'; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$
                    """)
            }
            // Another process may use the same server: its template is as good as ours only when it is of this program's version.
            let name = process == nil ? "\(Self.template)_\(UUID().uuidString.prefix(8).lowercased())" : Self.template
            try await administrate("CREATE DATABASE \(name) OWNER \(Self.ownerRole) ENCODING 'UTF8' LOCALE 'C' TEMPLATE template0")
            _ = try await PostgreSQLMigrator.migrate(url: addresses(of: name).owner, role: Self.gatewayRole)
            state.withLock { _ = $0.made.insert(name) }
            templateName.withLock { $0 = name }
        } catch {
            throw Problem("PostgreSQL for tests does not work: \(error)")
        }
    }

    private let templateName = Mutex(PostgresServer.template)

    /// As the administrator, in no database of a test.
    @discardableResult package func administrate(_ text: String) async throws -> [[String?]] {
        try await PostgreSQLConsole.run(text, at: administration)
    }

    // MARK: Coming and going

    /// Port of the server on 127.0.0.1; nil for one that others run.
    package var port: Int? { process?.port }
    /// Ends the server like an operator would; connections are cut, transactions undone. `isSudden` is the end of a power failure.
    package func stop(isSudden: Bool = false) async throws { try await mine().tell(isSudden ? "kill" : "stop") }
    /// Starts it again after `stop`; returns when it answers.
    package func startAgain() async throws {
        try await mine().tell("start")
        try await mine().waitUntilReady()
    }
    package func restart(isSudden: Bool = false) async throws {
        try await stop(isSudden: isSudden)
        try await startAgain()
    }

    private func mine() throws -> ServerProcess {
        guard let process else { throw Problem("this PostgreSQL is run by somebody else (SWITCHBOARD_TEST_POSTGRES)") }
        return process
    }

    // MARK: Databases

    /// A database with our tables and nothing in them, protected like in production.
    package func makeDatabase() async throws -> Addresses {
        if let name = state.withLock({ $0.free.popLast() }) { return addresses(of: name) }
        let name = "sbtest_" + UUID().uuidString.replacingOccurrences(of: "-", with: "").lowercased()
        let template = templateName.withLock { $0 }
        try await administrate("CREATE DATABASE \(name) TEMPLATE \(template) OWNER \(Self.ownerRole)")
        state.withLock { _ = $0.made.insert(name) }
        return addresses(of: name)
    }

    /// A database without any table.
    package func makeEmptyDatabase() async throws -> Addresses {
        let name = "sbtest_" + UUID().uuidString.replacingOccurrences(of: "-", with: "").lowercased()
        try await administrate("CREATE DATABASE \(name) OWNER \(Self.ownerRole) ENCODING 'UTF8' LOCALE 'C' TEMPLATE template0")
        state.withLock { _ = $0.made.insert(name) }
        return addresses(of: name)
    }

    /// Empties a database of `makeDatabase` whose tables are as they were, and keeps it for the next test.
    package func giveBack(_ addresses: Addresses) async throws {
        try await PostgreSQLConsole.run(
            """
            DO $$ DECLARE name text; filled bool; BEGIN
                FOR name IN SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> 'migrations'
                LOOP EXECUTE format('DELETE FROM %I', name); END LOOP;
            END $$
            """, at: addresses.administrator)
        state.withLock { $0.free.append(addresses.name) }
    }

    /// For a database that was changed otherwise than by rows. Dropping costs a checkpoint, so on a server that goes with this process it
    /// stays until then.
    package func discard(_ addresses: Addresses) async throws {
        if process == nil { try await dropDatabase(addresses) }
    }

    package func dropDatabase(_ addresses: Addresses) async throws {
        try await administrate("DROP DATABASE IF EXISTS \(addresses.name) WITH (FORCE)")
        state.withLock { _ = $0.made.remove(addresses.name) }
    }

    private func addresses(of name: String) -> Addresses {
        func address(_ user: String?) -> String {
            guard var parts = URLComponents(string: administration) else { return administration }
            parts.path = "/" + name
            if let user { (parts.user, parts.password) = (user, "secret") }
            return parts.string ?? administration
        }
        return Addresses(name: name, gateway: address(Self.gatewayRole), owner: address(Self.ownerRole), administrator: address(nil))
    }

    /// What a server that others run would keep of us.
    fileprivate func dropAll() {
        for name in state.withLock({ $0.made }) {
            do {
                try PostgreSQLConsole.runBlocking("DROP DATABASE IF EXISTS \(name) WITH (FORCE)", at: administration)
            } catch {
                print("could not drop the test database \(name): \(error)")
            }
        }
    }
}

private enum Leftovers {
    private static let servers = Mutex<[PostgresServer]>([])

    static func drop(at server: PostgresServer) {
        let isFirst = servers.withLock { servers in
            servers.append(server)
            return servers.count == 1
        }
        if isFirst { atexit { Leftovers.dropAll() } }
    }

    static func dropAll() { for server in servers.withLock({ $0 }) { server.dropAll() } }
}
