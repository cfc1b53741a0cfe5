import Conversation
import Storage
import Testing

@testable import Switchboard

struct UsageQueryTests {
    private static let now = Timestamp("2026-11-21T08:30:00Z") ?? Timestamp(seconds: 0)

    private func query(_ query: [String: String]) throws -> UsageQuery { try UsageQuery(query, limit: 50, now: Self.now) }

    private func period(_ query: [String: String]) throws -> [String] {
        let period = try self.query(query).period
        return [period.from, period.to].map { String($0.description.prefix(19)) }
    }

    @Test func whoSaysNothingMeansThisMonthUntilTheEndOfToday() throws {
        #expect(try period([:]) == ["2026-11-01T00:00:00", "2026-11-22T00:00:00"])
        #expect(try query([:]).grouping == nil)
    }

    @Test func aDateIsAllOfItsDayAndAMomentIsItself() throws {
        #expect(try period(["from": "2026-10-05", "to": "2026-10-31"]) == ["2026-10-05T00:00:00", "2026-11-01T00:00:00"])
        #expect(try period(["to": "2026-10-31"]) == ["2026-10-01T00:00:00", "2026-11-01T00:00:00"])
        #expect(try period(["to": "2026-10-01"]) == ["2026-10-01T00:00:00", "2026-10-02T00:00:00"])
        #expect(try period(["from": "2026-11-21T08:00:00+02:00"]) == ["2026-11-21T06:00:00", "2026-11-22T00:00:00"])
        #expect(try period(["from": "2024-02-29", "to": "2024-02-29"]) == ["2024-02-29T00:00:00", "2024-03-01T00:00:00"])
    }

    @Test(arguments: [
        "", "now", "2026-2-3", "2026-02-29", "2026-00-10", "2026-11-31T00:00:00Z", "2026-11-21T25:00:00Z", "2026-11-21T08:00:00",
        "2026-11-21 ", "١٢٣٤-٠١-٠١", "20261121", "9999999999-01-01",
    ]) func whatIsNoDateIsRefused(text: String) {
        for name in ["from", "to"] {
            let error = #expect(throws: APIError.self) { try query([name: text]) }
            #expect(error?.status == 400 && error?.title.hasPrefix("\(name) is a date") == true)
        }
    }

    @Test(arguments: [
        ["from": "2026-11-22", "to": "2026-11-21"], ["from": "2026-12-01"], ["from": "0001-01-01"], ["by": "user"], ["by": ""],
        ["after": "2026-11-21"], ["by": "day", "after": "x"], ["by": "session", "after": "x"],
    ]) func whatMakesNoSenseIsRefused(fields: [String: String]) {
        let error = #expect(throws: APIError.self) { try query(fields) }
        #expect(error?.status == 400)
    }

    @Test func whatNextSaidIsWhereThePageGoesOn() throws {
        let session = SessionID(UniqueID(high: 5, low: 1))
        let keys: [(String, UsageKey)] = [
            ("day", .day(UsagePeriod.day(of: Self.now))), ("session", .session(session)), ("session", .session(nil)),
            ("model", .name("a/b c")),
        ]
        for (grouping, key) in keys { #expect(try query(["by": grouping, "after": key.cursor]).after == key) }
        #expect(UsageKey.session(nil).text == nil && UsageKey.day(0).text == "1970-01-01")
    }

    @Test(
        arguments: [
            (0, "0.00"), (1, "0.000000001"), (10_000_000, "0.01"), (1_500_000_000, "1.50"), (123_456_789_012, "123.456789012"),
            (2_000_000_000, "2.00"), (-1_230_000_000, "-1.23"), (Int64.max, "9223372036.854775807"), (Int64.min, "-9223372036.854775808"),
        ] as [(Int64, String)]) func amountsAreExact(nanos: Int64, text: String)
    {
        #expect(UsageSums.decimal(nanos) == text)
    }
}
