import Conversation
import Foundation
import Storage
import Synchronization
import TestKit
import Testing

/// The servers that a rig's installation shares.
struct SharedServers: Sendable {
    let postgres: PostgresServer
    let nats: NATSServer

    /// The ones of this test process.
    static func common() async throws -> SharedServers {
        SharedServers(postgres: try await .shared(), nats: try await .shared())
    }

    /// Runs `body` with servers that it may stop.
    static func with<Result>(_ body: (SharedServers) async throws -> Result) async throws -> Result {
        try await NATSServer.with { nats in
            let postgres = try await PostgresServer.start()
            do {
                let result = try await body(SharedServers(postgres: postgres, nats: nats))
                try await postgres.stop(isSudden: true)
                return result
            } catch {
                // The error of the body is the one to tell.
                try? await postgres.stop(isSudden: true)
                throw error
            }
        }
    }
}

/// What a rig's gateways share: a database and a namespace of the bus, of its own.
struct SharedPlace: Sendable {
    let servers: SharedServers
    let database: PostgresServer.Addresses
    let bus: String

    private static let namespaces = 64
    private static let next = Counter()

    /// A database that `migrate` has made ready as the owner of the tables.
    static func make(on servers: SharedServers) async throws -> SharedPlace {
        // Rigs come one after the other: a namespace is long left when its turn comes again.
        let bus = servers.nats.url(namespace: next.next() % namespaces + 1)
        return SharedPlace(servers: servers, database: try await servers.postgres.makeDatabase(), bus: bus)
    }

    /// How a gateway learns of it: passwords are none of the process list's business.
    var environment: [String: String] { ["SWITCHBOARD_STORE": database.gateway, "SWITCHBOARD_BUS": bus] }

    func drop() async throws { try await servers.postgres.dropDatabase(database) }
}

final class Counter: Sendable {
    private let value = Mutex(0)

    var current: Int { value.withLock { $0 } }

    func next() -> Int {
        value.withLock { value in
            value += 1
            return value
        }
    }
}

extension Rig {
    /// Where this run keeps what it tests.
    static let kind = TestDatabase.Kind.ofThisRun

    var isShared: Bool { place != nil }

    /// Within what the next process does all that a killed one did. Where others may be at work, desks are asked and events published by
    /// somebody else only when the claim of the dead one has run out.
    var untilTakenOver: Duration { isShared ? patience * 2 : patience }

    /// The store as somebody sees it who is bound to no brand, beside the running gateway or after it.
    func openStore() async throws -> any Database {
        guard let place else { return try SQLiteDatabase(path: data + "/switchboard.sqlite") }
        return try await PostgreSQLDatabase(
            url: place.database.administrator,
            options: .init(writers: 1, readers: 1, statementTimeout: .seconds(30), applicationName: "switchboard-look", takesAnyRole: true))
    }

    func withStore<Result: Sendable>(_ look: (any Database) async throws -> Result) async throws -> Result {
        let database = try await openStore()
        do {
            let result = try await look(database)
            await database.close()
            return result
        } catch {
            await database.close()
            throw error
        }
    }

    /// The first number that a query gives.
    func count(_ query: String) async throws -> Int64 {
        try await withStore { database in
            try await database.read(.installation) { try $0.rows(SQL(query), []).first?.integer(0) ?? 0 }
        }
    }

    /// Changes the stopped gateway's store.
    func change(_ statement: String) async throws {
        try await withStore { database in try await database.write(.installation) { _ = try $0.rows(SQL(statement), []) } }
    }

    /// Bytes as SQL writes them in this store.
    func bytes(_ hex: String) -> String { isShared ? "'\\x\(hex)'::bytea" : "x'\(hex)'" }

    /// The number of rows in each table but those in which nodes note what they are and do, whatever they are asked.
    func rowCounts() async throws -> [String: Int64] {
        try await withStore { database in
            let dialect = database.dialect
            return try await database.read(.installation) { connection in
                let tables = try StoreTable.all(connection, dialect).map(\.name).filter { !["nodes", "duties"].contains($0) }
                return try tables.reduce(into: [String: Int64]()) { counts, table in
                    counts[table] = try connection.rows(SQL("SELECT count(*) FROM \(table)"), []).first?.integer(0)
                }
            }
        }
    }
}
