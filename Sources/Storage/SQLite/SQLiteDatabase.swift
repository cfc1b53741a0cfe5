internal import Conversation

/// The embedded store: one file, one writer thread that also checkpoints, a few readers.
/// SQLite 3.40 can corrupt a file when two connections checkpoint at once, so only the writer ever does.
package final class SQLiteDatabase: Database {
    private let writer: SQLiteWriter
    private let readers: SQLiteReaders
    package let dialect = Dialect.sqlite

    package struct Options: Sendable {
        package var readers: Int
        /// Pages in the write-ahead log before it is folded back between two commits; a sixty-fourth of it when nobody came for a while.
        package var checkpointPages: Int
        package init(readers: Int = 2, checkpointPages: Int = 32_000) {
            self.readers = readers
            self.checkpointPages = checkpointPages
        }
    }

    /// Opens or makes the file and brings its tables up to date. Throws `StorageError`.
    package init(path: String, options: Options = .init()) throws {
        let connection = try SQLiteConnection(path: path, readOnly: false)
        try Self.prepare(connection)
        try Migrator.migrate(connection, dialect: .sqlite) { try connection.execute($0) }
        readers = try SQLiteReaders(path: path, count: options.readers)
        try connection.gatherLogWrites()
        writer = SQLiteWriter(connection: connection, checkpointPages: options.checkpointPages)
    }

    private static func prepare(_ connection: SQLiteConnection) throws {
        let mode = try connection.rows(SQL("PRAGMA journal_mode=WAL"), []).first?.text(0)
        guard mode == "wal" else { throw StorageError.cannotOpen("journal_mode is \(mode ?? "unknown"), not wal") }
        try connection.execute("PRAGMA synchronous=FULL")
        let synchronous = try connection.rows(SQL("PRAGMA synchronous"), []).first?.integer(0)
        guard synchronous == 2 else { throw StorageError.cannotOpen("synchronous is \(synchronous ?? -1), not 2 (FULL)") }
        // SQLite walks the cache's table at every commit, so a large cache makes small commits slow; what it misses is in the page cache.
        try connection.execute("PRAGMA cache_size=-8192")
        try connection.execute("PRAGMA temp_store=MEMORY")
    }

    package func write<Result: Sendable>(
        _ scope: Scope, _ unit: @escaping @Sendable (any Connection) throws -> Result
    ) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            var result: Result?
            writer.add(
                SQLiteWriter.Unit(
                    work: { result = try unit($0) },
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

    package func read<Result: Sendable>(
        _ scope: Scope, _ unit: @escaping @Sendable (any Connection) throws -> Result
    ) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            let accepted = readers.add { connection in
                continuation.resume(with: Swift.Result { try connection.snapshot { try unit(connection) } })
            }
            if !accepted { continuation.resume(throwing: StorageError.closed) }
        }
    }

    package func close() async {
        // The writer last: whoever closes last folds the log back, and only the writer can.
        await readers.close()
        await writer.close()
    }
}

extension SQLiteConnection {
    private static let begin = SQL("BEGIN")
    private static let commit = SQL("COMMIT")

    /// Several statements on one state of the database.
    fileprivate func snapshot<Result>(_ work: () throws -> Result) throws -> Result {
        try run(Self.begin, [])
        defer {
            // A read transaction has nothing to lose: ending it can only fail when the connection is already idle.
            if !isIdle { _ = try? run(Self.commit, []) }
        }
        return try work()
    }
}
