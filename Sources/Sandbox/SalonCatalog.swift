import Conversation
import Foundation

/// What the salon offers and when it is open.
struct SalonService: Sendable {
    let id: String
    let name: String
    let synonyms: [String]
    /// In US dollars.
    let price: Int64
    let minutes: Int64

    var json: JSONValue {
        [
            "id": .string(id), "name": .string(name), "synonyms": .array(synonyms.map(JSONValue.string)), "price": .integer(price),
            "currency": "USD", "duration_min": .integer(minutes),
        ]
    }

    static let all = [
        SalonService(id: "svc-haircut", name: "Haircut", synonyms: ["cut", "trim"], price: 45, minutes: 45),
        SalonService(id: "svc-colour", name: "Colour", synonyms: ["color", "dye", "tint", "highlights"], price: 120, minutes: 120),
        SalonService(id: "svc-blow-dry", name: "Blow-dry", synonyms: ["blowout", "styling"], price: 35, minutes: 30),
        SalonService(id: "svc-manicure", name: "Manicure", synonyms: ["nails", "nail polish"], price: 30, minutes: 40),
        SalonService(id: "svc-pedicure", name: "Pedicure", synonyms: ["feet", "toenails"], price: 40, minutes: 50),
        SalonService(id: "svc-beard-trim", name: "Beard trim", synonyms: ["beard", "shave"], price: 20, minutes: 20),
        SalonService(id: "svc-massage", name: "Massage", synonyms: ["back massage", "relaxation"], price: 80, minutes: 60),
        SalonService(id: "svc-facial", name: "Facial", synonyms: ["face treatment", "skin care"], price: 65, minutes: 50),
    ]

    static func with(id: String) -> SalonService? { all.first { $0.id == id } }
}

/// The salon's week, in its own time zone.
enum SalonHours {
    static let zone = "America/New_York"
    private static let days = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
    private static let weekday = (from: 9 * 60, to: 18 * 60)
    private static let saturday = (from: 9 * 60, to: 16 * 60)
    static let closedDates = ["2026-12-25", "2027-01-01"]

    /// Minutes of the day, by day of the week with Sunday as 0; nil when closed.
    private static func hours(day: Int) -> (from: Int, to: Int)? {
        switch day {
        case 2...5: weekday
        case 6: saturday
        default: nil
        }
    }

    static var json: JSONValue {
        var members: [String: JSONValue] = ["closed": .array(closedDates.map(JSONValue.string))]
        for (day, name) in days.enumerated() {
            members[name] = .array(hours(day: day).map { [.string("\(clock($0.from))-\(clock($0.to))")] } ?? [])
        }
        return .object(members)
    }

    private static func clock(_ minutes: Int) -> String {
        func padded(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(padded(minutes / 60)):\(padded(minutes % 60))"
    }

    /// Whether an appointment may begin then.
    static func areOpen(at start: Timestamp) -> Bool {
        var calendar = Calendar(identifier: .gregorian)
        guard let zone = TimeZone(identifier: zone) else { return false }
        calendar.timeZone = zone
        let date = Date(timeIntervalSince1970: Double(start.milliseconds) / 1000)
        let local = calendar.dateComponents([.year, .month, .day, .hour, .minute, .weekday], from: date)
        guard let year = local.year, let month = local.month, let day = local.day, let hour = local.hour, let minute = local.minute,
            let weekday = local.weekday, let hours = hours(day: weekday - 1)
        else { return false }
        let name = "\(year)-\(month < 10 ? "0" : "")\(month)-\(day < 10 ? "0" : "")\(day)"
        return !closedDates.contains(name) && (hours.from..<hours.to).contains(hour * 60 + minute)
    }
}
