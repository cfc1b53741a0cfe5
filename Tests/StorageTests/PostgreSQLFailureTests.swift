import Conversation
import Foundation
import Synchronization
import TestKit
import Testing

@testable import Storage

/// Two nodes on one database, and connections that break.
struct PostgreSQLFailureTests {
    private static let brand = BrandID(rawValue: "failing")
    private static let insert = SQL("INSERT INTO opt_outs (brand_id, user_id, topic, at, proof) VALUES ($1, $2, $3, $4, 'p')")
    private static let count = SQL("SELECT count(*) FROM opt_outs WHERE brand_id = $1")
    private static let touch = SQL("UPDATE opt_outs SET at = at + 1 WHERE brand_id = $1 AND topic = $2")
    private static let terminate = SQL("SELECT pg_terminate_backend(pg_backend_pid())")

    private static func add(_ number: Int, _ topic: String, _ connection: any Connection) throws {
        try connection.run(insert, [SQLValue(brand), SQLValue(UniqueID(high: 6, low: UInt64(number))), .text(topic), SQLValue(number)])
    }

    private static func rows(_ database: any Database) async throws -> Int {
        try await database.read(.brand(brand)) { try $0.rows(count, [SQLValue(brand)])[0].int(0) }
    }

    /// As many nodes as asked for on one database.
    private func withNodes(
        _ count: Int, _ options: PostgreSQLDatabase.Options = .forTests,
        _ body: ([PostgreSQLDatabase], PostgresServer.Addresses) async throws -> Void
    ) async throws {
        let server = try await PostgresServer.shared()
        let addresses = try await server.makeDatabase()
        var nodes: [PostgreSQLDatabase] = []
        do {
            for _ in 0..<count { nodes.append(try await PostgreSQLDatabase(url: addresses.gateway, options: options)) }
            try await body(nodes, addresses)
        } catch {
            for node in nodes { await node.close() }
            try await server.discard(addresses)
            throw error
        }
        for node in nodes { await node.close() }
        try await server.giveBack(addresses)
    }

    private static func options(_ change: (inout PostgreSQLDatabase.Options) -> Void) -> PostgreSQLDatabase.Options {
        var options = PostgreSQLDatabase.Options.forTests
        change(&options)
        return options
    }

    @Test func anotherNodeSeesACommitAtOnce() async throws {
        try await withNodes(2) { nodes, _ in
            for number in 0..<30 {
                try await nodes[number % 2].write(.brand(Self.brand)) { try Self.add(number, "t", $0) }
                #expect(try await Self.rows(nodes[(number + 1) % 2]) == number + 1)
            }
        }
    }

    @Test func nodesThatDeadlockAllGetDone() async throws {
        try await withNodes(3) { nodes, _ in
            for (number, topic) in ["a", "b", "c", "d"].enumerated() {
                try await nodes[0].write(.brand(Self.brand)) { try Self.add(number * 1000, topic, $0) }
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<90 {
                    let topics = number % 2 == 0 ? ["a", "b", "c", "d"] : ["d", "c", "b", "a"]
                    group.addTask {
                        try await nodes[number % 3].write(.brand(Self.brand)) { connection in
                            for topic in topics { try connection.run(Self.touch, [SQLValue(Self.brand), .text(topic)]) }
                        }
                    }
                }
                try await group.waitForAll()
            }
            let total = try await nodes[1].read(.brand(Self.brand)) { connection in
                try connection.rows(SQL("SELECT sum(at) FROM opt_outs WHERE brand_id = $1"), [SQLValue(Self.brand)])[0].int(0)
            }
            #expect(total == 6000 + 4 * 90)
        }
    }

