import Conversation
import Foundation

/// Chance that can be repeated: SplitMix64 from a seed that the test prints.
struct Draw: RandomNumberGenerator {
    let seed: UInt64
    private var state: UInt64

    /// `SWITCHBOARD_SEED`, else another one each time.
    init(_ what: String) {
        let given = ProcessInfo.processInfo.environment["SWITCHBOARD_SEED"].flatMap { UInt64($0) }
        seed = given ?? UInt64.random(in: 0..<1_000_000)
        state = seed
        print("\(what): SWITCHBOARD_SEED=\(seed)")
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// The salon's calendar, worked out apart from the gateway.
enum NewYork {
    static let zone = TimeZone(identifier: "America/New_York") ?? .gmt
    static let calendar: Calendar = {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = zone
        return calendar
    }()

    /// The first day with the new clock, for the next two changes that are at least a week away: one forward, one back.
    static var clockChanges: [Date] {
        var changes: [Date] = []
        var after = Date().addingTimeInterval(7 * 86_400)
        while changes.count < 2, let next = zone.nextDaylightSavingTimeTransition(after: after) {
            changes.append(calendar.startOfDay(for: next))
            after = next
        }
        return changes
    }

    /// Days on which the salon is open near a change, which falls on a Sunday: before it and after it.
    static func openDays(around change: Date) -> (before: [Date], after: [Date]) {
        func day(_ offset: Int) -> Date { calendar.date(byAdding: .day, value: offset, to: change) ?? change }
        return ([-4, -3, -2, -1].map(day), [2, 3, 4, 5].map(day))
    }

    static func instant(_ day: Date, _ hour: Int, _ minute: Int) -> Timestamp {
        let date = calendar.date(bySettingHour: hour, minute: minute, second: 0, of: day) ?? day
        return Timestamp(seconds: Int64(date.timeIntervalSince1970.rounded()))
    }

    static func text(_ day: Date, _ format: String) -> String {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = zone
        formatter.dateFormat = format
        return formatter.string(from: day)
    }
}
