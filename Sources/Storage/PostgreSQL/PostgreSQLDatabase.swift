internal import Conversation
import Foundation
import Synchronization

/// A store in PostgreSQL, shared by several nodes. Brands are kept apart by the server itself (row-level security): each unit of work
/// says whose rows it may touch before its first statement. A unit whose statement failed is undone, even if it kept the error to itself.
package final class PostgreSQLDatabase: Database {
    package let dialect = Dialect.postgreSQL
    /// What is allowed but should be known, a sentence each: data checksums that are off, for one.
    package let warnings: [String]
    private let writers: PostgreSQLPool
    private let readers: PostgreSQLPool
    private let reads = ReadCounter()

    package struct Options: Sendable {
        /// Connections that write, and that read; each is made when it is first needed.
        package var writers: Int
        package var readers: Int
        package var statementTimeout: Duration
        package var lockTimeout: Duration
        package var idleInTransactionTimeout: Duration
        /// For each host of the address; two seconds at the least.
        package var connectTimeout: Duration
        /// How long work waits for a connection when there is none.
        package var patience: Duration
        /// How long work waits behind other work.
        package var longestWait: Duration
        /// Whether units go by the server's clock. False where a test holds the clock.
        package var usesServerClock: Bool
        package var applicationName: String
        /// For a tool that looks at all brands at once with an operator's role, never for a gateway: the role is not looked over.
        package var takesAnyRole: Bool

        package init(
            writers: Int = 4, readers: Int = 4, statementTimeout: Duration = .seconds(5), lockTimeout: Duration = .seconds(2),
            idleInTransactionTimeout: Duration = .seconds(10), connectTimeout: Duration = .seconds(3),
            patience: Duration = .milliseconds(1500), longestWait: Duration = .seconds(10), usesServerClock: Bool = true,
            applicationName: String = "switchboard", takesAnyRole: Bool = false
        ) {
            self.writers = writers
            self.readers = readers
            self.statementTimeout = statementTimeout
            self.lockTimeout = lockTimeout
            self.idleInTransactionTimeout = idleInTransactionTimeout
            self.connectTimeout = connectTimeout
            self.patience = patience
            self.longestWait = longestWait
            self.usesServerClock = usesServerClock
            self.applicationName = applicationName
            self.takesAnyRole = takesAnyRole
        }
    }

    /// Looks the server, the role and the tables over. `url` is an address as libpq reads it, with several hosts if need be.
    /// Throws `StorageError.cannotOpen` when acknowledged messages could be lost or brands could see each other there, or when the
    /// tables are not of this program's version; `.unavailable` when the server cannot be reached.
    package init(url: String, options: Options = .init()) async throws {
        let settings = PostgreSQLSettings(url: url, options: options)
        warnings = try await OwnThread.run(name: "postgresql-check") {
            let link = try PostgreSQLLink(url: url, applicationName: options.applicationName, connectTimeout: options.connectTimeout)
            defer { link.close() }
            let server = try PostgreSQLServer(link, options)
            try server.checkUsable()
            if !options.takesAnyRole {
                try server.checkRole()
                try PostgreSQLSchema.check(link, role: server.role)
            }
            return server.warnings
        }
        writers = PostgreSQLPool(
            name: "postgresql-writer", settings: PostgreSQLSettings(url: url, options: options, isForWriting: true),
            threads: options.writers, groupLimit: 128, perform: PostgreSQLWriting.perform)
        readers = PostgreSQLPool(
            name: "postgresql-reader", settings: settings, threads: options.readers, groupLimit: 1, perform: PostgreSQLReading.perform)
    }

    package func write<Result: Sendable>(
        _ scope: Scope, _ unit: @escaping @Sendable (any Connection) throws -> Result
    ) async throws -> Result {
        try await Self.run(in: writers, line: .scope(scope), scope, unit)
    }

    package func read<Result: Sendable>(
        _ scope: Scope, _ unit: @escaping @Sendable (any Connection) throws -> Result
    ) async throws -> Result {
        try await Self.run(in: readers, line: .own(reads.next()), scope, unit)
    }

    private static func run<Result: Sendable>(
        in pool: PostgreSQLPool, line: PostgreSQLUnit.Line, _ scope: Scope, _ unit: @escaping @Sendable (any Connection) throws -> Result
    ) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            var result: Result?
            pool.add(
                PostgreSQLUnit(
                    line: line, scope: scope, work: { result = try unit($0) },
                    finish: { failure in
                        if let failure {
                            continuation.resume(throwing: failure)
                        } else if let result {
                            continuation.resume(returning: result)
                        } else {
                            continuation.resume(throwing: StorageError.closed)
                        }
                    }))
        }
    }

    package func close() async {
        await readers.close()
        await writers.close()
    }
}

/// Counts reads, so that each is a line of its own.
private final class ReadCounter: Sendable {
    private let count = Mutex(0)
    func next() -> Int {
        count.withLock { count in
            count += 1
            return count
        }
    }
}

/// Blocking work of libpq, off the threads that tasks share.
enum OwnThread {
    static func run<Result: Sendable>(name: String, _ body: @escaping @Sendable () throws -> Result) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            let thread = Thread { continuation.resume(with: Swift.Result { try body() }) }
            thread.name = name
            thread.stackSize = 4 << 20
            thread.start()
        }
    }
}
