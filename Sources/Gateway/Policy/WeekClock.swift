internal import Conversation
internal import Foundation

/// Weekdays and minutes on a brand's wall clock.
struct WeekClock: Sendable {
    private let zone: TimeZone

    /// An unknown zone counts as UTC; configurations are checked for that before.
    init(_ identifier: String) { zone = TimeZone(identifier: identifier) ?? .gmt }

    /// How long until one of these ranges begins; nil while one of them holds. `hours` has minutes from midnight by weekday (1 Monday to
    /// 7 Sunday), ends excluded; without any range it is a week.
    func wait(for hours: [Int: [Range<Int>]], at now: Timestamp) -> Duration? {
        let (day, minute) = local(now)
        if hours[Self.weekday(day)]?.contains(where: { $0.contains(minute) }) ?? false { return nil }
        for ahead in 0...7 {
            let begins = (hours[Self.weekday(day + ahead)] ?? []).map(\.lowerBound).filter { ahead > 0 || $0 > minute }
            // A clock that is set back shows a minute twice: what seems to have begun already begins at once.
            if let first = begins.min() { return max(.seconds(1), instant(day + ahead, minute: first) - now) }
        }
        return .seconds(7 * 86_400)
    }

    /// Days since 1970-01-01 and minutes since midnight, as the wall shows them.
    private func local(_ now: Timestamp) -> (day: Int, minute: Int) {
        let shifted = Self.floored(Int(now.milliseconds), 1000) + offset(at: Self.floored(Int(now.milliseconds), 1000))
        let day = Self.floored(shifted, 86_400)
        return (day, (shifted - day * 86_400) / 60)
    }

    private func instant(_ day: Int, minute: Int) -> Timestamp {
        let wall = day * 86_400 + minute * 60
        return Timestamp(seconds: Int64(wall - offset(at: wall - offset(at: wall))))
    }

    /// 1970-01-01 was a Thursday.
    private static func weekday(_ day: Int) -> Int { ((day + 3) % 7 + 7) % 7 + 1 }

    private func offset(at seconds: Int) -> Int { zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(seconds))) }

    private static func floored(_ value: Int, _ divisor: Int) -> Int {
        let quotient = value / divisor
        return value % divisor < 0 ? quotient - 1 : quotient
    }
}
