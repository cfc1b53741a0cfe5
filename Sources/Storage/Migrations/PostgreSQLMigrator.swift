internal import CPostgres
internal import Conversation

/// Makes and updates the tables in PostgreSQL as a role that owns them. The gateway's own role may only read and write rows, and row-level
/// security binds it: so a fault in the gateway cannot show one brand the rows of another.
package enum PostgreSQLMigrator {
    /// What a run did or would do.
    package struct Report: Sendable {
        package var lines: [String] = []
        /// Versions before and after.
        package var from = 0
        package var to = 0
    }

    /// Any number that only we take; two runs at once take turns.
    private static let lock = 0x5377_6974_6368

    /// `url` names the owner of the tables, `role` the one that the gateway connects as. With `isDryRun` nothing changes.
    /// Throws `StorageError`; then the steps reported as done stand, the one under way is undone.
    package static func migrate(url: String, role: String, isDryRun: Bool = false) async throws -> Report {
        try await migrate(url: url, role: role, isDryRun: isDryRun, steps: Migrations.all)
    }

    static func migrate(url: String, role: String, isDryRun: Bool = false, steps: [String]) async throws -> Report {
        try await OwnThread.run(name: "postgresql-migrate") {
            let link = try PostgreSQLLink(url: url, applicationName: "switchboard-migrate", connectTimeout: .seconds(5))
            defer { link.close() }
            // Large tables take their time.
            link.answerTime = 24 * 3_600_000
            return try Run(link: link, role: role, isDryRun: isDryRun, steps: steps).all()
        }
    }

    private struct Run {
        let link: PostgreSQLLink
        let role: String
        let isDryRun: Bool
        let steps: [String]
        var report = Report()

        init(link: PostgreSQLLink, role: String, isDryRun: Bool, steps: [String]) {
            self.steps = steps
            self.link = link
            self.role = role
            self.isDryRun = isDryRun
        }

        func all() throws -> Report {
            var run = self
            try run.checkRoles()
            try link.execute("SELECT pg_advisory_lock(\(PostgreSQLMigrator.lock))")
            try run.take()
            return run.report
        }

        private func checkRoles() throws {
            let version = Int(try one("SELECT current_setting('server_version_num')")) ?? 0
            guard version >= 150_000 else {
                throw StorageError.cannotOpen("PostgreSQL 15 or newer is needed; this server is of version \(version / 10_000)")
            }
            guard try one("SELECT current_setting('server_encoding')") == "UTF8" else {
                throw StorageError.cannotOpen("the database's encoding is not UTF8; make it with ENCODING 'UTF8'")
            }
            guard try one("SELECT has_schema_privilege(current_schema(), 'CREATE')") == "t" else {
                let (database, user) = (try one("SELECT current_database()"), try one("SELECT current_user"))
                throw StorageError.cannotOpen(
                    "role \(user) may not make tables in database \(database); run as an administrator: "
                        + "ALTER DATABASE \(try identifier(database)) OWNER TO \(try identifier(user))")
            }
            guard try one("SELECT current_user") != role else {
                throw StorageError.cannotOpen(
                    "\(role) is the role that would own the tables; the gateway needs another, which row-level security binds")
            }
            guard let found = try link.execute("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = \(try literal(role))").first
            else {
                throw StorageError.cannotOpen(
                    "there is no role \(role) for the gateway; make it with: CREATE ROLE \(try identifier(role)) LOGIN PASSWORD '…'")
            }
            guard found.first != "t" else {
                throw StorageError.cannotOpen("role \(role) is a superuser or has BYPASSRLS; the gateway needs one without")
            }
        }

        private mutating func take() throws {
            let exists = try !link.execute("SELECT 1 WHERE to_regclass('migrations') IS NOT NULL").isEmpty
            let (from, worksFrom) = exists ? try PostgreSQLSchema.version(link) : (0, nil)
            report.from = from
            report.to = max(from, steps.count)
            try Migrator.checkNotTooNew(from, worksFrom: worksFrom, known: steps.count)
            let missing = steps.enumerated().dropFirst(from)
            if isDryRun {
                report.lines = missing.map { "would make version \($0.offset + 1)" }
                return
            }
            if !exists { try link.execute(Migrator.table) }
            if !missing.isEmpty, try one("SELECT count(*) FROM pg_attribute WHERE \(Self.worksFrom)") == "0" {
                try link.execute(Migrator.addColumn)
            }
            for (index, text) in missing {
                try transaction {
                    try lift(for: text)
                    try link.execute(Dialect.postgreSQL.definition(text))
                    CrashPoint.migrationHalfDone.pass()
                    let worksFrom = Migrations.worksFrom(step: index + 1)
                    try link.execute("INSERT INTO migrations (version, works_from) VALUES (\(index + 1), \(worksFrom))")
                    report.lines.append("made version \(index + 1)")
                    try protect()
                }
            }
            // Also when nothing was missing: what somebody has lifted since is put back.
            try transaction { try protect() }
        }

        private static let worksFrom = "attrelid = 'migrations'::regclass AND attname = 'works_from' AND NOT attisdropped"

        /// Forced row-level security binds the owner too, and a step belongs to no brand: it would change no row, and say nothing. So tables
        /// whose rows it reads or changes are opened to their owner until the step is over; `protect` closes them before the commit.
        private func lift(for step: String) throws {
            let words = Set(step.split { !($0.isLetter || $0.isNumber || $0 == "_") })
            guard !words.isDisjoint(with: ["UPDATE", "INSERT", "DELETE", "MERGE"]) else { return }
            let forced = try PostgreSQLSchema.names(
                link, "SELECT relname FROM pg_class WHERE \(PostgreSQLSchema.ours) AND relforcerowsecurity ORDER BY relname")
            for table in forced where words.contains(table[...]) {
                try link.execute("ALTER TABLE \(try identifier(table)) NO FORCE ROW LEVEL SECURITY")
            }
        }

        private func transaction(_ body: () throws -> Void) throws {
            try link.execute("BEGIN")
            do {
                try body()
                try link.execute("COMMIT")
            } catch {
                if !link.isBroken { try link.execute("ROLLBACK") }
                throw error
            }
        }

        /// Read from the catalogue, so that no table can be forgotten.
        private mutating func protect() throws {
            for table in try PostgreSQLSchema.names(link, PostgreSQLSchema.unprotected) {
                let name = try identifier(table)
                try link.execute(
                    """
                    ALTER TABLE \(name) ENABLE ROW LEVEL SECURITY;
                    ALTER TABLE \(name) FORCE ROW LEVEL SECURITY;
                    DROP POLICY IF EXISTS of_brand ON \(name);
                    CREATE POLICY of_brand ON \(name) USING (brand_id = current_setting('switchboard.brand', true))
                        WITH CHECK (brand_id = current_setting('switchboard.brand', true));
                    """)
                report.lines.append("protected \(table) by row-level security")
            }
            try grant()
            try tune()
        }

        private mutating func grant() throws {
            let (role, named) = (try identifier(role), try literal(role))
            try link.execute("GRANT USAGE ON SCHEMA \(try identifier(try one("SELECT current_schema()"))) TO \(role)")
            let missing = try PostgreSQLSchema.names(
                link,
                """
                SELECT relname FROM pg_class WHERE \(PostgreSQLSchema.ours) AND relname <> 'migrations'
                    AND EXISTS (SELECT 1 FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS needed
                        WHERE NOT has_table_privilege(\(named), pg_class.oid, needed))
                ORDER BY relname
                """)
            for table in missing { try link.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON \(try identifier(table)) TO \(role)") }
            if !missing.isEmpty { report.lines.append("granted \(self.role) the rows of \(missing.count) tables") }
            try link.execute("GRANT SELECT ON migrations TO \(role)")
        }

        /// Rows of the queue change all the time: room for new versions on the same page, and dead ones swept early.
        private func tune() throws {
            for table in try PostgreSQLSchema.names(
                link,
                "SELECT relname FROM pg_class WHERE \(PostgreSQLSchema.ours) AND relname IN ('tasks', 'lanes') AND reloptions IS NULL")
            {
                try link.execute(
                    """
                    ALTER TABLE \(try identifier(table)) SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02,
                        autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_insert_scale_factor = 0.1,
                        autovacuum_analyze_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0)
                    """)
            }
        }

        private func one(_ query: String) throws -> String { try link.execute(query).first?.first.flatMap { $0 } ?? "" }

        private func identifier(_ name: String) throws -> String {
            guard let quoted = PQescapeIdentifier(link.handle, name, name.utf8.count) else {
                throw StorageError.cannotOpen("\(name) cannot be a name in PostgreSQL")
            }
            defer { PQfreemem(quoted) }
            return String(cString: quoted)
        }

        private func literal(_ text: String) throws -> String {
            guard let quoted = PQescapeLiteral(link.handle, text, text.utf8.count) else {
                throw StorageError.cannotOpen("\(text) cannot be a text in PostgreSQL")
            }
            defer { PQfreemem(quoted) }
            return String(cString: quoted)
        }
    }
}
