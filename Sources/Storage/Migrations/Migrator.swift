internal import Conversation

/// Brings a store's tables up to the version this program knows. Each step is one transaction.
///
/// While nodes are replaced one by one, those of the version before work on the new tables. So a step only adds: tables, indexes, and
/// columns that may be missing or have a default.
enum Migrator {
    private static let version = SQL("SELECT coalesce(max(version), 0) FROM migrations")
    private static let record = SQL("INSERT INTO migrations (version) VALUES ($1)")
    /// Versions that a store may be ahead of the program.
    static let tolerated = 1

    /// `execute` runs a text of several statements. Throws `StorageError`; a store two versions ahead is refused.
    static func migrate(_ connection: any Connection, dialect: Dialect, execute: (String) throws -> Void) throws {
        try execute("CREATE TABLE IF NOT EXISTS migrations (version BIGINT PRIMARY KEY)")
        let current = try connection.rows(version, []).first?.int(0) ?? 0
        try checkNotTooNew(current)
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

    static func checkNotTooNew(_ current: Int) throws {
        guard current <= Migrations.all.count + tolerated else {
            throw StorageError.cannotOpen(
                "the store is of version \(current), this program knows up to \(Migrations.all.count) and works with one more; "
                    + "run the newer program")
        }
    }

    /// For a store that this program may not change. `way` says how it is brought up to date. Throws `StorageError.cannotOpen`.
    static func checkVersion(_ current: Int, way: String) throws {
        guard current >= Migrations.all.count else {
            throw StorageError.cannotOpen("the store is of version \(current), this program needs \(Migrations.all.count); \(way)")
        }
        try checkNotTooNew(current)
    }
}
