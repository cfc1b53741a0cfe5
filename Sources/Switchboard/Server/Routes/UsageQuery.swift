import Conversation
import Storage

/// What a caller wants to know about usage, read from the query.
struct UsageQuery: Sendable {
    var period: UsagePeriod
    var grouping: UsageGrouping?
    /// The last group of the page before.
    var after: UsageKey?
    var limit: Int

    private static let longest = Duration.seconds(400 * 86_400)

    /// Without `from` it begins with the month that `to` is in; without `to` it ends with today. A date alone is all of that day (UTC).
    /// Throws 400 with the reason.
    init(_ query: [String: String], limit: Int, now: Timestamp) throws {
        let end = try query["to"].map { try Self.moment($0, name: "to", isEnd: true) } ?? UsagePeriod(day: UsagePeriod.day(of: now)).to
        let start = try query["from"].map { try Self.moment($0, name: "from", isEnd: false) } ?? Self.month(before: end)
        guard start < end else { throw APIError(400, "from is a moment before to") }
        guard end - start <= Self.longest else { throw APIError(400, "from and to are at most 400 days apart") }
        period = UsagePeriod(from: start, to: end)
        self.limit = limit
        grouping = try query["by"].map { text in
            guard let grouping = UsageGrouping(rawValue: text) else {
                throw APIError(400, "by is one of \(UsageGrouping.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            return grouping
        }
        after = try query["after"].map { try Self.key($0, grouping) }
    }

    private static func moment(_ text: String, name: String, isEnd: Bool) throws -> Timestamp {
        if let day = day(text) { return isEnd ? UsagePeriod(day: day).to : UsagePeriod(day: day).from }
        // An impossible date, such as February 30th, would otherwise be read as the one that follows.
        if text.utf8.count > 10, day(String(text.prefix(10))) != nil, let moment = Timestamp(text) { return moment }
        throw APIError(400, "\(name) is a date such as 2026-11-21 or a moment such as 2026-11-21T08:00:00Z")
    }

    /// The first moment of the month that ends or runs there.
    private static func month(before end: Timestamp) -> Timestamp {
        let last = Timestamp(milliseconds: end.milliseconds - 1)
        return Timestamp("\(last.description.prefix(7))-01T00:00:00Z") ?? end
    }

    private static func key(_ text: String, _ grouping: UsageGrouping?) throws -> UsageKey {
        switch grouping {
        case .day: if let day = day(text) { return .day(day) }
        case .session:
            if text == UsageKey.noSession { return .session(nil) }
            if let id = SessionID(text) { return .session(id) }
        case .model, .function, .instance: return .name(text)
        case nil: throw APIError(400, "after needs by: only groups come in pages")
        }
        throw APIError(400, "after is what next was on the page before")
    }

    /// Days since 1970-01-01 of `2026-11-21`; nil for anything else and for dates that no calendar has.
    private static func day(_ text: String) -> Int64? {
        guard text.utf8.count == 10, let moment = Timestamp("\(text)T00:00:00Z"), moment.description.hasPrefix(text) else { return nil }
        return UsagePeriod.day(of: moment)
    }
}

extension UsageKey {
    static let noSession = "none"

    /// As it stands in an answer; nil for calls that belong to no session.
    var text: String? {
        switch self {
        case .day(let day): Self.date(day)
        case .session(let session): session?.description
        case .name(let name): name
        }
    }

    /// What the next page is asked for with.
    var cursor: String { text ?? Self.noSession }

    /// `2026-11-21` for a day counted since 1970-01-01.
    static func date(_ day: Int64) -> String { String(UsagePeriod(day: day).from.description.prefix(10)) }
}
