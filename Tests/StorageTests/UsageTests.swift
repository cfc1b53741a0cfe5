import Conversation
import Foundation
import TestKit
import Testing

@testable import Storage

/// Calls of models as the store keeps them.
enum SomeUsage {
    static let salon = BrandID(rawValue: "salon")
    static let jobs = BrandID(rawValue: "jobs")
    static let noon = Timestamp("2026-11-21T12:00:00Z") ?? Timestamp(seconds: 0)
    static let cheap = ModelPrice(inputPerMillion: 0.15, outputPerMillion: 0.6, currency: "USD")
    static let dear = ModelPrice(inputPerMillion: 0.3, outputPerMillion: 1.2, currency: "USD")
    static let euros = ModelPrice(inputPerMillion: 2, outputPerMillion: 8, currency: "EUR")

    static func call(
        _ number: UInt64, brand: BrandID = salon, instance: String = "salon-web", session: UInt64? = 1, function: ModelFunction = .intent,
        model: String = "small", input: Int = 100, output: Int = 20, planned: Int? = nil, price: ModelPrice? = cheap,
        failure: ModelFailure.Kind? = nil, at: Timestamp = noon, estimated: Bool = false
    ) -> ModelUsage {
        ModelUsage(
            id: UniqueID(high: 9, low: number),
            subject: ModelSubject(
                brand: brand, instance: InstanceID(rawValue: instance), session: session.map { SessionID(UniqueID(high: 5, low: $0)) }),
            function: function, model: model, inputTokens: input, outputTokens: output, isEstimated: estimated, plannedTokens: planned,
            price: price, failure: failure, at: at, duration: .milliseconds(120))
    }

    /// Calls that differ in everything that they can be told apart by; the price changes in between.
    static let mixture: [ModelUsage] = (1...60).map { number in
        let functions = ModelFunction.allCases
        let prices: [ModelPrice?] = [cheap, dear, euros, nil]
        return call(
            UInt64(number), instance: number % 3 == 0 ? "salon-web" : "salon-whatsapp", session: number % 5 == 0 ? nil : UInt64(number % 7),
            function: functions[number % functions.count], model: number % 2 == 0 ? "small" : "large", input: 37 * number,
            output: 11 * number, planned: number % 4 == 0 ? 3000 : nil, price: prices[number % prices.count],
            failure: number % 6 == 0 ? .timeout : nil, at: noon + .seconds(Int64(number) * 7200), estimated: number % 9 == 0)
    }

    static let allTime = UsagePeriod(from: Timestamp(seconds: 0), to: Timestamp(seconds: 4_000_000_000))

    static func store(_ calls: [ModelUsage], in transaction: BrandTransaction) throws {
        for call in calls {
            let nanos = call.price?.nanos(input: call.inputTokens, output: call.outputTokens)
            _ = try transaction.insertUsage(call, costNanos: nanos)
        }
    }
}

struct UsageTests {
    @Test func aCallIsStoredOnceUnderItsID() async throws {
        try await TemporaryStore.with { store in
            let stored = try await store.brand(SomeUsage.salon).write { transaction in
                let first = try transaction.insertUsage(SomeUsage.call(1), costNanos: 27_000)
                return [first, try transaction.insertUsage(SomeUsage.call(1, input: 999_999), costNanos: 1)]
            }
            #expect(stored == [true, false])
            let sums = try await store.brand(SomeUsage.salon).read { try $0.usage(in: SomeUsage.allTime) }
            #expect(sums.calls == 1 && sums.inputTokens == 100 && sums.outputTokens == 20 && sums.costNanos == ["USD": 27_000])
        }
    }

    @Test(arguments: UsageGrouping.allCases) func theGroupsOfEveryGroupingAddUpToTheTotal(grouping: UsageGrouping) async throws {
        try await TemporaryStore.with { store in
            try await store.brand(SomeUsage.salon).write { try SomeUsage.store(SomeUsage.mixture, in: $0) }
            try await store.brand(SomeUsage.jobs).write { try SomeUsage.store([SomeUsage.call(900, brand: SomeUsage.jobs)], in: $0) }
            let total = try await store.brand(SomeUsage.salon).read { try $0.usage(in: SomeUsage.allTime) }
            for limit in [1, 2, 200] {
                var (sum, keys) = (UsageSums(), [UsageKey]())
                while true {
                    let after = keys.last
                    let page = try await store.brand(SomeUsage.salon).read {
                        try $0.usage(in: SomeUsage.allTime, by: grouping, after: after, limit: limit)
                    }
                    guard !page.isEmpty else { break }
                    #expect(page.count <= limit)
                    for group in page { sum.add(group.sums) }
                    keys += page.map(\.key)
                    try #require(keys.count <= 100, "the pages do not end")
                }
                #expect(sum == total && Set(keys).count == keys.count)
            }
            #expect(total.calls == 60 && total.failedCalls == 10 && total.plannedTokens == 15 * 3000 && total.estimatedCalls == 6)
            #expect(total.unpricedCalls == 15 && total.costNanos.keys.sorted() == ["EUR", "USD"])
        }
    }

