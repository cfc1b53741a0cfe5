internal import Conversation
internal import Foundation

/// Between instants and what a clock on the wall shows in one zone.
struct ZonedClock: Sendable {
    enum Instant: Sendable, Hashable {
        case one(Timestamp)
        /// The clock shows this time twice, when it is set back; the earlier instant.
        case twice(Timestamp)
        /// The clock skips this time, when it is set forward.
        case never
    }

    private let zone: TimeZone

    /// An unknown zone counts as UTC; configurations are checked for that before.
    init(_ identifier: String) { zone = TimeZone(identifier: identifier) ?? .gmt }

    func local(_ instant: Timestamp) -> (day: Day, minutes: Int) {
        let seconds = floored(Int(instant.milliseconds), 1000)
        let shifted = seconds + offset(at: seconds)
        let day = floored(shifted, 86_400)
        return (Day(number: day), (shifted - day * 86_400) / 60)
    }

    func instant(_ day: Day, minutes: Int) -> Instant {
        let wall = day.number * 86_400 + minutes * 60
        // A zone changes its offset at most once within a day, so the offsets a day before and after are the only candidates.
        let offsets = Set([offset(at: wall - 86_400), offset(at: wall + 86_400)])
        let fitting = offsets.filter { offset(at: wall - $0) == $0 }.sorted(by: >)
        guard let earliest = fitting.first else { return .never }
        let instant = Timestamp(seconds: Int64(wall - earliest))
        return fitting.count > 1 ? .twice(instant) : .one(instant)
    }

    private func offset(at seconds: Int) -> Int { zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(seconds))) }

    private func floored(_ value: Int, _ divisor: Int) -> Int {
        let quotient = value / divisor
        return value % divisor < 0 ? quotient - 1 : quotient
    }
}
