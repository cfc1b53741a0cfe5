import Conversation
import Foundation
import TestKit
import Testing

@testable import Storage

@Suite(.serialized) struct PostgreSQLMigratorTests {
    private static let role = PostgresServer.gatewayRole

    private func withEmpty(_ body: (PostgresServer.Addresses) async throws -> Void) async throws {
        let server = try await PostgresServer.shared()
        let addresses = try await server.makeEmptyDatabase()
        do {
            try await body(addresses)
        } catch {
            try await server.discard(addresses)
            throw error
        }
        try await server.discard(addresses)
    }

    private func versions(_ addresses: PostgresServer.Addresses) async throws -> [String] {
        try await PostgreSQLConsole.run("SELECT version FROM migrations ORDER BY version", at: addresses.owner).compactMap { $0[0] }
    }

    @Test func aSecondRunFindsEverythingDone() async throws {
        try await withEmpty { addresses in
            let plan = try await PostgreSQLMigrator.migrate(url: addresses.owner, role: Self.role, isDryRun: true)
            #expect(plan.lines.count == Migrations.all.count && plan.from == 0)
            #expect(try await PostgreSQLConsole.run("SELECT to_regclass('migrations')", at: addresses.owner)[0][0] == nil)
            let first = try await PostgreSQLMigrator.migrate(url: addresses.owner, role: Self.role)
            #expect((first.from, first.to) == (0, Migrations.all.count))
            #expect(first.lines.contains("protected messages by row-level security"))
            let second = try await PostgreSQLMigrator.migrate(url: addresses.owner, role: Self.role)
            #expect(second.from == Migrations.all.count && second.lines.isEmpty)
            #expect(try await versions(addresses) == (1...Migrations.all.count).map { "\($0)" })
        }
    }

    @Test func severalRunsAtOnceTakeTurns() async throws {
        try await withEmpty { addresses in
            let made = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        let report = try await PostgreSQLMigrator.migrate(url: addresses.owner, role: Self.role)
                        return report.lines.filter { $0.hasPrefix("made version") }.count
                    }
                }
                return try await group.reduce(into: [Int]()) { $0.append($1) }
            }
            #expect(made.sorted() == [0, 0, 0, Migrations.all.count])
        }
    }

    @Test func aStepThatFailsLeavesWholeVersionsOnly() async throws {
        try await withEmpty { addresses in
            // The third step makes this table too, after others.
            try await PostgreSQLConsole.run("CREATE TABLE desk_events (x BIGINT)", at: addresses.owner)
            await #expect(throws: StorageError.self) { try await PostgreSQLMigrator.migrate(url: addresses.owner, role: Self.role) }
            #expect(try await versions(addresses) == ["1", "2"])
            #expect(try await PostgreSQLConsole.run("SELECT to_regclass('handovers')", at: addresses.owner)[0][0] == nil)
            try await PostgreSQLConsole.run("DROP TABLE desk_events", at: addresses.owner)
            let report = try await PostgreSQLMigrator.migrate(url: addresses.owner, role: Self.role)
            #expect(report.from == 2 && report.to == Migrations.all.count)
        }
    }

    @Test func theWrongRolesAreExplained() async throws {
        try await withEmpty { addresses in
            func refusal(_ role: String) async -> String {
                do {
                    return "\(try await PostgreSQLMigrator.migrate(url: addresses.owner, role: role))"
                } catch {
                    return "\(error)"
                }
            }
            #expect(await refusal("nobody'; DROP").contains("CREATE ROLE \"nobody'; DROP\" LOGIN"))
            #expect(await refusal("switchboard_owner").contains("the gateway needs another"))
            #expect(await refusal("postgres").contains("is a superuser"))
            do {
                _ = try await PostgreSQLMigrator.migrate(url: addresses.gateway, role: "switchboard_owner")
                Issue.record("the gateway's role made tables")
            } catch StorageError.cannotOpen(let text) {
                #expect(
                    text.contains("ALTER DATABASE \(addresses.name) OWNER TO switchboard")
                        || text.contains("ALTER DATABASE \"\(addresses.name)"))
            }
        }
    }

    /// A new table is protected because it has a brand, not because somebody thought of it.
    @Test func everyTableWithABrandIsProtectedAndKeyedByIt() async throws {
        let temporary = try await TestDatabase.make(.postgresql)
        let tables = try await temporary.database.read(.installation) { connection in
            try connection.rows(
                SQL(
                    """
                    SELECT relname, relrowsecurity AND relforcerowsecurity,
                        EXISTS (SELECT 1 FROM pg_attribute WHERE attrelid = c.oid AND attname = 'brand_id' AND NOT attisdropped),
                        (SELECT count(*) FROM pg_policy WHERE polrelid = c.oid
                            AND pg_get_expr(polqual, polrelid) = '(brand_id = current_setting(''switchboard.brand''::text, true))'
                            AND pg_get_expr(polwithcheck, polrelid) = pg_get_expr(polqual, polrelid))
                    FROM pg_class c WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') ORDER BY relname
                    """), []
            ).map { (try $0.text(0), try $0.flag(1), try $0.flag(2), try $0.int(3)) }
        }
        #expect(tables.count > 20)
        for (name, isForced, hasBrand, policies) in tables {
            #expect(isForced == (hasBrand && name != "lanes"), "\(name)")
            #expect(policies == (isForced ? 1 : 0), "\(name)")
            #expect(hasBrand || ["unrouted", "nodes", "migrations"].contains(name), "\(name) has no brand")
        }
        let keys = try await temporary.database.read(.installation) { connection in
            try connection.rows(
                SQL(
                    """
                    SELECT t.relname, i.relname FROM pg_index JOIN pg_class i ON i.oid = indexrelid JOIN pg_class t ON t.oid = indrelid
                    WHERE t.relnamespace = 'public'::regnamespace AND indisunique
                        AND (SELECT attname FROM pg_attribute WHERE attrelid = t.oid AND attnum = indkey[0]) <> 'brand_id'
                    """), []
            ).map { (try $0.text(0), try $0.text(1)) }
        }
        for (table, index) in keys { #expect(["unrouted", "nodes", "migrations"].contains(table), "\(index)") }
        try await temporary.remove()
    }

    @Test func textsCompareByTheirBytesWhateverTheDatabaseSays() async throws {
        let temporary = try await TestDatabase.make(.postgresql)
        let others = try await temporary.database.read(.installation) { connection in
            try connection.rows(
                SQL(
                    """
                    SELECT relname, attname FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
                    WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND attnum > 0 AND atttypid = 'text'::regtype
                        AND attcollation <> '"C"'::regcollation
                    """), []
            ).map { "\(try $0.text(0)).\(try $0.text(1))" }
        }
        #expect(others.isEmpty)
        try await temporary.remove()
    }

    @Test func theGatewayMayOnlyReadAndWriteRows() async throws {
        let temporary = try await TestDatabase.make(.postgresql)
        for text in [
            "DROP TABLE messages", "ALTER TABLE messages DISABLE ROW LEVEL SECURITY", "TRUNCATE messages", "CREATE TABLE mine (x BIGINT)",
            "DELETE FROM migrations", "INSERT INTO migrations (version) VALUES (99)", "SET ROLE switchboard_owner",
            "DROP POLICY of_brand ON messages", "COPY messages TO PROGRAM 'true'",
        ] {
            await #expect(throws: StorageError.self, "\(text)") {
                try await temporary.database.write(.brand(BrandID(rawValue: "a"))) { try $0.run(SQL(text), []) }
            }
        }
        try await temporary.remove()
    }
}
