import Conversation
import Foundation
import Gateway
import Logging
import Storage
import Synchronization
import TestKit
import Testing

/// A database that can be told to have no room, or not to be readable.
private final class LimitedDatabase: Database {
    struct Mood {
        var isFull = false
        var isUnreadable = false
    }

    let inner: SQLiteDatabase
    private let mood = Mutex(Mood())

    init(_ inner: SQLiteDatabase) { self.inner = inner }

    var dialect: Dialect { inner.dialect }
    func set(full: Bool = false, unreadable: Bool = false) { mood.withLock { $0 = Mood(isFull: full, isUnreadable: unreadable) } }

    func write<Result: Sendable>(
        _ scope: Scope, _ unit: @escaping @Sendable (any Connection) throws -> Result
    ) async throws -> Result {
        if mood.withLock({ $0.isFull }) { throw StorageError.full("no room") }
        return try await inner.write(scope, unit)
    }

    func read<Result: Sendable>(_ scope: Scope, _ unit: @escaping @Sendable (any Connection) throws -> Result) async throws -> Result {
        if mood.withLock({ $0.isUnreadable }) { throw StorageError.failed(code: 10, "no reading") }
        return try await inner.read(scope, unit)
    }

    func close() async { await inner.close() }
}

struct UsageBookTests {
    private static let salon = BrandID(rawValue: "salon")
    private static let price = ModelPrice(inputPerMillion: 0.15, outputPerMillion: 0.6, currency: "USD")
    private static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    private static let noon = Timestamp("2026-11-21T12:00:00Z") ?? Timestamp(seconds: 0)

    private struct World {
        let clock: ControlledClock
        let database: LimitedDatabase
        let store: Store

        func book(_ options: UsageBook.Options = .init()) -> UsageBook {
            UsageBook(store: store, metrics: GatewayMetrics(), options: options, logger: UsageBookTests.quiet)
        }

        func stored(_ brand: BrandID = UsageBookTests.salon) async throws -> UsageSums {
            let period = UsagePeriod(from: Timestamp(seconds: 0), to: Timestamp(seconds: 9_000_000_000))
            return try await store.brand(brand).read { try $0.usage(in: period) }
        }
    }

