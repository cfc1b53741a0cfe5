import Foundation
package import Storage
import Synchronization

/// An empty store of the kind that this run tests, gone when the test ends.
package struct TestDatabase: Sendable {
    package enum Kind: String, Sendable, CaseIterable {
        case sqlite, postgresql

        /// `SWITCHBOARD_TEST_STORE`; SQLite when nothing is said.
        package static let ofThisRun: Kind = {
            guard let name = ProcessInfo.processInfo.environment["SWITCHBOARD_TEST_STORE"], !name.isEmpty else { return .sqlite }
            guard let kind = Kind(rawValue: name) else { fatalError("SWITCHBOARD_TEST_STORE is \(name); it can be sqlite or postgresql") }
            return kind
        }()
    }

    package let database: any Database
    private let end: @Sendable () async throws -> Void

    package init(database: any Database, end: @escaping @Sendable () async throws -> Void) {
        self.database = database
        self.end = end
    }

    /// Throws when the server that it needs cannot be had.
    package static func make(_ kind: Kind = .ofThisRun, options: PostgreSQLDatabase.Options = .forTests) async throws -> TestDatabase {
        switch kind {
        case .sqlite:
            let path = NSTemporaryDirectory() + "switchboard-test-\(UUID().uuidString).sqlite"
            return TestDatabase(database: try SQLiteDatabase(path: path)) {
                for suffix in ["", "-wal", "-shm"] where FileManager.default.fileExists(atPath: path + suffix) {
                    try FileManager.default.removeItem(atPath: path + suffix)
                }
            }
        case .postgresql:
            let server = try await PostgresServer.shared()
            await Turnstile.databases.enter()
            do {
                let addresses = try await server.makeDatabase()
                return TestDatabase(database: try await PostgreSQLDatabase(url: addresses.gateway, options: options)) {
                    await Turnstile.databases.leave()
                    try await server.giveBack(addresses)
                }
            } catch {
                await Turnstile.databases.leave()
                throw error
            }
        }
    }

    /// Closes the store and removes what it kept.
    package func remove() async throws {
        await database.close()
        try await end()
    }
}

extension PostgreSQLDatabase.Options {
    /// Few connections, since many tests run at once; patient, since the machine is busy then; and time as the test says.
    package static let forTests = PostgreSQLDatabase.Options(
        writers: 2, readers: 2, statementTimeout: .seconds(20), lockTimeout: .seconds(5), idleInTransactionTimeout: .seconds(30),
        patience: .seconds(10), longestWait: .seconds(60), usesServerClock: false, applicationName: "switchboard-test")
}

/// Lets so many in at once; the others wait in line. A new database costs a good part of a second, one used again a few milliseconds.
private actor Turnstile {
    static let databases = Turnstile(places: 16)

    private var places: Int
    private var line: [CheckedContinuation<Void, Never>] = []

    init(places: Int) { self.places = places }

    func enter() async {
        if places > 0 {
            places -= 1
            return
        }
        await withCheckedContinuation { line.append($0) }
    }

    func leave() {
        if line.isEmpty { places += 1 } else { line.removeFirst().resume() }
    }
}
