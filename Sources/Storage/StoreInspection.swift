import Conversation

/// Looks at the store of gateways that are stopped, as nobody bound to a brand, and changes nothing. For tools, never for a gateway.
package enum StoreInspection {
    /// What is done with one snapshot of a store. The connection is good only until it returns.
    package typealias Look<Result> = @Sendable (any Connection, Dialect) throws -> Result

    /// Looks at an embedded store. That no gateway has it open is up to the caller (`StoreFileLock`). Nothing is folded back from its log,
    /// and no file is made where there is none. Throws `StorageError`, or what `look` threw.
    package static func file<Result: Sendable>(_ path: String, _ look: @escaping Look<Result>) async throws -> Result {
        try await OwnThread.run(name: "sqlite-inspection") {
            let connection = try SQLiteConnection(path: path, readOnly: true)
            defer { connection.close() }
            try connection.run(Statements.begin, [])
            try checkVersion(connection)
            return try look(connection, .sqlite)
        }
    }

    /// Looks at a store in PostgreSQL as a role that row-level security does not bind. A connection of a gateway may take up to `patience`
    /// to be gone after its process ended. Throws `StorageError`, or what `look` threw.
    package static func postgreSQL<Result: Sendable>(
        url: String, patience: Duration = .seconds(5), _ look: @escaping Look<Result>
    ) async throws -> Result {
        let options = PostgreSQLDatabase.Options(
            writers: 1, readers: 1, statementTimeout: .seconds(600), idleInTransactionTimeout: .seconds(600),
            applicationName: "switchboard-inspection", takesAnyRole: true)
        let database = try await PostgreSQLDatabase(url: url, options: options)
        do {
            try await database.read(.installation, checkRole)
            try await waitUntilAlone(database, patience)
            let result = try await database.read(.installation) { connection in
                try checkVersion(connection)
                return try look(connection, .postgreSQL)
            }
            await database.close()
            return result
        } catch {
            await database.close()
            throw error
        }
    }

    private enum Statements {
        static let begin = SQL("BEGIN")
        static let version = SQL("SELECT version FROM migrations ORDER BY version DESC LIMIT 1")
        static let worksFrom = SQL("SELECT works_from FROM migrations ORDER BY version DESC LIMIT 1")
        static let role = SQL(
            """
            SELECT CAST(rolname AS TEXT), CASE WHEN rolsuper OR rolbypassrls THEN 1 ELSE 0 END,
                CASE WHEN pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') THEN 1 ELSE 0 END
            FROM pg_roles WHERE rolname = current_user
            """)
        /// Names of connections are shown to superusers and to members of pg_read_all_stats, such as pg_monitor.
        static let gateways = SQL(
            """
            SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
                AND application_name IN ('switchboard', 'switchboard-signals')
            """)
    }

    private static func checkVersion(_ connection: any Connection) throws {
        let version = try connection.rows(Statements.version, []).first?.int(0) ?? 0
        // The column is missing where only older programs have been.
        let worksFrom = version > Migrations.all.count ? try connection.rows(Statements.worksFrom, []).first?.optional(0) { $0.int } : nil
        try Migrator.checkVersion(version, worksFrom: worksFrom, way: "use the program that worked on it last")
    }

    @Sendable private static func checkRole(_ connection: any Connection) throws {
        guard let row = try connection.rows(Statements.role, []).first else { return }
        let way = "connect as a superuser, or as a role with BYPASSRLS that is a member of pg_read_all_data and pg_monitor"
        guard try row.flag(1) else {
            throw StorageError.cannotOpen("role \(try row.text(0)) sees the rows of one brand at a time; \(way)")
        }
        guard try row.flag(2) else {
            throw StorageError.cannotOpen("role \(try row.text(0)) cannot see whether a gateway is connected; \(way)")
        }
    }

    private static func waitUntilAlone(_ database: PostgreSQLDatabase, _ patience: Duration) async throws {
        let deadline = ContinuousClock.now + patience
        while try await database.read(.installation, { try $0.rows(Statements.gateways, []).first?.integer(0) ?? 0 }) > 0 {
            guard ContinuousClock.now < deadline else {
                throw StorageError.cannotOpen("a gateway is connected to it; stop every node first")
            }
            try await Task.sleep(for: .milliseconds(50))
        }
    }
}
