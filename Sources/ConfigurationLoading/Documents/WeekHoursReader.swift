import Conversation

/// Opening hours of a week: `mon-fri: "09:00-18:00"`, several ranges as a list. A day that is not named is closed.
struct WeekHoursReader {
    let entry: Entry

    static let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

    private struct Span {
        var day: Int
        var minutes: Range<Int>
        var text: String
        var line: Int
    }

    /// Minutes from midnight by weekday (1 Monday to 7 Sunday); a range over midnight is cut there. Nil when there is none.
    func read() -> [Int: [Range<Int>]]? {
        var spans: [Span] = []
        for (key, value, line) in entry.pairs() {
            let days = days(key, value, line)
            for item in value.isSequence ? value.items() : [value] {
                guard let (text, pieces) = pieces(item) else { continue }
                for day in days {
                    for (offset, minutes) in pieces {
                        let span = Span(day: (day - 1 + offset) % 7 + 1, minutes: minutes, text: text, line: item.line)
                        if let other = spans.first(where: { $0.day == span.day && $0.minutes.overlaps(minutes) }) {
                            item.problem(
                                "\"\(text)\" overlaps \"\(other.text)\" of line \(other.line) on \(Self.days[span.day - 1])",
                                "join the two, or name each day once")
                        }
                        spans.append(span)
                    }
                }
            }
        }
        if spans.isEmpty {
            if entry.isMapping, entry.pairs().isEmpty { entry.problem("lists no hours", "write { mon-fri: \"09:00-18:00\" }") }
            return nil
        }
        return Dictionary(grouping: spans, by: \.day).mapValues { $0.map(\.minutes).sorted { $0.lowerBound < $1.lowerBound } }
    }

    /// `mon`, or `mon-fri`, or `sat-mon` over the end of the week.
    private func days(_ key: String, _ value: Entry, _ line: Int) -> [Int] {
        let ends = key.split(separator: "-", omittingEmptySubsequences: false).map { Self.days.firstIndex(of: String($0)) }
        if ends.count == 1, let day = ends[0] { return [day + 1] }
        if ends.count == 2, let first = ends[0], let last = ends[1], first != last {
            let count = (last - first + 7) % 7
            return (0...count).map { (first + $0) % 7 + 1 }
        }
        let near = Suggestion.nearest(to: key, in: Self.days).map { "did you mean \"\($0)\"?" }
        entry.document.report(
            line: line, key: value.path, "\"\(key)\" is no weekday", near ?? "write mon, tue, wed, thu, fri, sat, sun, or mon-fri")
        return []
    }

    /// The minutes of a range, by how many days later they are; two pieces when it runs over midnight.
    private func pieces(_ item: Entry) -> (text: String, pieces: [(Int, Range<Int>)])? {
        guard let value = item.scalar() else { return nil }
        let ends = value.text.split(separator: "-", omittingEmptySubsequences: false).map { Self.minutes($0) }
        guard ends.count == 2, let from = ends[0], let to = ends[1], from < Self.midnight else {
            item.problem("\"\(value.raw)\" is no range of hours", "write it like \"09:00-18:00\", from 00:00 to 24:00")
            return nil
        }
        guard from != to else {
            item.problem("\"\(value.raw)\" ends when it begins", "write \"00:00-24:00\" for the whole day")
            return nil
        }
        if from < to { return (value.raw, [(0, from..<to)]) }
        return (value.raw, [(0, from..<Self.midnight)] + (to > 0 ? [(1, 0..<to)] : []))
    }

    private static let midnight = 1440

    /// `09:00`; nil for anything else.
    private static func minutes(_ text: Substring) -> Int? {
        let parts = text.filter { $0 != " " }.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ (1...2).contains($0.count) && $0.utf8.allSatisfy { (48...57).contains($0) } }),
            parts[1].count == 2, let hour = Int(parts[0]), let minute = Int(parts[1]), minute < 60
        else { return nil }
        let minutes = hour * 60 + minute
        return minutes <= midnight ? minutes : nil
    }
}
