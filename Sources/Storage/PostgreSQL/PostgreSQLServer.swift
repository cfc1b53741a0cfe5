internal import Conversation

/// How a database is reached and used.
struct PostgreSQLSettings: Sendable {
    var url: String
    var options: PostgreSQLDatabase.Options
    /// Whether the connection is for what writes. Its statements are few, short and found by an index, and the server would plan some of them
    /// anew each time, which takes longer than running them. A plan that is kept may have been made when the tables were empty, so it goes
    /// by an index then too, and joins by one: a hash of all of a brand's rows is never what these want. What only reads may look at much:
    /// it is planned as the server sees fit.
    var isForWriting = false

    static let planning = """
        SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off
        """
}

/// What a server says of itself and of the role we have there.
struct PostgreSQLServer {
    let time: Int64
    let version: Int
    let fsync: Bool
    let synchronousCommit: Bool
    let isStandby: Bool
    let encoding: String
    let hasChecksums: Bool
    let writesFullPages: Bool
    let role: String
    let isSuperuser: Bool
    let bypassesRowSecurity: Bool

    private static let question = """
        SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT), current_setting('server_version_num'),
            current_setting('fsync'), current_setting('synchronous_commit'), pg_is_in_recovery(), current_setting('server_encoding'),
            current_setting('data_checksums'), current_setting('full_page_writes'), current_user, rolsuper, rolbypassrls
        FROM pg_roles WHERE rolname = current_user
        """

    /// Sets the time-outs of this connection and asks. Throws `StorageError`.
    init(_ link: PostgreSQLLink, _ options: PostgreSQLDatabase.Options) throws {
        let rows = try link.execute(
            """
            SET statement_timeout = \(options.statementTimeout.milliseconds);
            SET lock_timeout = \(options.lockTimeout.milliseconds);
            SET idle_in_transaction_session_timeout = \(options.idleInTransactionTimeout.milliseconds);
            SET jit = off;
            \(Self.question)
            """)
        guard let values = rows.first?.compactMap({ $0 }), values.count == 11 else {
            throw StorageError.unavailable("the server did not say what it is")
        }
        time = Int64(values[0]) ?? 0
        version = Int(values[1]) ?? 0
        fsync = values[2] == "on"
        synchronousCommit = values[3] != "off"
        isStandby = values[4] == "t"
        encoding = values[5]
        hasChecksums = values[6] == "on"
        writesFullPages = values[7] == "on"
        role = values[8]
        isSuperuser = values[9] == "t"
        bypassesRowSecurity = values[10] == "t"
    }

    /// What must hold at every connection, after a fail-over too.
    func checkUsable() throws {
        guard version >= 150_000 else {
            throw StorageError.cannotOpen("PostgreSQL 15 or newer is needed; this server is of version \(version / 10_000)")
        }
        guard fsync else {
            throw StorageError.cannotOpen("the server runs with fsync=off and would lose acknowledged messages; set fsync=on")
        }
        guard synchronousCommit else {
            throw StorageError.cannotOpen(
                "synchronous_commit is off for role \(role), so acknowledged messages could be lost; set it to on")
        }
        guard encoding == "UTF8" else {
            throw StorageError.cannotOpen("the database's encoding is \(encoding); make it with ENCODING 'UTF8'")
        }
        guard !isStandby else { throw StorageError.unavailable("the server is a standby and cannot be written") }
    }

    /// What must hold of the gateway's role: else row-level security would not bind it.
    func checkRole() throws {
        guard !isSuperuser else {
            throw StorageError.cannotOpen(
                "role \(role) is a superuser, whom row-level security does not bind; give the gateway a role of its own")
        }
        guard !bypassesRowSecurity else {
            throw StorageError.cannotOpen("role \(role) has BYPASSRLS; run: ALTER ROLE \(role) NOBYPASSRLS")
        }
    }

    /// What is allowed but should be known.
    var warnings: [String] {
        var warnings: [String] = []
        if !hasChecksums { warnings.append("data checksums are off: the server cannot notice damaged pages (see pg_checksums)") }
        if !writesFullPages { warnings.append("full_page_writes is off: a power failure can damage pages") }
        return warnings
    }
}

/// What the tables in a database look like to the gateway's role.
enum PostgreSQLSchema {
    /// Throws `StorageError.cannotOpen` with the way out.
    static func check(_ link: PostgreSQLLink, role: String) throws {
        let way = "run: switchboard migrate --store postgres://owner@… --role \(role)"
        guard try link.execute("SELECT to_regclass('migrations')").first?.first.flatMap({ $0 }) != nil else {
            throw StorageError.cannotOpen("there are no tables of ours in the database; \(way)")
        }
        let owned = try names(
            link, "SELECT relname FROM pg_class WHERE \(ours) AND pg_has_role(current_user, relowner, 'MEMBER') ORDER BY relname LIMIT 3")
        guard owned.isEmpty else {
            throw StorageError.cannotOpen(
                "role \(role) owns tables (\(owned.joined(separator: ", "))) and could lift their row-level security; \(way)")
        }
        let unreadable = try names(
            link,
            """
            SELECT relname FROM pg_class WHERE \(ours) AND NOT has_table_privilege(oid, 'SELECT') ORDER BY relname LIMIT 3
            """)
        guard unreadable.isEmpty else {
            throw StorageError.cannotOpen("role \(role) may not read \(unreadable.joined(separator: ", ")); \(way)")
        }
        let (version, worksFrom) = try version(link)
        try Migrator.checkVersion(version, worksFrom: worksFrom, way: way)
        let open = try names(link, unprotected)
        guard open.isEmpty else {
            throw StorageError.cannotOpen("row-level security is missing on \(open.joined(separator: ", ")); \(way)")
        }
    }

    static let ours = "relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')"
    /// Tables with a brand whose rows another brand could read. `lanes` is claimed across brands and holds ids and times only.
    static let unprotected = """
        SELECT relname FROM pg_class WHERE \(ours) AND relname <> 'lanes'
            AND EXISTS (SELECT 1 FROM pg_attribute WHERE attrelid = pg_class.oid AND attname = 'brand_id' AND NOT attisdropped)
            AND NOT (relrowsecurity AND relforcerowsecurity
                AND EXISTS (SELECT 1 FROM pg_policy WHERE polrelid = pg_class.oid AND polname = 'of_brand'))
        ORDER BY relname
        """

    /// The store's version, and how many steps a program must know for it, when the store says so.
    static func version(_ link: PostgreSQLLink) throws -> (Int, worksFrom: Int?) {
        // The column is missing where only older programs have been.
        let row = try link.execute("SELECT version, to_jsonb(m)->>'works_from' FROM migrations m ORDER BY version DESC LIMIT 1").first
        return (row?[0].flatMap { Int($0) } ?? 0, row?[1].flatMap { Int($0) })
    }

    static func names(_ link: PostgreSQLLink, _ query: String) throws -> [String] {
        try link.execute(query).compactMap { $0.first.flatMap { $0 } }
    }
}
