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

    /// The owner is bound by row-level security like everybody, and a step has no brand.
    @Test func aStepChangesTheRowsOfEveryBrandAndLeavesThemProtected() async throws {
        try await withEmpty { addresses in
            _ = try await PostgreSQLMigrator.migrate(url: addresses.owner, role: Self.role)
            for brand in ["salon", "jobs"] {
                try await PostgreSQLConsole.run(
                    "SET switchboard.brand = '\(brand)'; INSERT INTO brand_pauses (brand_id, paused_at) VALUES ('\(brand)', 1)",
                    at: addresses.gateway)
            }
            let step = """
                CREATE TABLE pause_notes (brand_id TEXT NOT NULL, note TEXT NOT NULL, PRIMARY KEY (brand_id));
                INSERT INTO pause_notes SELECT brand_id, 'kept' FROM brand_pauses;
                UPDATE brand_pauses SET paused_at = paused_at + 41;
                """
            let report = try await PostgreSQLMigrator.migrate(url: addresses.owner, role: Self.role, steps: Migrations.all + [step])
            #expect(report.to == Migrations.all.count + 1)
            for brand in ["salon", "jobs"] {
                let seen = try await PostgreSQLConsole.run(
                    "SET switchboard.brand = '\(brand)'; SELECT p.brand_id, paused_at, note FROM brand_pauses p JOIN pause_notes n ON true",
                    at: addresses.gateway)
                #expect(seen == [[brand, "42", "kept"]])
            }
            let open = try await PostgreSQLConsole.run(
                "SELECT relname FROM pg_class WHERE relname IN ('brand_pauses', 'pause_notes') AND NOT relforcerowsecurity",
                at: addresses.owner)
            #expect(open.isEmpty)
        }
    }

    /// Programs of the release before go on over all that a release adds, and older ones do not.
    @Test func aReleaseOfSeveralStepsIsOneStepBackForTheProgramBefore() throws {
        let releases = [
            Migrations.Release(version: "1", steps: 3), .init(version: "2", steps: 7), .init(version: "3", steps: 7),
            .init(version: "4", steps: 9),
        ]
        #expect((1...9).map { Migrations.worksFrom(step: $0, releases: releases) } == [0, 0, 0, 3, 3, 3, 3, 7, 7])
        try Migrator.checkNotTooNew(7, worksFrom: 3, known: 3)
        #expect(throws: StorageError.self) { try Migrator.checkNotTooNew(9, worksFrom: 7, known: 6) }
        // A store that says nothing may be one step ahead.
        try Migrator.checkNotTooNew(4, worksFrom: nil, known: 3)
        #expect(throws: StorageError.self) { try Migrator.checkNotTooNew(5, worksFrom: nil, known: 3) }
        #expect(Migrations.releases.last?.steps == Migrations.all.count)
    }

    /// The gateway of the release before starts on the tables of the next one, and refuses those of the one after that.
    @Test(arguments: [true, false]) func aProgramWorksWithTheNextReleaseAlone(isNext: Bool) async throws {
        try await withEmpty { addresses in
            _ = try await PostgreSQLMigrator.migrate(url: addresses.owner, role: Self.role)
            let count = Migrations.all.count
            let steps = (1...3).map { "(\(count + $0), \(isNext ? count : count + 1))" }.joined(separator: ", ")
            try await PostgreSQLConsole.run("INSERT INTO migrations (version, works_from) VALUES \(steps)", at: addresses.owner)
            do {
                await (try PostgreSQLDatabase(url: addresses.gateway, options: .forTests)).close()
                #expect(isNext)
            } catch StorageError.cannotOpen(let text) {
                #expect(!isNext && text.contains("run the newer program"))
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
