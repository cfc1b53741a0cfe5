package import Conversation

/// The `Retry-After` header (RFC 9110, 10.2.3): seconds, or a date in any of the three forms that HTTP knows.
package enum RetryAfter {
    /// A wish beyond this is cut: nobody parks work longer because a remote system says so.
    package static let longest: Duration = .seconds(86_400)

    /// Nil when the header is missing or unreadable; zero for a date that has passed.
    package static func read(_ answer: HTTPAnswer, now: Timestamp) -> Duration? {
        answer.header("retry-after").flatMap { read($0, now: now) }
    }

    package static func read(_ text: String, now: Timestamp) -> Duration? {
        let value = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        guard !value.isEmpty else { return nil }
        if value.utf8.allSatisfy({ (48...57).contains($0) }) { return min(.seconds(Int64(value) ?? .max / 2_000), longest) }
        guard let date = httpDate(value, now: now) else { return nil }
        return max(.zero, min(date - now, longest))
    }

    private static let months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]

    /// `Sun, 06 Nov 1994 08:49:37 GMT`, `Sunday, 06-Nov-94 08:49:37 GMT` or `Sun Nov 6 08:49:37 1994`.
    private static func httpDate(_ text: String, now: Timestamp) -> Timestamp? {
        let parts = text.lowercased().split { $0 == " " || $0 == "," || $0 == "-" }.map(String.init)
        switch parts.count {
        case 6 where parts[5] == "gmt": return moment(year: parts[3], month: parts[2], day: parts[1], time: parts[4], now: now)
        case 5: return moment(year: parts[4], month: parts[1], day: parts[2], time: parts[3], now: now)
        default: return nil
        }
    }

    private static func moment(year: String, month: String, day: String, time: String, now: Timestamp) -> Timestamp? {
        guard let month = months.firstIndex(of: month), day.count <= 2, time.count == 8, let full = fullYear(year, now: now) else {
            return nil
        }
        return Timestamp("\(full)-\(twoDigits(String(month + 1)))-\(twoDigits(day))T\(time)Z")
    }

    /// Two digits that look more than 50 years ahead mean the century before (RFC 9110, 5.6.7).
    private static func fullYear(_ text: String, now: Timestamp) -> String? {
        if text.count == 4 { return text }
        guard text.count == 2, let short = Int(text), let current = Int(now.description.prefix(4)) else { return nil }
        let year = current / 100 * 100 + short
        return String(year > current + 50 ? year - 100 : year)
    }

    private static func twoDigits(_ text: String) -> String { text.count == 1 ? "0\(text)" : text }
}