    /// Each node numbers the next row after the highest it sees: one of two at once finds its number taken, looks again and takes the next.
    @Test func nodesThatTakeTheSameNumberBothGetOne() async throws {
        let next = SQL(
            """
            INSERT INTO updates (brand_id, session_id, seq, body)
            VALUES ($1, $2, (SELECT coalesce(max(seq), 0) + 1 FROM updates WHERE brand_id = $1 AND session_id = $2), 'b')
            """)
        let session = SQLValue(UniqueID(high: 1, low: 1))
        try await withNodes(2) { nodes, _ in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<100 {
                    group.addTask {
                        _ = try await nodes[number % 2].write(.brand(Self.brand)) { try $0.run(next, [SQLValue(Self.brand), session]) }
                    }
                }
                try await group.waitForAll()
            }
            let highest = try await nodes[0].read(.brand(Self.brand)) { connection in
                try connection.rows(SQL("SELECT max(seq) FROM updates WHERE brand_id = $1"), [SQLValue(Self.brand)])[0].int(0)
            }
            #expect(highest == 100)
        }
    }

    @Test func nodesThatMeetTheSameNewcomerMakeOneUser() async throws {
        let channel = ChannelName(rawValue: "whatsapp")
        try await withNodes(2) { nodes, _ in
            let stores = nodes.map { Store(database: $0, clock: SystemClock(), ids: SystemIDs(), node: "test") }
            for newcomer in 0..<20 {
                let sender = Sender(identifiers: [
                    Identifier(kind: .phone, value: "+1555\(newcomer)"), Identifier(kind: .bsuid, value: "\(newcomer)"),
                ])
                let users = try await withThrowingTaskGroup(of: UserID.self) { group in
                    for store in stores + stores {
                        group.addTask {
                            try await store.brand(Self.brand).write {
                                try $0.resolveUser(channel: channel, sender: sender, tier: "verified", verified: true)
                            }
                        }
                    }
                    return try await group.reduce(into: Set<UserID>()) { $0.insert($1) }
                }
                #expect(users.count == 1)
            }
            let made = try await nodes[0].read(.brand(Self.brand)) { try $0.rows(SQL("SELECT count(*) FROM users"), [])[0].int(0) }
            #expect(made == 20)
        }
    }

    @Test func aUnitWhoseConnectionBreaksRunsAgain() async throws {
        try await withNodes(1) { nodes, _ in
            let runs = Mutex(0)
            try await nodes[0].write(.brand(Self.brand)) { connection in
                try Self.add(1, "t", connection)
                let isFirst = runs.withLock { runs in
                    runs += 1
                    return runs == 1
                }
                if isFirst { _ = try connection.rows(Self.terminate, []) }
                try Self.add(2, "t", connection)
            }
            #expect(runs.withLock { $0 } == 2)
            #expect(try await Self.rows(nodes[0]) == 2)
        }
    }

    @Test func aUnitThatAlwaysBreaksItsConnectionIsGivenUp() async throws {
        try await withNodes(1) { nodes, _ in
            await #expect(throws: StorageError.self) {
                try await nodes[0].write(.brand(Self.brand)) { connection in
                    try Self.add(1, "t", connection)
                    _ = try connection.rows(Self.terminate, [])
                }
            }
            try await nodes[0].write(.brand(Self.brand)) { try Self.add(2, "t", $0) }
            #expect(try await Self.rows(nodes[0]) == 1)
        }
    }

    @Test func connectionsThatDiedWhileIdleAreNotNoticedByAnybody() async throws {
        try await withNodes(1) { nodes, addresses in
            for number in 0..<3 {
                try await nodes[0].write(.brand(Self.brand)) { try Self.add(number, "t", $0) }
                #expect(try await Self.rows(nodes[0]) == number + 1)
                try await PostgreSQLConsole.run(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '\(addresses.name)' AND pid <> pg_backend_pid()",
                    at: addresses.administrator)
            }
            #expect(try await Self.rows(nodes[0]) == 3)
        }
    }

    /// Every thread of a node is left with a broken connection when its server restarts; a unit that meets one after the other still gets
    /// through.
    @Test func aUnitOutlivesAsManyBrokenConnectionsAsThereAre() async throws {
        let name = "sbtest_outlives"
        let options = Self.options { ($0.writers, $0.readers, $0.applicationName) = (4, 1, name) }
        let open = "FROM pg_stat_activity WHERE application_name = '\(name)'"
        try await withNodes(1, options) { nodes, addresses in
            for number in 0..<10 {
                var isFull = false
                for _ in 0..<200 where !isFull {
                    await withTaskGroup(of: Void.self) { group in
                        for writer in 0..<16 {
                            let brand = BrandID(rawValue: "brand-\(writer)")
                            group.addTask {
                                _ = try? await nodes[0].write(.brand(brand)) { try $0.rows(SQL("SELECT 1 FROM pg_sleep(0.002)"), []).count }
                            }
                        }
                    }
                    isFull = try await PostgreSQLConsole.run("SELECT count(*) \(open)", at: addresses.administrator)[0][0] == "4"
                }
                #expect(isFull)
                try await PostgreSQLConsole.run("SELECT pg_terminate_backend(pid) \(open)", at: addresses.administrator)
                try await nodes[0].write(.brand(Self.brand)) { try Self.add(number, "t", $0) }
            }
            #expect(try await Self.rows(nodes[0]) == 10)
        }
    }

    @Test func aStatementThatTakesTooLongIsCutOffAlone() async throws {
        let options = Self.options { $0.statementTimeout = .seconds(1) }
        try await withNodes(1, options) { nodes, _ in
            let outcomes = await withTaskGroup(of: String.self) { group in
                for number in 0..<10 {
                    group.addTask {
                        do {
                            try await nodes[0].write(.brand(Self.brand)) { connection in
                                try Self.add(number, "t", connection)
                                if number == 4 { _ = try connection.rows(SQL("SELECT CAST(pg_sleep(5) AS TEXT)"), []) }
                            }
                            return "done"
                        } catch StorageError.unavailable {
                            return "unavailable"
                        } catch {
                            return "\(error)"
                        }
                    }
                }
                return await group.reduce(into: [String]()) { $0.append($1) }
            }
            #expect(outcomes.filter { $0 == "done" }.count == 9 && outcomes.contains("unavailable"))
            let stored = try await Self.rows(nodes[0])
            #expect(stored == 9)
        }
    }

    @Test func aLockThatIsNotGivenBackIsGivenUpAndTheNeighboursGoOn() async throws {
        let options = Self.options { $0.lockTimeout = .milliseconds(50) }
        try await withNodes(2, options) { nodes, _ in
            try await nodes[0].write(.brand(Self.brand)) { try Self.add(1, "held", $0) }
            let (holds, mayEnd) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
            async let holder: Void = nodes[0].write(.brand(Self.brand)) { connection in
                try connection.run(Self.touch, [SQLValue(Self.brand), .text("held")])
                holds.signal()
                mayEnd.wait()
            }
            await withCheckedContinuation { continuation in
                Thread {
                    holds.wait()
                    continuation.resume()
                }.start()
            }
            async let blocked = nodes[1].write(.brand(Self.brand)) {
                try $0.run(Self.touch, [SQLValue(Self.brand), .text("held")])
            }
            async let neighbour: Void = nodes[1].write(.brand(Self.brand)) { try Self.add(2, "free", $0) }
            try await neighbour
            do {
                _ = try await blocked
                Issue.record("a row that another node holds was changed")
            } catch StorageError.unavailable(let text) {
                #expect(text.contains("lock timeout"))
            }
            mayEnd.signal()
            try await holder
            _ = try await nodes[1].write(.brand(Self.brand)) { try $0.run(Self.touch, [SQLValue(Self.brand), .text("held")]) }
            #expect(try await Self.rows(nodes[1]) == 2)
        }
    }

    @Test func connectionsAreBoundedAndMadeWhenNeeded() async throws {
        let open = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'sbtest_bounded'"
        let options = Self.options { ($0.writers, $0.readers, $0.applicationName) = (3, 2, "sbtest_bounded") }
        try await withNodes(1, options) { nodes, addresses in
            #expect(try await PostgreSQLConsole.run(open, at: addresses.administrator)[0][0] == "0")
            try await nodes[0].write(.brand(Self.brand)) { try Self.add(0, "t", $0) }
            #expect(try await PostgreSQLConsole.run(open, at: addresses.administrator)[0][0] == "1")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 1..<300 {
                    let brand = BrandID(rawValue: "brand-\(number % 20)")
                    group.addTask {
                        if number % 2 == 0 {
                            _ = try await nodes[0].read(.brand(brand)) { try $0.rows(Self.count, [SQLValue(brand)]).count }
                            return
                        }
                        _ = try await nodes[0].write(.brand(brand)) { connection in
                            let id = UniqueID(high: 6, low: UInt64(number))
                            return try connection.run(Self.insert, [SQLValue(brand), SQLValue(id), .text("t"), .integer(1)])
                        }
                    }
                }
                try await group.waitForAll()
            }
            let count = try await PostgreSQLConsole.run(open, at: addresses.administrator)[0][0].flatMap { Int($0) } ?? 0
            #expect((2...5).contains(count))
        }
        let server = try await PostgresServer.shared()
        #expect(try await server.administrate(open)[0][0] == "0")
    }

    @Test func timeIsTheServersOwn() async throws {
        try await withNodes(1, Self.options { $0.usesServerClock = true }) { nodes, _ in
            for _ in 0..<20 {
                let (ours, theirs) = try await nodes[0].write(.brand(Self.brand)) { connection in
                    let ours = connection.time
                    let clock = SQL("SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)")
                    return (ours, try connection.rows(clock, [])[0].integer(0))
                }
                let apart = abs(theirs - (try #require(ours)).milliseconds)
                #expect(apart < 1000)
            }
        }
        try await withNodes(1) { nodes, _ in
            let time = try await nodes[0].write(.installation) { $0.time }
            #expect(time == nil)
        }
    }

    @Test func theServersClockIsNarrowedDownByEveryAnswer() {
        var clock = ServerClock()
        #expect(clock.now(at: 0) == nil)
        // A slow answer says little, a quick one much, and neither takes anything back.
        clock.note(10_500, sent: 0, received: 1000)
        #expect(clock.now(at: 1000) == Timestamp(milliseconds: 11_000))
        clock.note(12_000, sent: 1999, received: 2001)
        #expect(clock.now(at: 2000) == Timestamp(milliseconds: 12_000))
        clock.note(13_400, sent: 2500, received: 4000)
        #expect(clock.now(at: 4000) == Timestamp(milliseconds: 14_000))
        // Somebody set the server's clock back.
        clock.note(4000, sent: 4999, received: 5000)
        #expect(clock.now(at: 5000) == Timestamp(milliseconds: 4001))
    }
}
