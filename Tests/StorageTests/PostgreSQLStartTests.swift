import Conversation
import Foundation
import TestKit
import Testing

@testable import Storage

/// What a gateway looks at before it works on a PostgreSQL.
@Suite(.serialized) struct PostgreSQLStartTests {
    private func with(_ prepare: String = "", empty: Bool = false, _ body: (PostgresServer.Addresses) async throws -> Void) async throws {
        let server = try await PostgresServer.shared()
        let addresses = empty ? try await server.makeEmptyDatabase() : try await server.makeDatabase()
        do {
            if !prepare.isEmpty { try await PostgreSQLConsole.run(prepare, at: addresses.administrator) }
            try await body(addresses)
        } catch {
            try await server.discard(addresses)
            throw error
        }
        try await server.discard(addresses)
    }

    private func refusal(_ url: String) async -> String {
        do {
            await (try PostgreSQLDatabase(url: url, options: .forTests)).close()
            return "opened"
        } catch {
            return "\(error)"
        }
    }

    @Test func aSoundServerIsTakenWithoutAWord() async throws {
        try await with { addresses in
            let database = try await PostgreSQLDatabase(url: addresses.gateway)
            #expect(database.warnings.isEmpty)
            await database.close()
        }
    }

    @Test func rolesThatRowSecurityDoesNotBindAreRefused() async throws {
        try await with { addresses in
            #expect(await refusal(addresses.administrator).contains("is a superuser"))
            #expect(await refusal(addresses.owner).contains("owns tables"))
        }
        let unbound = "sbtest_unbound"
        try await with("CREATE ROLE \(unbound) LOGIN BYPASSRLS PASSWORD 'secret'") { addresses in
            let url = addresses.gateway.replacing("//\(PostgresServer.gatewayRole):", with: "//\(unbound):")
            #expect(await refusal(url).contains("ALTER ROLE \(unbound) NOBYPASSRLS"))
            try await PostgreSQLConsole.run("DROP ROLE \(unbound)", at: addresses.administrator)
        }
    }

    @Test func aMemberOfTheOwnerIsRefused() async throws {
        let member = "sbtest_member"
        try await with("CREATE ROLE \(member) LOGIN PASSWORD 'secret'; GRANT switchboard_owner TO \(member)") { addresses in
            let url = addresses.gateway.replacing("//\(PostgresServer.gatewayRole):", with: "//\(member):")
            #expect(await refusal(url).contains("owns tables"))
            try await PostgreSQLConsole.run("DROP ROLE \(member)", at: addresses.administrator)
        }
    }

    @Test func commitsThatDoNotWaitForTheDiskAreRefused() async throws {
        try await with { addresses in
            let text = "ALTER ROLE \(PostgresServer.gatewayRole) IN DATABASE \(addresses.name) SET synchronous_commit = off"
            try await PostgreSQLConsole.run(text, at: addresses.administrator)
            #expect(await refusal(addresses.gateway).contains("synchronous_commit is off for role switchboard"))
        }
    }

    @Test func aDatabaseWithoutTablesSaysHowToMakeThem() async throws {
        try await with(empty: true) { addresses in
            let text = await refusal(addresses.gateway)
            #expect(
                text.contains("no tables of ours") && text.contains("switchboard migrate --store postgres://owner@… --role switchboard"))
        }
    }

    @Test func olderTablesAreRefusedAndOneVersionAheadWorks() async throws {
        let count = Migrations.all.count
        try await with("DELETE FROM migrations WHERE version = \(count)") { addresses in
            #expect(await refusal(addresses.gateway).contains("the store is of version \(count - 1), this program needs \(count)"))
        }
        try await with("INSERT INTO migrations VALUES (\(count + 1))") { addresses in
            #expect(await refusal(addresses.gateway) == "opened")
            try await PostgreSQLConsole.run("INSERT INTO migrations VALUES (\(count + 2))", at: addresses.owner)
            #expect(await refusal(addresses.gateway).contains("the store is of version \(count + 2)"))
        }
    }

    @Test func tablesWhoseProtectionWasLiftedAreNamed() async throws {
        for text in [
            "ALTER TABLE messages NO FORCE ROW LEVEL SECURITY", "ALTER TABLE messages DISABLE ROW LEVEL SECURITY",
            "DROP POLICY of_brand ON messages",
        ] {
            try await with(text) { addresses in
                #expect(await refusal(addresses.gateway).contains("row-level security is missing on messages"))
                // The way out that the message names works.
                _ = try await PostgreSQLMigrator.migrate(url: addresses.owner, role: PostgresServer.gatewayRole)
                #expect(await refusal(addresses.gateway) == "opened")
            }
        }
    }

    @Test func addressesThatCannotBeReadKeepTheirPassword() async {
        for url in ["postgres://u:hunter2%zz@localhost/x", "mysql://u:hunter2@localhost/x", "hunter2"] {
            let text = await refusal(url)
            #expect(text.contains("address") && !text.contains("hunter2"))
        }
        let nobody = await refusal("postgres://u:hunter2@127.0.0.1:1/x")
        #expect(nobody.contains("cannot be reached") && !nobody.contains("hunter2"))
    }

    @Test func aWrongPasswordOrDatabaseSaysSo() async throws {
        try await with { addresses in
            #expect(await refusal(addresses.gateway + "_not").contains("does not exist"))
        }
    }
}
