import Conversation
import Foundation
import TestKit
import Testing

@testable import Storage

struct SQLiteTests {
    @Test(arguments: DatabaseContract.all) func sqliteKeepsTheContract(part: DatabaseContract.Part) async throws {
        try await DatabaseContract("SQLite", has: []) { try await TestDatabase.make(.sqlite) }.check(part)
    }

    /// So that nodes can be replaced one by one, and a program put back.
    @Test func aStoreOneVersionAheadWorksAndTwoAreRefused() async throws {
        let path = NSTemporaryDirectory() + "switchboard-newer-\(UUID().uuidString).sqlite"
        for ahead in 1...2 {
            let database = try SQLiteDatabase(path: path)
            let version = SQLValue(Migrations.all.count + ahead)
            _ = try await database.write(.installation) { try $0.run(SQL("INSERT INTO migrations (version) VALUES ($1)"), [version]) }
            await database.close()
        }
        do {
            await (try SQLiteDatabase(path: path)).close()
            Issue.record("a store two versions ahead was opened")
        } catch StorageError.cannotOpen(let text) {
            #expect(text.contains("of version \(Migrations.all.count + 2)") && text.contains("run the newer program"))
        }
    }

    @Test func openingTwiceChangesNothing() async throws {
        let path = NSTemporaryDirectory() + "switchboard-twice-\(UUID().uuidString).sqlite"
        var versions: [[Int64]] = []
        for _ in 0..<2 {
            let database = try SQLiteDatabase(path: path)
            versions.append(
                try await database.read(.installation) {
                    try $0.rows(SQL("SELECT version FROM migrations ORDER BY version"), []).map { try $0.integer(0) }
                })
            await database.close()
        }
        #expect(versions[0] == versions[1] && versions[0] == Array(1...Int64(versions[0].count)))
    }

    @Test func everyKeyBeginsWithTheBrand() async throws {
        let database = try SQLiteDatabase(path: NSTemporaryDirectory() + "switchboard-keys-\(UUID().uuidString).sqlite")
        let wrong = try await database.read(.installation) { connection in
            let tables = try connection.rows(SQL("SELECT name FROM sqlite_master WHERE type = 'table'"), []).map { try $0.text(0) }
            var wrong: [String] = []
            for table in tables where !["unrouted", "nodes", "migrations"].contains(table) {
                for index in try connection.rows(SQL("SELECT name FROM pragma_index_list('\(table)') WHERE \"unique\" = 1"), []) {
                    let name = try index.text(0)
                    let first = try connection.rows(SQL("SELECT name FROM pragma_index_info('\(name)') ORDER BY seqno"), []).first?.text(0)
                    if first != "brand_id" { wrong.append("\(table).\(name)") }
                }
            }
            return wrong
        }
        #expect(wrong.isEmpty)
        await database.close()
    }

    @Test func aDataDirectoryIsOursAlone() throws {
        let path = NSTemporaryDirectory() + "switchboard-lock-\(UUID().uuidString)/deep/er"
        let directory = try DataDirectory(path: path)
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(mode == 0o700)
        #expect(throws: DataDirectory.Problem.self) { try DataDirectory(path: path) }
        withExtendedLifetime(directory) {}
    }

    #if os(Linux)
        @Test func aClosedStoreHasLetGoOfItsFiles() async throws {
            for _ in 0..<20 {
                let path = NSTemporaryDirectory() + "switchboard-closed-\(UUID().uuidString).sqlite"
                let database = try SQLiteDatabase(path: path)
                _ = try await database.read(.installation) { try $0.rows(SQL("SELECT count(*) FROM migrations"), []).count }
                await database.close()
                let held = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").compactMap {
                    try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/" + $0)
                }
                #expect(!held.contains { $0.hasPrefix(path) })
                #expect(!FileManager.default.fileExists(atPath: path + "-wal"), "the log is folded back by who closes last")
                try FileManager.default.removeItem(atPath: path)
            }
        }
    #endif
}
