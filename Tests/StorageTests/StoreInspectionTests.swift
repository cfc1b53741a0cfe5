import Conversation
import Foundation
import TestKit
import Testing

@testable import Storage

/// Looking at stores from outside: it changes nothing, and refuses what it would misread.
@Suite struct StoreInspectionTests {
    private let count = SQL("SELECT count(*) FROM unrouted")

    private func withFile(_ body: (String) async throws -> Void) async throws {
        let folder = NSTemporaryDirectory() + "switchboard-inspection-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await body(folder + "/store.sqlite")
    }

    /// Makes a store whose tables say they are of that version.
    private func make(_ path: String, version: Int? = nil, worksFrom: Int? = nil) async throws {
        let database = try SQLiteDatabase(path: path)
        if let version {
            _ = try await database.write(.installation) { connection in
                try connection.run(SQL("DELETE FROM migrations"), [])
                try connection.run(
                    SQL("INSERT INTO migrations (version, works_from) VALUES ($1, $2)"),
                    [SQLValue(version), worksFrom.map { SQLValue($0) } ?? .null])
            }
        }
        await database.close()
    }

    private func look(_ path: String) async throws -> Int64 {
        let count = count
        return try await StoreInspection.file(path) { connection, _ in try connection.rows(count, []).first?.integer(0) ?? -1 }
    }

    @Test func aStoreInAFileIsReadAndCannotBeWritten() async throws {
        try await withFile { path in
            try await make(path)
            #expect(try await look(path) == 0)
            await #expect(throws: StorageError.self) {
                try await StoreInspection.file(path) { connection, _ in try connection.run(SQL("DELETE FROM unrouted"), []) }
            }
        }
    }

    @Test func noFileIsMadeWhereThereIsNone() async throws {
        try await withFile { path in
            await #expect(throws: StorageError.self) { try await look(path) }
            #expect(!FileManager.default.fileExists(atPath: path))
        }
    }

    @Test func aStoreOfAnotherVersionIsReadOnlyWhenThisProgramCouldWorkOnIt() async throws {
        let known = Migrations.all.count
        let stores: [(version: Int, worksFrom: Int?, isRead: Bool)] = [
            (known - 1, nil, false), (known + 1, known, true), (known + 2, known + 1, false),
        ]
        for (version, worksFrom, isRead) in stores {
            try await withFile { path in
                try await make(path, version: version, worksFrom: worksFrom)
                if isRead {
                    #expect(try await look(path) == 0)
                } else {
                    let error = await #expect(throws: StorageError.self) { try await look(path) }
                    #expect(error?.description.contains("version \(version)") == true)
                }
            }
        }
    }

    @Test func everyTableIsFoundWithItsColumns() async throws {
        let store = try await TestDatabase.make()
        let dialect = store.database.dialect
        let tables = try await store.database.read(.installation) { try StoreTable.all($0, dialect) }
        try await store.remove()
        #expect(tables.map(\.name).contains("unrouted") && tables.map(\.name).contains("messages"))
        #expect(tables.map(\.name) == tables.map(\.name).sorted())
        let messages = try #require(tables.first { $0.name == "messages" })
        #expect(messages.hasBrand && messages.columns.contains { $0.name == "content" && !$0.isBytes })
        #expect(messages.columns.contains { $0.name == "turn_id" && $0.isBytes })
        #expect(tables.first { $0.name == "nodes" }?.hasBrand == false)
        #expect(StoreTable.Column(name: "content").holds("it's", dialect).contains("'it''s'"))
    }
}
