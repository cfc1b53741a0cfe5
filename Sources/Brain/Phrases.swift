import Conversation
import Foundation

/// Wording of values for people: instants in the brand's zone, money, numbers.
struct Phrases: Sendable {
    let locale: String
    let timeZone: TimeZone
    let now: Timestamp

    /// An unknown zone reads as UTC; the configuration loader refuses those.
    init(locale: String, timeZone: String, now: Timestamp) {
        self.locale = locale
        self.timeZone = TimeZone(identifier: timeZone) ?? .gmt
        self.now = now
    }

    func text(_ value: JSONValue, as kind: EntityKind?) -> String {
        switch kind {
        case .datetime: value.string.flatMap(Timestamp.init).map(datetime) ?? value.plainText
        case .date: value.string.map(date) ?? value.plainText
        case .time: value.string.map(time) ?? value.plainText
        case .money: money(value)
        case .choice, .number, .phone, .email, .text, .url: value.plainText
        case nil: value.string.flatMap(Timestamp.init).map(datetime) ?? value.plainText
        }
    }

    /// `Tue, Nov 24 at 5:00 PM` or `Tue 24 Nov at 17:00`, as the locale has it; with the year when it is another one than now.
    func datetime(_ moment: Timestamp) -> String {
        guard isEnglish else { return foreign(moment, time: true) }
        let local = fields(moment)
        return "\(day(local)) at \(clock(hour: local.hour, minute: local.minute))"
    }

    /// From `2026-11-24`; any other text stays as it is.
    func date(_ text: String) -> String {
        guard let moment = Timestamp(text.prefix(10) + "T12:00:00Z") else { return text }
        let shifted = Timestamp(milliseconds: moment.milliseconds - offset(moment))
        return isEnglish ? day(fields(shifted)) : foreign(shifted, time: false)
    }

    /// From `17:00`; any other text stays as it is.
    func time(_ text: String) -> String {
        let parts = text.split(separator: ":").prefix(2).compactMap { Int($0) }
        guard parts.count == 2 else { return text }
        return clock(hour: parts[0], minute: parts[1])
    }

    /// `10:42`, for "as of".
    func clockTime(_ moment: Timestamp) -> String {
        let local = fields(moment)
        return clock(hour: local.hour, minute: local.minute)
    }

    /// A number in the currency of the locale's region, or `{"amount":…,"currency":"EUR"}`.
    func money(_ value: JSONValue) -> String {
        let amount = value["amount"]?.double ?? value.double ?? value.string.flatMap(Double.init)
        guard let amount, amount.isFinite, amount.magnitude < 1e15 else { return value.plainText }
        let code = value["currency"]?.string ?? Self.currencies[region]
        let cents = Int64((amount.magnitude * 100).rounded())
        let digits = cents % 100 == 0 ? String(cents / 100) : "\(cents / 100).\(cents % 100 < 10 ? "0" : "")\(cents % 100)"
        let sign = amount < 0 ? "-" : ""
        guard let code else { return sign + digits }
        return Self.symbols[code].map { sign + $0 + digits } ?? "\(sign)\(digits) \(code)"
    }

    /// A weekday's full name from its short English one, a date's phrase from a date, anything else as it is.
    func weekday(_ text: String) -> String {
        if let index = Self.weekdays.firstIndex(where: { $0.lowercased() == text.lowercased() }) { return Self.fullWeekdays[index] }
        return date(text)
    }

    private struct Fields {
        var year = 0
        var month = 1
        var day = 1
        var hour = 0
        var minute = 0
        var weekday = 0
    }

    private func offset(_ moment: Timestamp) -> Int64 {
        Int64(timeZone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(moment.milliseconds) / 1000))) * 1000
    }

    private func fields(_ moment: Timestamp) -> Fields {
        let local = Timestamp(milliseconds: moment.milliseconds + offset(moment))
        let numbers = local.description.split { !$0.isNumber }.compactMap { Int($0) }
        guard numbers.count >= 5 else { return Fields() }
        let days = (Double(local.milliseconds) / 86_400_000).rounded(.down)
        // 1970-01-01 was a Thursday, the fourth of the week that begins on Monday.
        let weekday = ((Int(days) + 3) % 7 + 7) % 7
        return Fields(year: numbers[0], month: numbers[1], day: numbers[2], hour: numbers[3], minute: numbers[4], weekday: weekday)
    }

    private func day(_ local: Fields) -> String {
        let month = Self.months[max(0, min(11, local.month - 1))]
        let year = local.year == fields(now).year ? "" : " \(local.year)"
        let weekday = Self.weekdays[local.weekday]
        guard monthFirst else { return "\(weekday) \(local.day) \(month)\(year)" }
        return "\(weekday), \(month) \(local.day)\(year.isEmpty ? "" : "," + year)"
    }

    private func clock(hour: Int, minute: Int) -> String {
        let minutes = minute < 10 ? "0\(minute)" : "\(minute)"
        guard twelveHours else { return "\(hour < 10 ? "0" : "")\(hour):\(minutes)" }
        return "\(hour % 12 == 0 ? 12 : hour % 12):\(minutes) \(hour < 12 ? "AM" : "PM")"
    }

    private func foreign(_ moment: Timestamp, time: Bool) -> String {
        var style = Date.FormatStyle(locale: Locale(identifier: locale), timeZone: timeZone)
            .weekday(.abbreviated).day().month(.abbreviated)
        if time { style = style.hour().minute() }
        // Newer locale data puts narrow no-break spaces into times; channels and answers read ordinary ones.
        return Date(timeIntervalSince1970: Double(moment.milliseconds) / 1000).formatted(style)
            .replacing("\u{202F}", with: " ").replacing("\u{A0}", with: " ")
    }

    private var isEnglish: Bool { locale.lowercased().hasPrefix("en") }
    private var region: String { locale.split { $0 == "-" || $0 == "_" }.dropFirst().last.map { $0.uppercased() } ?? "" }
    private var monthFirst: Bool { ["US", "CA", "PH", ""].contains(region) }
    private var twelveHours: Bool { isEnglish && ["US", "CA", "PH", "AU", "NZ", "IN", ""].contains(region) }

    private static let weekdays = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    private static let fullWeekdays = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    private static let symbols = ["USD": "$", "EUR": "€", "GBP": "£", "INR": "₹", "JPY": "¥", "BRL": "R$"]
    private static let currencies = [
        "US": "USD", "GB": "GBP", "IN": "INR", "JP": "JPY", "BR": "BRL", "DE": "EUR", "FR": "EUR", "ES": "EUR", "IT": "EUR", "NL": "EUR",
        "AT": "EUR", "IE": "EUR", "PT": "EUR", "BE": "EUR", "FI": "EUR", "MX": "MXN", "CH": "CHF", "CA": "CAD", "AU": "AUD",
    ]
}
