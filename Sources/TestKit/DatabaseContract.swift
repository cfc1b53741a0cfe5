import Conversation
import Storage
import Synchronization
import Testing

/// What every `Database` must do. Each driver's tests run all of it, each part on a fresh store.
package struct DatabaseContract: Sendable {
    /// What a driver may do otherwise, and why that is right.
    package enum Difference: String, Sendable, CaseIterable {
        case brandsAreApart = "the server itself keeps brands apart; without this, only the way through `Store.brand` does"
        case failuresCondemn = "a unit whose statement failed is undone even if it went on; without this it keeps what it did otherwise"
        case manyWriters = "several connections write at once; without this, units run one after the other"
    }

    package let name: String
    let has: Set<Difference>
    private let make: @Sendable () async throws -> TestDatabase

    /// `make` opens a store with nothing but its migrated tables.
    package init(_ name: String, has: Set<Difference>, _ make: @escaping @Sendable () async throws -> TestDatabase) {
        (self.name, self.has, self.make) = (name, has, make)
    }

    package struct Part: Sendable, CustomTestStringConvertible {
        package let testDescription: String
        let run: @Sendable (DatabaseContract) async throws -> Void
    }

    package func check(_ part: Part) async throws {
        for difference in Difference.allCases where !has.contains(difference) { print("contract: \(name) lacks: \(difference.rawValue)") }
        try await part.run(self)
    }

    package static let all: [Part] =
        [
            Part(testDescription: "parameters are numbered, not named") { try await $0.parametersAreNumberedNotNamed() },
            Part(testDescription: "values come back as they were") { try await $0.valuesComeBackAsTheyWere() },
            Part(testDescription: "a failed unit leaves its neighbours alone") { try await $0.aFailedUnitLeavesItsNeighboursAlone() },
            Part(testDescription: "what was written is read at once") { try await $0.whatWasWrittenIsReadAtOnce() },
            Part(testDescription: "a closed store says so") { try await $0.aClosedStoreSaysSo() },
            Part(testDescription: "duplicates are named") { try await $0.duplicatesAreNamed() },
            Part(testDescription: "many writers lose nothing") { try await $0.manyWritersLoseNothing() },
        ] + values + isolation + load

    static let insert = SQL("INSERT INTO opt_outs (brand_id, user_id, topic, at, proof) VALUES ($1, $2, $3, $4, $5)")
    static let count = SQL("SELECT count(*) FROM opt_outs WHERE brand_id = $1")
    static let brand = BrandID(rawValue: "contract")
    struct Refused: Error {}

    func with(_ body: (any Database) async throws -> Void) async throws {
        let temporary = try await make()
        do {
            try await body(temporary.database)
        } catch {
            try await temporary.remove()
            throw error
        }
        try await temporary.remove()
    }

    static func add(_ number: UInt64, _ connection: any Connection) throws {
        let id = UniqueID(high: 1, low: number)
        try connection.run(insert, [SQLValue(brand), SQLValue(id), .text("t"), .integer(1), .text("p")])
    }

    func rows(_ database: any Database) async throws -> Int {
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
        try await with { database in
            await database.close()
            await #expect(throws: StorageError.closed) { try await database.write(.brand(Self.brand)) { try Self.add(1, $0) } }
            await #expect(throws: StorageError.closed) { try await database.read(.installation) { try $0.rows(SQL("SELECT 1"), []).count } }
        }
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
