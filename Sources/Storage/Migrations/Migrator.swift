internal import Conversation

/// Brings a store's tables up to the version this program knows. Each step is one transaction.
///
/// While nodes are replaced one by one, those of the release before work on the new tables. So a step only adds: tables, indexes, and
/// columns that may be missing or have a default. Each step notes how old a program may be (`Migrations.worksFrom`): only the newer program
/// can know.
enum Migrator {
    static let table = "CREATE TABLE IF NOT EXISTS migrations (version BIGINT PRIMARY KEY, works_from BIGINT)"
    static let addColumn = "ALTER TABLE migrations ADD COLUMN works_from BIGINT"
    private static let column = SQL("SELECT 1 FROM pragma_table_info('migrations') WHERE name = 'works_from'")
    private static let newest = SQL("SELECT version, works_from FROM migrations ORDER BY version DESC LIMIT 1")
    private static let record = SQL("INSERT INTO migrations (version, works_from) VALUES ($1, $2)")
    /// Versions that a store may be ahead of the program where it does not say how old a program may be.
    static let tolerated = 1

    /// Brings a SQLite store up to date. `execute` runs a text of several statements. Throws `StorageError`; a store that is two releases
    /// ahead is refused.
    static func migrate(
        _ connection: any Connection, dialect: Dialect, steps: [String] = Migrations.all, execute: (String) throws -> Void
    ) throws {
        try execute(table)
        if try connection.rows(column, []).isEmpty { try execute(addColumn) }
        let row = try connection.rows(newest, []).first
        let current = try row?.int(0) ?? 0
        try checkNotTooNew(current, worksFrom: row?.optional(1) { $0.int }, known: steps.count)
        for (index, text) in steps.enumerated().dropFirst(current) {
            try execute("BEGIN")
            do {
                try execute(dialect.fill(text))
                CrashPoint.migrationHalfDone.pass()
                try connection.run(record, [SQLValue(index + 1), SQLValue(Migrations.worksFrom(step: index + 1))])
                try execute("COMMIT")
            } catch {
                try execute("ROLLBACK")
                throw error
            }
        }
    }

    /// `worksFrom` is what the store says; nil when it says nothing.
    static func checkNotTooNew(_ current: Int, worksFrom: Int?, known: Int = Migrations.all.count) throws {
        guard current > known, (worksFrom ?? current - tolerated) > known else { return }
        throw StorageError.cannotOpen(
            "the store is of version \(current), this program knows up to \(known) and works with what the next release adds; "
                + "run the newer program")
    }

    /// For a store that this program may not change. `way` says how it is brought up to date. Throws `StorageError.cannotOpen`.
    static func checkVersion(_ current: Int, worksFrom: Int?, way: String) throws {
        guard current >= Migrations.all.count else {
            throw StorageError.cannotOpen("the store is of version \(current), this program needs \(Migrations.all.count); \(way)")
        }
        try checkNotTooNew(current, worksFrom: worksFrom)
    }
}
