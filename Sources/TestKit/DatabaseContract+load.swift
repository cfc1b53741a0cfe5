import Conversation
import Storage
import Testing

/// Many at once.
extension DatabaseContract {
    static let load: [Part] = [
        Part(testDescription: "five thousand units at once") { try await $0.fiveThousandAtOnce() },
        Part(testDescription: "brands that touch shared rows in opposite order all get done") { try await $0.oppositeOrders() },
        Part(testDescription: "units of a brand that read what they write never mix") { try await $0.countingIsExact() },
    ]

    private func fiveThousandAtOnce() async throws {
        try await with { database in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<5000 {
                    group.addTask { try await database.write(.brand(Self.brand)) { try Self.add(UInt64(number), $0) } }
                }
                try await group.waitForAll()
            }
            #expect(try await rows(database) == 5000)
        }
    }

    private static let lane = SQL(
        """
        INSERT INTO lanes (brand_id, lane, pool, priority, epoch) VALUES ($1, $2, 'turn', 0, 1)
        ON CONFLICT (brand_id, lane) DO UPDATE SET epoch = lanes.epoch + 1
        """)

    /// `lanes` is open to every brand, so that two brands can wait for each other there.
    private func oppositeOrders() async throws {
        try await with { database in
            let brands = ["one", "two", "three"].map { BrandID(rawValue: $0) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<120 {
                    let lanes = number % 2 == 0 ? ["a", "b", "c"] : ["c", "b", "a"]
                    group.addTask {
                        try await database.write(.brand(brands[number % 3])) { connection in
                            for lane in lanes { try connection.run(Self.lane, [SQLValue(brands[0]), .text(lane)]) }
                        }
                    }
                }
                try await group.waitForAll()
            }
            let epochs = try await database.read(.installation) { connection in
                try connection.rows(SQL("SELECT epoch FROM lanes ORDER BY lane"), []).map { try $0.int(0) }
            }
            #expect(epochs == [120, 120, 120])
        }
    }

    private static let highest = SQL("SELECT coalesce(max(at), 0) FROM opt_outs WHERE brand_id = $1")

    private func countingIsExact() async throws {
        try await with { database in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<300 {
                    group.addTask {
                        try await database.write(.brand(Self.brand)) { connection in
                            let last = try connection.rows(Self.highest, [SQLValue(Self.brand)])[0].integer(0)
                            let id = UniqueID(high: 5, low: UInt64(number))
                            try connection.run(
                                Self.insert, [SQLValue(Self.brand), SQLValue(id), .text("t"), .integer(last + 1), .text("p")])
                        }
                    }
                }
                try await group.waitForAll()
            }
            let last = try await database.read(.brand(Self.brand)) { try $0.rows(Self.highest, [SQLValue(Self.brand)])[0].int(0) }
            #expect(last == 300)
        }
    }
}
