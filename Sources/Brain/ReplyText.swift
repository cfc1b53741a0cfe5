/// A reply taken apart: its sentences, words and facts. Lines of lists stand apart, because they are kept as they are.
struct ReplyText: Sendable {
    enum FactKind: String, Sendable, CaseIterable {
        case time, money, number, weekday, month, address
    }

    struct Word: Sendable {
        /// Lower case, without punctuation around it.
        var text: String
        var stem: String
        var kind: FactKind?
        var sentence: Int
        var clause: Int
        /// Written with a capital although no sentence begins with it.
        var isName: Bool
    }

    private(set) var words: [Word] = []
    /// Whether each sentence is a question.
    private(set) var questions: [Bool] = []
    /// Lines of a list, without white space at the ends.
    private(set) var listed: [String] = []

    init(_ text: String) {
        for line in Self.plain(text).split(separator: "\n") {
            let line = String(line).trimmingSpaces
            if Self.isListed(line) {
                listed.append(line)
            } else {
                read(line)
            }
        }
    }

    /// Facts of one kind in their order, as often as they are said: which of two prices is said twice makes a difference.
    func facts(_ kind: FactKind) -> [String] { words.filter { $0.kind == kind }.map(\.text) }

    static func unique(_ texts: [String]) -> [String] {
        var seen: Set<String> = []
        return texts.filter { seen.insert($0).inserted }
    }

    /// Typographic signs as plain ones, times without gaps.
    private static func plain(_ text: String) -> String {
        var text = text
        for (sign, plain) in [
            ("\u{2019}", "'"), ("\u{2018}", "'"), ("\u{201C}", "\""), ("\u{201D}", "\""), ("\u{2013}", " - "), ("\u{2014}", " - "),
            ("\u{A0}", " "), ("\u{202F}", " "), ("a.m.", "am"), ("p.m.", "pm"), ("A.M.", "am"), ("P.M.", "pm"), ("…", "... "),
        ] { text = text.replacing(sign, with: plain) }
        return text
    }

    private static func isListed(_ line: String) -> Bool {
        if line.hasPrefix("•") || line.hasPrefix("- ") || line.hasPrefix("* ") { return true }
        let digits = line.prefix { $0.isNumber }
        return !digits.isEmpty && line.dropFirst(digits.count).hasPrefix(". ")
    }

    private mutating func read(_ line: String) {
        questions.append(false)
        var clause = 0
        var isStart = true
        for piece in Self.pieces(line) {
            let bare = piece.drop { Self.edges.contains($0) }
            let end = bare.lastIndex { !Self.edges.contains($0) }.map { bare.index(after: $0) } ?? bare.startIndex
            let tail = bare[end...]
            let core = String(bare[..<end])
            if piece.first.map({ "(".contains($0) }) == true || piece == "-" { clause += 1 }
            if !core.isEmpty {
                append(core, clause: clause, isStart: isStart)
                isStart = false
            }
            if tail.contains(where: { ",;:)".contains($0) }) { clause += 1 }
            if tail.contains(where: { ".!?".contains($0) }) {
                questions[questions.count - 1] = tail.contains("?")
                questions.append(false)
                clause += 1
                isStart = true
            }
        }
    }

    private mutating func append(_ core: String, clause: Int, isStart: Bool) {
        let text = core.lowercased()
        let hasCapital = core.first?.isUppercase ?? false
        let kind = Self.kind(text, hasCapital: hasCapital)
        let isPronoun = text == "i" || text.hasPrefix("i'")
        words.append(
            Word(
                text: kind.map { Self.canonical(text, $0) } ?? text, stem: Stem.of(text), kind: kind, sentence: questions.count - 1,
                clause: clause, isName: hasCapital && !isStart && kind == nil && !isPronoun))
    }

