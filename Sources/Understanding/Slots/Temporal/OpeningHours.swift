internal import Conversation

/// Opening hours of a week with closed days, as `OpeningSource` describes them.
struct OpeningHours: Sendable {
    static let keys = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    static let names = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]

    private let week: [[(from: Int, to: Int)]]
    private let written: [[String]]
    private let closed: Set<String>

    /// Nil when the value is no object with at least one weekday: then nothing is known, and nothing is refused.
    init?(_ value: JSONValue?) {
        guard let object = value?.object, Self.keys.contains(where: { object[$0] != nil }) else { return nil }
        written = Self.keys.map { key in (object[key]?.array ?? []).compactMap(\.string) }
        week = written.map { day in
            day.compactMap { range in
                let ends = range.split(separator: "-").map { $0.filter { !$0.isWhitespace } }
                guard ends.count == 2, let from = Digits.minutes(ends[0]), let to = Digits.minutes(ends[1]) else { return nil }
                return (from, to)
            }
        }
        closed = Set((object["closed"]?.array ?? []).compactMap(\.string))
    }

    /// Open at this minute; the closing minute itself is closed. Ranges such as `18:00-02:00` run into the next day.
    func isOpen(_ day: Day, minutes: Int) -> Bool {
        let today = closed.contains(day.iso) ? [] : week[day.weekday]
        if today.contains(where: { $0.to > $0.from ? minutes >= $0.from && minutes < $0.to : minutes >= $0.from }) { return true }
        let before = day + -1
        let yesterday = closed.contains(before.iso) ? [] : week[before.weekday]
        return yesterday.contains { $0.to <= $0.from && minutes < $0.to }
    }

    /// What the day offers, such as `["09:00-18:00"]`.
    func hours(_ day: Day) -> [String] { closed.contains(day.iso) ? [] : written[day.weekday] }
}
