import Conversation
import Foundation
import Storage
import Testing

/// Commits whose pages are gathered before they reach the write-ahead log: nobody may see less than before.
struct LogTests {
    private struct Refused: Error {}

    private static let fill = SQL("INSERT INTO fill (id, body) VALUES ($1, $2)")
    /// More than what is gathered at once (1 MiB) and than the cache (8 MiB), so that pages leave it before the commit.
    private static let large = 12 << 20
    private static let piece = 64 << 10

    /// A store in a folder of its own; `checkpointPages` says how often its log is folded back.
    private func with(checkpointPages: Int, _ body: (SQLiteDatabase, String) async throws -> Void) async throws {
        let folder = NSTemporaryDirectory() + "switchboard-log-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = folder + "/store.sqlite"
        let database = try SQLiteDatabase(path: path, options: .init(checkpointPages: checkpointPages))
        do {
            _ = try await database.write(.installation) { try $0.run(SQL("CREATE TABLE fill (id INTEGER PRIMARY KEY, body BLOB)"), []) }
            try await body(database, path)
        } catch {
            await database.close()
            throw error
        }
        await database.close()
    }

    /// Rows of `bytes` in all, each with its own content, under ids from `first` on.
    private static func insert(_ bytes: Int, from first: Int, _ connection: any Connection) throws {
        for number in 0..<max(1, bytes / piece) {
            let id = first + number
            let body = [UInt8](repeating: UInt8(truncatingIfNeeded: id), count: min(bytes, piece))
            try connection.run(fill, [.integer(Int64(id)), .bytes(body)])
        }
    }

    /// What another connection sees: the ids, after the whole file and every body were looked through.
    private func seen(_ database: SQLiteDatabase) async throws -> [Int64] {
        try await database.read(.installation) { connection in
            let verdict = try connection.rows(SQL("PRAGMA integrity_check"), []).map { try $0.text(0) }
            #expect(verdict == ["ok"])
            return try connection.rows(SQL("SELECT id, body FROM fill ORDER BY id"), []).map { row in
                let (id, body) = (try row.integer(0), try row.bytes(1))
                #expect(body.allSatisfy { $0 == UInt8(truncatingIfNeeded: id) })
                return id
            }
        }
    }

    /// Copies the files as a crash would leave them and opens them as the next process would.
    private func seenAfterCrash(_ path: String, _ name: String) async throws -> [Int64] {
        let database = try SQLiteDatabase(path: Self.copy(of: path, name))
        let ids = try await seen(database)
        await database.close()
        return ids
    }

    private static func copy(of path: String, _ name: String) -> String { path + "-" + name }

    private static func copyFiles(_ path: String, _ name: String) throws {
        for suffix in ["", "-wal"] {
            try FileManager.default.copyItem(atPath: path + suffix, toPath: copy(of: path, name) + suffix)
        }
    }

    /// With a log that is never folded back, and with one that begins anew all the time.
    @Test(arguments: [1_000_000, 16]) func anotherConnectionSeesACommitAtOnce(checkpointPages: Int) async throws {
        try await with(checkpointPages: checkpointPages) { database, _ in
            for id in 0..<100 {
                try await database.write(.installation) { try Self.insert(id % 7 * 3000 + 1, from: id, $0) }
                let count = try await database.read(.installation) {
                    try $0.rows(SQL("SELECT count(*), max(id) FROM fill"), []).map { [try $0.integer(0), try $0.integer(1)] }
                }
                #expect(count == [[Int64(id) + 1, Int64(id)]])
            }
            #expect(try await seen(database) == Array(0..<100))
        }
    }

    @Test(arguments: [1_000_000, 16]) func aTransactionLargerThanTheCacheIsSound(checkpointPages: Int) async throws {
        try await with(checkpointPages: checkpointPages) { database, _ in
            let count = Self.large / Self.piece
            try await database.write(.installation) { try Self.insert(Self.large, from: 0, $0) }
            #expect(try await seen(database) == Array(0..<Int64(count)))
            // Its own pages are read back from the log within the next one.
            try await database.write(.installation) { connection in
                try Self.insert(Self.large, from: count, connection)
                let sum = try connection.rows(SQL("SELECT sum(length(body)) FROM fill"), []).first?.integer(0)
                #expect(sum == Int64(2 * Self.large))
            }
            #expect(try await seen(database) == Array(0..<Int64(2 * count)))
        }
    }

    @Test(arguments: [1_000_000, 16]) func whatWasUndoneAfterItLeftTheCacheIsGone(checkpointPages: Int) async throws {
        try await with(checkpointPages: checkpointPages) { database, path in
            try await database.write(.installation) { try Self.insert(1, from: 0, $0) }
            for round in 1...3 {
                await #expect(throws: Refused.self) {
                    try await database.write(.installation) { connection in
                        try Self.insert(Self.large, from: 1000 * round, connection)
                        throw Refused()
                    }
                }
                try await database.write(.installation) { try Self.insert(1, from: round, $0) }
                #expect(try await seen(database) == Array(0...Int64(round)))
            }
            try await database.write(.installation) { _ in try Self.copyFiles(path, "undone") }
            #expect(try await seenAfterCrash(path, "undone") == [0, 1, 2, 3])
        }
    }

    /// Units of one commit, of which some fail: each failure takes its own pages along and nobody else's.
    @Test func aLargeUnitThatFailsBesideOthersTakesOnlyItselfAlong() async throws {
        try await with(checkpointPages: 16) { database, _ in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<60 {
                    group.addTask {
                        do {
                            try await database.write(.installation) { connection in
                                try Self.insert(number % 5 == 0 ? 3 << 20 : 100, from: number * 100, connection)
                                if number % 3 == 0 { throw Refused() }
                            }
                        } catch is Refused {
                            #expect(number % 3 == 0)
                        }
                    }
                }
                try await group.waitForAll()
            }
            let kept = (0..<60).filter { $0 % 3 != 0 }
            let ids = kept.flatMap { number in (0..<(number % 5 == 0 ? (3 << 20) / Self.piece : 1)).map { Int64(number * 100 + $0) } }
            #expect(try await seen(database) == ids)
        }
    }

    /// The files as they are while the writer is in the middle of a transaction: all that was committed is in them, and nothing else.
    @Test(arguments: [1_000_000, 16], [1, LogTests.large]) func whatWasCommittedIsFoundAfterACrash(checkpointPages: Int, open: Int)
        async throws
    {
        try await with(checkpointPages: checkpointPages) { database, path in
            for id in 0..<50 { try await database.write(.installation) { try Self.insert(id * 500 + 1, from: id, $0) } }
            try await database.write(.installation) { connection in
                try Self.insert(open, from: 1000, connection)
                try Self.copyFiles(path, "open")
            }
            #expect(try await seenAfterCrash(path, "open") == Array(0..<50))
            #expect(try await seen(database).count == 50 + max(1, open / Self.piece))
            try await database.write(.installation) { _ in try Self.copyFiles(path, "done") }
            #expect(try await seenAfterCrash(path, "done").count == 50 + max(1, open / Self.piece))
        }
    }
}
