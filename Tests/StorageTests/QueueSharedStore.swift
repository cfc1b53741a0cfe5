import Conversation
import Storage
import Synchronization
import TestKit

/// A database that several nodes share and whose clock is not theirs, over the one at hand.
final class SharedDatabase: Database {
    private let inner: any Database
    let clock: any WallClock

    init(_ inner: any Database, clock: any WallClock) {
        self.inner = inner
        self.clock = clock
    }

    var dialect: Dialect {
        var dialect = inner.dialect
        dialect.isShared = true
        return dialect
    }

    private struct Clocked: Connection {
        let inner: any Connection
        let time: Timestamp?
        func rows(_ statement: SQL, _ values: [SQLValue]) throws -> [Row] { try inner.rows(statement, values) }
        func run(_ statement: SQL, _ values: [SQLValue]) throws -> Int { try inner.run(statement, values) }
        func send(_ statement: SQL, _ values: [SQLValue]) throws { try inner.send(statement, values) }
    }

    func write<Result: Sendable>(_ scope: Scope, _ unit: @escaping @Sendable (any Connection) throws -> Result) async throws -> Result {
        try await inner.write(scope) { [clock] in try unit(Clocked(inner: $0, time: clock.now)) }
    }

    func read<Result: Sendable>(_ scope: Scope, _ unit: @escaping @Sendable (any Connection) throws -> Result) async throws -> Result {
        try await inner.read(scope) { [clock] in try unit(Clocked(inner: $0, time: clock.now)) }
    }

    func close() async { await inner.close() }
}

/// Two nodes with clocks of their own over one database.
struct TwoNodes {
    let first: Store
    let second: Store
    let database: SharedDatabase
    /// The database's.
    let clock: ControlledClock

    static func with(_ body: (TwoNodes) async throws -> Void) async throws {
        let clock = ControlledClock()
        let test = try await TestDatabase.make()
        let database = SharedDatabase(test.database, clock: clock)
        // Nodes whose clocks are wrong by minutes.
        let nodes = TwoNodes(
            first: Store(
                database: database, clock: ControlledClock(now: clock.now + .seconds(240)), ids: CountingIDs(from: 1000), node: "node-1"),
            second: Store(
                database: database, clock: ControlledClock(now: clock.now + .seconds(-240)), ids: CountingIDs(from: 2000), node: "node-2"),
            database: database, clock: clock)
        do { try await body(nodes) } catch {
            try await test.remove()
            throw error
        }
        try await test.remove()
    }
}

extension Store {
    /// Puts one task into a lane of the brand "salon".
    func put(
        _ number: UInt64, lane: String = "turn:a", pool: LanePool = .turn, priority: Priority = .normal, after: Duration = .zero,
        uniqueKey: String? = nil, brand: BrandID = BrandID(rawValue: "salon")
    ) async throws -> Bool {
        try await self.brand(brand).write { transaction in
            try transaction.enqueueOnce(
                NewTask(
                    id: QueueTaskID(UniqueID(high: 1, low: number)), lane: lane, pool: pool, kind: "test",
                    payload: ["n": .integer(Int64(number))], priority: priority, runAt: transaction.now + after, uniqueKey: uniqueKey))
        }
    }

    func claim(
        _ pool: LanePool = .turn, limit: Int = 1, lease: Duration = .seconds(30), brand: BrandID = BrandID(rawValue: "salon")
    ) async throws -> BrandTransaction.Claim {
        try await self.brand(brand).write { try $0.claim(pool: pool, limit: limit, until: $0.now + lease) }
    }

    /// Spoils rows behind the queue's back.
    func spoil(_ statement: String, database: any Database) async throws {
        _ = try await database.write(.brand(BrandID(rawValue: "salon"))) { try $0.run(SQL(statement), []) }
    }
}
