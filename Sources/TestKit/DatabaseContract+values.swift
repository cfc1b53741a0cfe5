import Conversation
import Storage
import Synchronization
import Testing

/// Values of every kind, and statements sent ahead.
extension DatabaseContract {
    static let values: [Part] = [
        Part(testDescription: "U+0000 is stored and found like every other character") { try await $0.zeroCharactersAreKept() },
        Part(testDescription: "three megabytes come back") { try await $0.largeValuesComeBack() },
        Part(testDescription: "a value may be NULL or of another kind the next time") { try await $0.kindsMayChange() },
        Part(testDescription: "counts, sums and comparisons are integers") { try await $0.aggregatesAreIntegers() },
        Part(testDescription: "a statement sent ahead takes effect, and its error surfaces") { try await $0.sentStatementsCount() },
        Part(testDescription: "rows that are not waited for come before anything is durable") { try await $0.rowsMayComeLater() },
        Part(testDescription: "an error that a unit keeps to itself") { try await $0.anErrorCannotBeKept() },
        Part(testDescription: "texts are in the order of their bytes") { try await $0.textsAreInByteOrder() },
    ]

    private static let proofs = SQL("SELECT proof FROM opt_outs WHERE brand_id = $1 ORDER BY proof")
    private static let named = SQL("SELECT proof FROM opt_outs WHERE brand_id = $1 AND topic = $2")

    private static func add(_ topic: String, _ proof: String, _ connection: any Connection) throws {
        try connection.run(
            insert, [SQLValue(brand), SQLValue(UniqueID(high: 2, low: UInt64(topic.utf8.count))), .text(topic), .integer(1), .text(proof)])
    }

    private func zeroCharactersAreKept() async throws {
        let texts = ["\u{0}", "a\u{0}b\u{0}", "\u{10FFFF}", "\u{0}\u{10FFFF}0", "\u{10FFFF}\u{0}1", "\u{10FFFE}", "👍🏽\u{0}"]
        try await with { database in
            for text in texts {
                try await database.write(.brand(Self.brand)) { try Self.add(text, text, $0) }
                let found = try await database.read(.brand(Self.brand)) { connection in
                    try connection.rows(Self.named, [SQLValue(Self.brand), .text(text)]).map { try $0.text(0) }
                }
                #expect(found.map { Array($0.utf8) } == [Array(text.utf8)])
            }
        }
    }

    private func largeValuesComeBack() async throws {
        try await with { database in
            let (text, bytes) = (String(repeating: "ä1", count: 1 << 20), (0..<(3 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 31) })
            let row = try await database.read(.installation) { try $0.rows(SQL("SELECT $1, $2"), [.text(text), .bytes(bytes)])[0] }
            #expect(try row.text(0) == text && row.bytes(1) == bytes)
            try await database.write(.brand(Self.brand)) { try Self.add("large", text, $0) }
            let stored = try await database.read(.brand(Self.brand)) { try $0.rows(Self.proofs, [SQLValue(Self.brand)])[0].text(0) }
            #expect(stored == text)
        }
    }

    private func kindsMayChange() async throws {
        let either = SQL("SELECT $1, $2")
        let rounds: [[SQLValue]] = [
            [.null, .text("a")], [.integer(5), .null], [.text("5"), .bytes([1])], [.null, .null], [.integer(-1), .integer(7)],
            [.bytes([]), .real(1)],
        ]
        let column = SQL("UPDATE sessions SET ended_at = $2 WHERE brand_id = $1 AND coalesce(last_inbound_at, $3) = $3")
        try await with { database in
            for values in rounds + rounds.reversed() {
                let row = try await database.read(.installation) { try $0.rows(either, values)[0] }
                #expect(row.values == values)
            }
            for (end, inbound) in [(SQLValue.null, SQLValue.null), (.integer(5), .null), (.null, .integer(9)), (.integer(1), .integer(2))] {
                let changed = try await database.write(.brand(Self.brand)) { try $0.run(column, [SQLValue(Self.brand), end, inbound]) }
                #expect(changed == 0)
            }
        }
    }

