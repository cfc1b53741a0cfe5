import Conversation
import Storage
import Testing

/// What one brand's unit can see and do of another's.
extension DatabaseContract {
    static let isolation: [Part] = [
        Part(testDescription: "a statement without a brand reaches its own brand only") { try await $0.statementsWithoutABrand() },
        Part(testDescription: "another brand's rows can be neither written nor made") { try await $0.anotherBrandCannotBeWritten() },
        Part(testDescription: "without a brand no brand's rows are seen") { try await $0.withoutABrandNothingIsSeen() },
        Part(testDescription: "the brand of a unit does not outlast it") { try await $0.theBrandDoesNotOutlastItsUnit() },
    ]

    private static let other = BrandID(rawValue: "other")
    private static let everything = SQL("SELECT brand_id FROM opt_outs")
    private static let ruin = SQL("UPDATE opt_outs SET proof = 'changed'")
    private static let wipe = SQL("DELETE FROM opt_outs")

    private static func add(_ brand: BrandID, _ number: UInt64, _ connection: any Connection) throws {
        try connection.run(insert, [SQLValue(brand), SQLValue(UniqueID(high: 4, low: number)), .text("t"), .integer(1), .text("p")])
    }

    private func twoBrands(_ body: (any Database) async throws -> Void) async throws {
        try await with { database in
            for number in 0..<3 {
                try await database.write(.brand(Self.brand)) { try Self.add(Self.brand, UInt64(number), $0) }
                try await database.write(.brand(Self.other)) { try Self.add(Self.other, UInt64(number), $0) }
            }
            try await body(database)
        }
    }

    private func statementsWithoutABrand() async throws {
        try await twoBrands { database in
            let seen = try await database.read(.brand(Self.brand)) { try $0.rows(Self.everything, []).count }
            let changed = try await database.write(.brand(Self.brand)) { try $0.run(Self.ruin, []) }
            let deleted = try await database.write(.brand(Self.brand)) { try $0.run(Self.wipe, []) }
            let left = try await database.read(.brand(Self.other)) { try $0.rows(Self.count, [SQLValue(Self.other)])[0].int(0) }
            if has.contains(.brandsAreApart) {
                #expect(seen == 3 && changed == 3 && deleted == 3 && left == 3)
            } else {
                #expect(seen == 6 && changed == 6 && deleted == 6 && left == 0)
            }
        }
    }

    private func anotherBrandCannotBeWritten() async throws {
        try await twoBrands { database in
            guard has.contains(.brandsAreApart) else { return }
            await #expect(throws: StorageError.self) {
                try await database.write(.brand(Self.brand)) { try Self.add(Self.other, 9, $0) }
            }
            await #expect(throws: StorageError.self) {
                try await database.write(.brand(Self.brand)) { try $0.run(SQL("UPDATE opt_outs SET brand_id = 'other'"), []) }
            }
            let taken = try await database.write(.brand(Self.brand)) { try $0.run(Self.wipe, []) }
            let left = try await database.read(.brand(Self.other)) { try $0.rows(Self.everything, []).count }
            #expect(taken == 3 && left == 3)
        }
    }

    private func withoutABrandNothingIsSeen() async throws {
        try await twoBrands { database in
            let seen = try await database.read(.installation) { try $0.rows(Self.everything, []).count }
            #expect(seen == (has.contains(.brandsAreApart) ? 0 : 6))
        }
    }

    /// Many units of both brands at once share groups and connections.
    private func theBrandDoesNotOutlastItsUnit() async throws {
        try await twoBrands { database in
            guard has.contains(.brandsAreApart) else { return }
            let foreign = try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<200 {
                    let scope: Scope = [.brand(Self.brand), .brand(Self.other), .installation][number % 3]
                    group.addTask {
                        let look: @Sendable (any Connection) throws -> Int = { connection in
                            try connection.rows(Self.everything, []).filter { try Scope.brand(BrandID(rawValue: $0.text(0))) != scope }
                                .count
                        }
                        return number % 2 == 0 ? try await database.write(scope, look) : try await database.read(scope, look)
                    }
                }
                return try await group.reduce(0, +)
            }
            #expect(foreign == 0)
        }
    }
}
