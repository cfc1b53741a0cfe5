internal import Conversation

/// Brings a store's tables up to the version this program knows. Each step is one transaction.
enum Migrator {
    private static let version = SQL("SELECT coalesce(max(version), 0) FROM migrations")
    private static let record = SQL("INSERT INTO migrations (version) VALUES ($1)")

    /// `execute` runs a text of several statements. Throws `StorageError`; a store of a newer program is refused.
    static func migrate(_ connection: any Connection, dialect: Dialect, execute: (String) throws -> Void) throws {
        try execute("CREATE TABLE IF NOT EXISTS migrations (version BIGINT PRIMARY KEY)")
        let current = try connection.rows(version, []).first?.int(0) ?? 0
        guard current <= Migrations.all.count else {
            throw StorageError.cannotOpen("the store is of version \(current), this program knows up to \(Migrations.all.count)")
        }
        for (index, text) in Migrations.all.enumerated().dropFirst(current) {
            try execute("BEGIN")
            do {
                try execute(dialect.fill(text))
                CrashPoint.migrationHalfDone.pass()
                try connection.run(record, [SQLValue(index + 1)])
                try execute("COMMIT")
            } catch {
                try execute("ROLLBACK")
                throw error
            }
        }
    }
}