    private func aggregatesAreIntegers() async throws {
        let aggregates = SQL(
            """
            SELECT count(*), coalesce(sum(at), 0), min(at), max(at), sum(CASE WHEN at > 3 THEN 1 ELSE 0 END), count(*) > 1,
                sum(-at) * 3000000000
            FROM opt_outs WHERE brand_id = $1
            """)
        try await with { database in
            let empty = try await database.read(.brand(Self.brand)) { try $0.rows(aggregates, [SQLValue(Self.brand)])[0].values }
            #expect(empty == [.integer(0), .integer(0), .null, .null, .null, .integer(0), .null])
            try await database.write(.brand(Self.brand)) { connection in
                for at in [1, 40_000, 1_800_000_000] {
                    let id = UniqueID(high: 1, low: UInt64(at))
                    try connection.run(Self.insert, [SQLValue(Self.brand), SQLValue(id), .text("t"), SQLValue(at), .text("p")])
                }
            }
            let row = try await database.read(.brand(Self.brand)) { try $0.rows(aggregates, [SQLValue(Self.brand)])[0].values }
            let sum: Int64 = 1_800_040_001
            #expect(
                row == [3, sum, 1, 1_800_000_000, 2, 1, -sum * 3_000_000_000].map { .integer($0) })
        }
    }

    private func sentStatementsCount() async throws {
        try await with { database in
            try await database.write(.brand(Self.brand)) { connection in
                for number in 0..<600 {
                    let id = UniqueID(high: 3, low: UInt64(number))
                    try connection.send(Self.insert, [SQLValue(Self.brand), SQLValue(id), .text("t"), .integer(1), .text("p")])
                }
            }
            #expect(try await rows(database) == 600)
            for isLast in [true, false] {
                await #expect(throws: StorageError.self) {
                    try await database.write(.brand(Self.brand)) { connection in
                        for number in [700, 701, 0] {
                            let id = UniqueID(high: 3, low: UInt64(number))
                            try connection.send(Self.insert, [SQLValue(Self.brand), SQLValue(id), .text("t"), .integer(1), .text("p")])
                        }
                        if !isLast { _ = try connection.rows(Self.count, [SQLValue(Self.brand)]) }
                    }
                }
            }
            #expect(try await rows(database) == 600)
        }
    }

    /// What the rows say may undo the unit, with its own error and without its neighbours, whether the unit asked for more or ended.
    private func rowsMayComeLater() async throws {
        try await with { database in
            let seen = Mutex<[Int]>([])
            try await database.write(.brand(Self.brand)) { connection in
                for number in 0..<300 {
                    try Self.add(UInt64(number), connection)
                    if number % 100 == 0 {
                        try connection.send(Self.count, [SQLValue(Self.brand)]) { rows in
                            let count = try rows[0].int(0)
                            seen.withLock { $0.append(count) }
                        }
                    }
                }
            }
            #expect(seen.withLock { $0 } == [1, 101, 201])
            for asksMore in [true, false] {
                try await withThrowingTaskGroup(of: Bool.self) { group in
                    for number in 0..<20 {
                        group.addTask {
                            do {
                                try await database.write(.brand(Self.brand)) { connection in
                                    try connection.send(Self.count, [SQLValue(Self.brand)]) { _ in
                                        if number % 4 == 0 { throw Refused() }
                                    }
                                    try connection.send(
                                        Self.insert,
                                        [
                                            SQLValue(Self.brand), SQLValue(UniqueID(high: asksMore ? 5 : 6, low: UInt64(number))),
                                            .text("t"),
                                            .integer(1), .text("p"),
                                        ])
                                    if asksMore { _ = try connection.rows(Self.count, [SQLValue(Self.brand)]) }
                                }
                                return number % 4 != 0
                            } catch is Refused {
                                return number % 4 == 0
                            }
                        }
                    }
                    for try await isRight in group { #expect(isRight) }
                }
            }
            #expect(try await rows(database) == 330)
            await #expect(throws: StorageError.self) {
                try await database.write(.brand(Self.brand)) { try $0.send(SQL("SELECT no_such_column FROM opt_outs"), []) { _ in } }
            }
        }
    }

    private func anErrorCannotBeKept() async throws {
        try await with { database in
            try await database.write(.brand(Self.brand)) { try Self.add("t", "p", $0) }
            do {
                try await database.write(.brand(Self.brand)) { connection in
                    try Self.add("long", "before", connection)
                    do { try Self.add("t", "again", connection) } catch is StorageError {}
                }
                #expect(!has.contains(.failuresCondemn))
                #expect(try await rows(database) == 2)
            } catch StorageError.duplicate {
                #expect(has.contains(.failuresCondemn))
                #expect(try await rows(database) == 1)
            }
        }
    }

    private func textsAreInByteOrder() async throws {
        try await with { database in
            let texts = ["Z", "a", "ä", "_", "10", "9", "A b", "Ab", "-1"]
            for (index, text) in texts.enumerated() {
                try await database.write(.brand(Self.brand)) { try Self.add(String(repeating: "x", count: index), text, $0) }
            }
            let found = try await database.read(.brand(Self.brand)) { connection in
                try connection.rows(Self.proofs, [SQLValue(Self.brand)]).map { try $0.text(0) }
            }
            #expect(found == texts.sorted { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) })
        }
    }
}
