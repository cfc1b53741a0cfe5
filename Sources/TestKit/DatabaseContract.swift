import Conversation
package import Storage
import Synchronization
import Testing

/// What every `Database` must do. Each driver's tests run all of it on a fresh store.
package struct DatabaseContract: Sendable {
    private let make: @Sendable () async throws -> any Database

    /// `make` opens a store with nothing but its migrated tables.
    package init(_ make: @escaping @Sendable () async throws -> any Database) { self.make = make }

    package static let all: [@Sendable (DatabaseContract) async throws -> Void] = [
        { try await $0.parametersAreNumberedNotNamed() }, { try await $0.valuesComeBackAsTheyWere() },
        { try await $0.aFailedUnitLeavesItsNeighboursAlone() }, { try await $0.whatWasWrittenIsReadAtOnce() },
        { try await $0.aClosedStoreSaysSo() }, { try await $0.duplicatesAreNamed() }, { try await $0.manyWritersLoseNothing() },
    ]

    private static let insert = SQL("INSERT INTO opt_outs (brand_id, user_id, topic, at, proof) VALUES ($1, $2, $3, $4, $5)")
    private static let count = SQL("SELECT count(*) FROM opt_outs WHERE brand_id = $1")
    private static let brand = BrandID(rawValue: "contract")
    private struct Refused: Error {}

    private func with(_ body: (any Database) async throws -> Void) async throws {
        let database = try await make()
        try await body(database)
        await database.close()
    }

    private static func add(_ number: UInt64, _ connection: any Connection) throws {
        let id = UniqueID(high: 1, low: number)
        try connection.run(insert, [SQLValue(brand), SQLValue(id), .text("t"), .integer(1), .text("p")])
    }

    private func rows(_ database: any Database) async throws -> Int {
        try await database.read(.brand(Self.brand)) { try $0.rows(Self.count, [SQLValue(Self.brand)])[0].int(0) }
    }

    private func parametersAreNumberedNotNamed() async throws {
        try await with { database in
            let row = try await database.read(.installation) { try $0.rows(SQL("SELECT $2, $1"), [.text("one"), .text("two")])[0] }
            #expect(row.values == [.text("two"), .text("one")])
        }
    }

    private func valuesComeBackAsTheyWere() async throws {
        try await with { database in
            let values: [SQLValue] = [
                .null, .integer(.min), .integer(.max), .real(0.1), .text("ü 👍🏽 \u{FFFD}"), .text(""), .bytes([0, 255]), .bytes([]),
            ]
            let row = try await database.read(.installation) { try $0.rows(SQL("SELECT $1, $2, $3, $4, $5, $6, $7, $8"), values)[0] }
            #expect(row.values == values)
        }
    }

    private func aFailedUnitLeavesItsNeighboursAlone() async throws {
        try await with { database in
            let outcomes = await withTaskGroup(of: Bool.self) { group in
                for number in 0..<60 {
                    group.addTask {
                        do {
                            try await database.write(.brand(Self.brand)) { connection in
                                try Self.add(UInt64(number), connection)
                                if number % 3 == 0 { throw Refused() }
                            }
                            return true
                        } catch {
                            return false
                        }
                    }
                }
                return await group.reduce(into: [Bool]()) { $0.append($1) }
            }
            let stored = outcomes.filter { $0 }.count
            #expect(stored == 40)
            let count = try await rows(database)
            #expect(count == 40)
        }
    }

    private func whatWasWrittenIsReadAtOnce() async throws {
        try await with { database in
            for number in 0..<50 {
                try await database.write(.brand(Self.brand)) { try Self.add(UInt64(number), $0) }
                let count = try await rows(database)
                #expect(count == number + 1)
            }
        }
    }

    private func aClosedStoreSaysSo() async throws {
        let database = try await make()
        await database.close()
        await #expect(throws: StorageError.closed) { try await database.write(.brand(Self.brand)) { try Self.add(1, $0) } }
        await #expect(throws: StorageError.closed) { try await database.read(.installation) { try $0.rows(SQL("SELECT 1"), []).count } }
    }

    private func duplicatesAreNamed() async throws {
        try await with { database in
            try await database.write(.brand(Self.brand)) { try Self.add(1, $0) }
            do {
                try await database.write(.brand(Self.brand)) { try Self.add(1, $0) }
                Issue.record("a second row with the same key was taken")
            } catch StorageError.duplicate {
                let count = try await rows(database)
                #expect(count == 1)
            }
        }
    }

    private func manyWritersLoseNothing() async throws {
        try await with { database in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for writer in 0..<20 {
                    group.addTask {
                        for number in 0..<50 {
                            try await database.write(.brand(Self.brand)) { try Self.add(UInt64(writer * 1000 + number), $0) }
                        }
                    }
                }
                try await group.waitForAll()
            }
            let count = try await rows(database)
            #expect(count == 1000)
        }
    }
}