    @Test func everyCallKeepsThePriceOfItsMoment() async throws {
        try await TemporaryStore.with { store in
            let calls = [
                SomeUsage.call(1, price: SomeUsage.cheap), SomeUsage.call(2, price: SomeUsage.dear), SomeUsage.call(3, price: nil),
            ]
            try await store.brand(SomeUsage.salon).write { try SomeUsage.store(calls, in: $0) }
            let sums = try await store.brand(SomeUsage.salon).read { try $0.usage(of: SessionID(UniqueID(high: 5, low: 1))) }
            #expect(sums.costNanos == ["USD": 27_000 + 54_000])
            #expect(sums.unpricedCalls == 1 && sums.calls == 3)
            let prices = try await store.database.read(.brand(SomeUsage.salon)) { connection in
                try connection.rows(SQL("SELECT price FROM usage ORDER BY usage_id"), []).map { try $0.optional(0) { $0.text } }
            }
            let read = try prices.map { try $0.map { try StoredJSON.decode(ModelPrice.self, $0) } }
            #expect(read == [SomeUsage.cheap, SomeUsage.dear, nil])
        }
    }

    @Test func aPeriodEndsBeforeItsEnd() async throws {
        try await TemporaryStore.with { store in
            let day = UsagePeriod.day(of: SomeUsage.noon)
            let period = UsagePeriod(day: day)
            let calls = [
                SomeUsage.call(1, at: Timestamp(milliseconds: period.from.milliseconds - 1)), SomeUsage.call(2, at: period.from),
                SomeUsage.call(3, at: Timestamp(milliseconds: period.to.milliseconds - 1)), SomeUsage.call(4, at: period.to),
            ]
            try await store.brand(SomeUsage.salon).write { try SomeUsage.store(calls, in: $0) }
            let (tokens, sums) = try await store.brand(SomeUsage.salon).read {
                (try $0.tokensUsed(in: period), try $0.usage(in: period))
            }
            #expect(tokens == 240 && sums.calls == 2)
            #expect(period.from.description == "2026-11-21T00:00:00.000Z" && period.to.description == "2026-11-22T00:00:00.000Z")
            #expect(UsagePeriod.day(of: Timestamp(milliseconds: -1)) == -1)
        }
    }

    @Test func aStoreOfTheVersionBeforeIsBroughtUpToDateWithItsData() async throws {
        let path = NSTemporaryDirectory() + "switchboard-before-\(UUID().uuidString).sqlite"
        defer { for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + suffix) } }
        let session = SessionID(UniqueID(high: 5, low: 1))
        do {
            let old = try SQLiteConnection(path: path, readOnly: false)
            try old.execute("CREATE TABLE migrations (version BIGINT PRIMARY KEY)")
            for (index, text) in Migrations.all.prefix(2).enumerated() {
                try old.execute(Dialect.sqlite.fill(text))
                try old.execute("INSERT INTO migrations (version) VALUES (\(index + 1))")
            }
            let values: [SQLValue] = [SQLValue(SomeUsage.salon), SQLValue(session), .bytes([UInt8](repeating: 7, count: 16))]
            try old.run(SQL("INSERT INTO sessions VALUES ($1, $2, 'salon-web', $3, 1, 2, 2, NULL)"), values)
            var state = ConversationState()
            state.turn = 12
            let encoded: [SQLValue] = [SQLValue(SomeUsage.salon), SQLValue(session), .text(try StoredJSON.encode(state))]
            try old.run(SQL("INSERT INTO session_states VALUES ($1, $2, 4, $3)"), encoded)
        }
        let store = Store(database: try SQLiteDatabase(path: path), clock: SystemClock(), ids: SystemIDs(), node: "test")
        let notes = try await store.brand(SomeUsage.salon).write { transaction in
            try SomeUsage.store([SomeUsage.call(1)], in: transaction)
            #expect(try transaction.state(of: session).version == 4)
            #expect(try transaction.state(of: session).state.turn == 12)
            #expect(try transaction.session(session)?.instance == InstanceID(rawValue: "salon-web"))
            #expect(try transaction.usage(of: session).calls == 1)
            return try transaction.notes(of: session)
        }
        #expect(notes == nil)
        let versions = try await store.database.read(.installation) { try $0.rows(SQL("SELECT version FROM migrations"), []).count }
        #expect(versions == Migrations.all.count)
        await store.close()
    }
}