    private func with(_ body: (World) async throws -> Void) async throws {
        let path = NSTemporaryDirectory() + "switchboard-usage-\(UUID().uuidString).sqlite"
        defer { for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + suffix) } }
        let clock = ControlledClock(now: Self.noon)
        let database = LimitedDatabase(try SQLiteDatabase(path: path))
        let world = World(clock: clock, database: database, store: Store(database: database, clock: clock, ids: SystemIDs(), node: "test"))
        do {
            try await body(world)
            await world.store.close()
        } catch {
            await world.store.close()
            throw error
        }
    }

    private func id(_ number: UInt64) -> UniqueID { UniqueID(high: 9, low: number) }

    private func call(
        _ number: UInt64, input: Int = 80, output: Int = 20, price: ModelPrice? = price, at: Timestamp = noon, brand: BrandID = salon,
        model: String = "small"
    ) -> ModelUsage {
        ModelUsage(
            id: id(number), subject: ModelSubject(brand: brand, instance: InstanceID(rawValue: "salon-web")), function: .intent,
            model: model,
            inputTokens: input, outputTokens: output, isEstimated: false, price: price, at: at, duration: .milliseconds(5))
    }

    // MARK: The budget

    @Test func whatIsUsedUpIsNotReserved() async throws {
        try await with { (world: World) async throws in
            let book = world.book()
            #expect(await book.reserve(600, id: id(1), brand: Self.salon, dailyTokens: 1000))
            #expect(await !book.reserve(600, id: id(2), brand: Self.salon, dailyTokens: 1000), "600 are set aside already")
            await book.record(call(1, input: 300, output: 50))
            #expect(try await book.today(Self.salon).tokens == 350)
            #expect(try await book.today(Self.salon).reserved == 0)
            #expect(await book.reserve(650, id: id(3), brand: Self.salon, dailyTokens: 1000))
            await book.record(call(3, input: 640, output: 60))
            #expect(await !book.reserve(1, id: id(4), brand: Self.salon, dailyTokens: 1000), "a call took more than was set aside")
            #expect(await book.reserve(5000, id: id(5), brand: BrandID(rawValue: "jobs"), dailyTokens: 5000), "another brand's day")
            #expect(await book.reserve(1_000_000, id: id(6), brand: Self.salon, dailyTokens: nil), "no limit")
        }
    }

    @Test func concurrentCallsNeverSetAsideMoreThanIsLeft() async throws {
        try await with { (world: World) async throws in
            let book = world.book()
            await book.record(call(1000, input: 400, output: 100))
            let granted = await withTaskGroup(of: Bool.self) { group in
                for number in 0..<200 {
                    group.addTask { await book.reserve(10, id: self.id(UInt64(number)), brand: Self.salon, dailyTokens: 1000) }
                }
                return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(granted == 50)
            #expect(try await book.today(Self.salon).reserved == 500)
        }
    }

    @Test func aCallThatIsNeverRecordedGivesItsTokensBackAfterATime() async throws {
        try await with { (world: World) async throws in
            let book = world.book(.init(reservation: .seconds(120)))
            #expect(await book.reserve(1000, id: id(1), brand: Self.salon, dailyTokens: 1000))
            world.clock.advance(by: .seconds(119))
            #expect(await !book.reserve(1, id: id(2), brand: Self.salon, dailyTokens: 1000))
            world.clock.advance(by: .seconds(1))
            #expect(await book.reserve(1000, id: id(3), brand: Self.salon, dailyTokens: 1000))
            // The lost one comes after all: what was used counts, whatever was set aside.
            await book.record(call(1, input: 300, output: 0))
            let today = try await book.today(Self.salon)
            #expect(today.tokens == 300 && today.reserved == 1000 && today.day == UsagePeriod.day(of: Self.noon))
        }
    }

    @Test func aRestartReadsWhatTheDayHasUsed() async throws {
        try await with { (world: World) async throws in
            await world.book().record(call(1, input: 700, output: 100))
            let restarted = world.book()
            #expect(await !restarted.reserve(201, id: id(2), brand: Self.salon, dailyTokens: 1000))
            #expect(await restarted.reserve(200, id: id(3), brand: Self.salon, dailyTokens: 1000))
            await restarted.record(call(3, input: 100, output: 0))
            #expect(try await restarted.today(Self.salon).tokens == 900)
            #expect(try await world.stored().tokens == 900)
        }
    }

    @Test func theDayEndsAtMidnightUTC() async throws {
        try await with { (world: World) async throws in
            let book = world.book()
            #expect(await book.reserve(900, id: id(1), brand: Self.salon, dailyTokens: 1000))
            world.clock.advance(by: .seconds(12 * 3600 - 1))
            let late = world.clock.now
            await book.record(call(1, input: 900, output: 0, at: late))
            #expect(await !book.reserve(200, id: id(2), brand: Self.salon, dailyTokens: 1000))
            world.clock.advance(by: .seconds(1))
            #expect(await book.reserve(1000, id: id(3), brand: Self.salon, dailyTokens: 1000))
            // Made before midnight, recorded after it.
            await book.record(call(4, input: 50, output: 0, at: late))
            #expect(try await book.today(Self.salon).tokens == 0)
        }
    }

    @Test func aLimitThatCannotBeCheckedIsNotSpentFrom() async throws {
        try await with { (world: World) async throws in
            let book = world.book()
            world.database.set(unreadable: true)
            #expect(await !book.reserve(1, id: id(1), brand: Self.salon, dailyTokens: 1000))
            #expect(await book.reserve(1, id: id(2), brand: Self.salon, dailyTokens: nil))
            world.database.set()
            #expect(await book.reserve(1, id: id(1), brand: Self.salon, dailyTokens: 1000))
        }
    }

    // MARK: Recording

    @Test func aCallRecordedTwiceCountsOnce() async throws {
        try await with { (world: World) async throws in
            let book = world.book()
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<20 { group.addTask { await book.record(self.call(1)) } }
            }
            await book.record(call(1, input: 5000))
            #expect(try await book.today(Self.salon).tokens == 100)
            let restarted = world.book()
            await restarted.record(call(1))
            #expect(try await restarted.today(Self.salon).tokens == 100)
            let sums = try await world.stored()
            #expect(sums.calls == 1 && sums.costNanos == ["USD": 24_000])
        }
    }

    @Test func whatCannotBeStoredNowCountsAtOnceAndIsStoredLater() async throws {
        try await with { (world: World) async throws in
            let book = world.book(.init(retry: .seconds(1)))
            #expect(try await book.today(Self.salon).tokens == 0)
            let running = Task { try await book.run() }
            world.database.set(full: true)
            for number in 1...300 { await book.record(call(UInt64(number))) }
            #expect(book.waiting == 300)
            #expect(try await book.today(Self.salon).tokens == 30_000)
            #expect(await !book.reserve(1, id: id(999), brand: Self.salon, dailyTokens: 30_000))
            #expect(try await world.stored().calls == 0)
            world.database.set()
            while book.waiting > 0 {
                world.clock.advance(by: .seconds(1))
                await Task.yield()
            }
            #expect(try await world.stored().calls == 300)
            #expect(try await book.today(Self.salon).tokens == 30_000)
            running.cancel()
            try await running.value
        }
    }

    @Test func whatWaitsIsStoredWhenTheProcessStops() async throws {
        try await with { (world: World) async throws in
            let book = world.book()
            world.database.set(full: true)
            await book.record(call(1))
            world.database.set()
            let running = Task { try await book.run() }
            running.cancel()
            try await running.value
            #expect(try await world.stored().calls == 1)
        }
    }

    @Test func noMoreThanSoManyWait() async throws {
        try await with { (world: World) async throws in
            let book = world.book(.init(waiting: 3))
            #expect(try await book.today(Self.salon).tokens == 0)
            world.database.set(full: true)
            for number in 1...5 { await book.record(call(UInt64(number))) }
            #expect(book.waiting == 3)
            #expect(try await book.today(Self.salon).tokens == 500, "what is lost to the books was used all the same")
            world.database.set()
            let running = Task { try await book.run() }
            running.cancel()
            try await running.value
            #expect(try await world.stored().calls == 3)
        }
    }

    @Test func absurdNumbersSpoilNothing() async throws {
        try await with { (world: World) async throws in
            let book = world.book()
            let prices = [
                ModelPrice(inputPerMillion: .infinity, outputPerMillion: 1, currency: "USD"),
                ModelPrice(inputPerMillion: .nan, outputPerMillion: 1, currency: "USD"),
                ModelPrice(inputPerMillion: -5, outputPerMillion: -1, currency: "USD"),
                ModelPrice(inputPerMillion: 1e300, outputPerMillion: 1, currency: "USD"),
            ]
            for (number, price) in prices.enumerated() { await book.record(call(UInt64(number), input: .max, output: .max, price: price)) }
            await book.record(call(50, input: .min, output: -1))
            await book.record(call(51, model: "bad\u{0}name\n" + String(repeating: "x", count: 100_000)))
            let sums = try await world.stored()
            #expect(sums.calls == 6 && sums.inputTokens == 400_000_080 && sums.outputTokens == 400_000_020)
            #expect(sums.costNanos == ["USD": 1_000_000_000_024_000])
            #expect(sums.unpricedCalls == 3 && book.waiting == 0)
        }
    }
}