    /// Words between white space, a time and its half of the day as one.
    private static func pieces(_ line: String) -> [String] {
        var pieces: [String] = []
        for piece in line.split(whereSeparator: \.isWhitespace).map(String.init) {
            let bare = piece.lowercased().filter(\.isLetter)
            if bare == "am" || bare == "pm", let last = pieces.last, last.last?.isNumber == true {
                pieces[pieces.count - 1] = last + piece
            } else {
                pieces.append(piece)
            }
        }
        return pieces
    }

    private static let edges: Set<Character> = [
        ".", ",", ";", ":", "!", "?", "(", ")", "[", "]", "{", "}", "\"", "'", "*", "_", "~", "`", "-",
    ]
}

// MARK: Facts

extension ReplyText {
    private static func kind(_ text: String, hasCapital: Bool) -> FactKind? {
        if isAddress(text) { return .address }
        if text.contains(where: \.isNumber) {
            if text.contains(where: { "$€£₹¥₽₩₺".contains($0) }) { return .money }
            let digits = text.prefix { $0.isNumber || $0 == ":" }
            let rest = text.dropFirst(digits.count)
            return rest == "am" || rest == "pm" || rest.isEmpty && digits.contains(":") ? .time : .number
        }
        if fullWeekdays.contains(text) || hasCapital && weekdays.contains(String(text.prefix(3))) && shortWeekdays.contains(text) {
            return .weekday
        }
        return months.contains(text) || hasCapital && shortMonths.contains(text) ? .month : nil
    }

    /// `5pm` and `5:00 PM` are one time, `24th` and `24` one number, `$45.00` and `$45` one price.
    private static func canonical(_ text: String, _ kind: FactKind) -> String {
        switch kind {
        case .time:
            let half = text.hasSuffix("am") ? "am" : text.hasSuffix("pm") ? "pm" : ""
            let clock = half.isEmpty ? text : String(text.dropLast(2))
            return (clock.contains(":") ? clock : clock + ":00") + half
        case .money: return text.hasSuffix(".00") ? String(text.dropLast(3)) : text
        case .number:
            let digits = text.prefix { $0.isNumber }
            return ["st", "nd", "rd", "th"].contains(String(text.dropFirst(digits.count))) ? String(digits) : text
        case .weekday, .month: return String(text.prefix(3))
        case .address: return text
        }
    }

    private static func isAddress(_ text: String) -> Bool {
        if text.contains("@") || text.contains("://") || text.contains("www.") { return true }
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count > 1 && parts.dropFirst().contains { $0.count >= 2 && $0.allSatisfy(\.isLetter) }
            && parts.first?.contains(where: \.isLetter) == true
    }

    private static let fullWeekdays: Set<String> = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
    private static let shortWeekdays: Set<String> = ["mon", "tue", "tues", "wed", "thu", "thur", "thurs", "fri", "sat", "sun"]
    private static let weekdays: Set<String> = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    private static let months: Set<String> = [
        "january", "february", "april", "june", "july", "august", "september", "october", "november", "december",
    ]
    /// Those that are words or abbreviations too count with a capital only.
    private static let shortMonths: Set<String> = [
        "jan", "feb", "mar", "march", "apr", "may", "jun", "jul", "aug", "sep", "sept", "oct", "nov", "dec",
    ]
}

/// One form for the forms of a word: "booked", "booking" and "books" are forms of "book".
enum Stem {
    static func of(_ word: String) -> String {
        var stem = word.hasSuffix("'s") ? String(word.dropLast(2)) : word
        for ending in ["ing", "ed", "es", "s", "e"] where stem.hasSuffix(ending) && stem.count - ending.count >= 3 {
            stem.removeLast(ending.count)
            break
        }
        if stem.hasSuffix("e"), stem.count > 3 { stem.removeLast() }
        if let last = stem.last, stem.count > 3, stem.dropLast().last == last, !"lsz".contains(last) || stem.hasSuffix("ll") {
            stem.removeLast()
        }
        return stem
    }
}
