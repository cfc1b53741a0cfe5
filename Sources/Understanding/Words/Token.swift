internal import Text

/// A word, a number or a sign of a text, with where it stands.
struct Token: Sendable, Hashable {
    enum Kind: Sendable, Hashable { case word, number, symbol }

    var kind: Kind
    /// Lower case, plain quotes.
    var text: String
    /// Of a number of at most nine digits.
    var value: Int?
    /// In `Tokens.source`.
    var range: Range<String.Index>
    /// No white space stands before it.
    var isGlued: Bool
}

/// A text in the form in which the rules read it. Only the first 4,096 characters are looked at: no channel sends longer texts, and rules
/// must stay fast on hostile ones.
struct Tokens: Sendable {
    static let limit = 4096

    let source: String
    let all: [Token]

    init(_ text: String) {
        var head = text
        if text.utf8.count > Self.limit,
            let end = text.unicodeScalars.index(text.startIndex, offsetBy: Self.limit, limitedBy: text.endIndex)
        {
            head = String(text[..<end])
        }
        source = Normalizer.clean(head)
        all = Self.read(source)
    }

    private init(source: String, all: [Token]) {
        self.source = source
        self.all = all
    }

    /// The same places, with signs that mean nothing where `isHidden`, so that those words match nothing.
    func hiding(_ isHidden: (Int) -> Bool) -> Tokens {
        let masked = all.enumerated().map { index, token in
            isHidden(index) ? Token(kind: .symbol, text: "\u{FFFC}", value: nil, range: token.range, isGlued: token.isGlued) : token
        }
        return Tokens(source: source, all: masked)
    }

    var count: Int { all.count }
    subscript(index: Int) -> Token? { all.indices.contains(index) ? all[index] : nil }

    /// The word or sign at a place, or an empty text outside.
    func word(_ index: Int) -> String { all.indices.contains(index) ? all[index].text : "" }

    /// The original words of some tokens.
    func raw(_ range: Range<Int>) -> String {
        guard let first = self[range.lowerBound], let last = self[range.upperBound - 1], !range.isEmpty else { return "" }
        return String(source[first.range.lowerBound..<last.range.upperBound])
    }

    private static func read(_ source: String) -> [Token] {
        var tokens: [Token] = []
        let scalars = source.unicodeScalars
        var index = scalars.startIndex
        var isGlued = false
        while index < scalars.endIndex {
            let scalar = scalars[index]
            if scalar == " " || scalar.properties.isWhitespace {
                isGlued = false
                index = scalars.index(after: index)
                continue
            }
            let kind = kind(of: scalar)
            var end = scalars.index(after: index)
            switch kind {
            case .word: end = wordEnd(scalars, from: end)
            case .number: while end < scalars.endIndex, Self.kind(of: scalars[end]) == .number { end = scalars.index(after: end) }
            case .symbol: end = source.index(after: index)
            }
            tokens.append(token(kind, source[index..<end], range: index..<end, isGlued: isGlued))
            isGlued = true
            index = end
        }
        return tokens
    }

    private static func kind(of scalar: Unicode.Scalar) -> Token.Kind {
        if scalar.value < 128 {
            switch scalar.value {
            case 48...57: return .number
            case 65...90, 97...122: return .word
            default: return .symbol
            }
        }
        if scalar.properties.numericType == .decimal { return .number }
        return scalar.properties.isAlphabetic ? .word : .symbol
    }

    /// Letters with apostrophes between them: `don't`, `o'clock`.
    private static func wordEnd(_ scalars: String.UnicodeScalarView, from start: String.Index) -> String.Index {
        var end = start
        while end < scalars.endIndex {
            let scalar = scalars[end]
            if kind(of: scalar) == .word || scalar.properties.generalCategory == .nonspacingMark {
                end = scalars.index(after: end)
            } else if scalar == "'" || scalar.value == 0x2019 {
                let next = scalars.index(after: end)
                guard next < scalars.endIndex, kind(of: scalars[next]) == .word else { return end }
                end = next
            } else {
                return end
            }
        }
        return end
    }

    private static func token(_ kind: Token.Kind, _ part: Substring, range: Range<String.Index>, isGlued: Bool) -> Token {
        switch kind {
        case .word: return Token(kind: kind, text: Normalizer.fold(String(part)), value: nil, range: range, isGlued: isGlued)
        case .symbol:
            return Token(kind: kind, text: Normalizer.fold(String(part)), value: nil, range: range, isGlued: isGlued)
        case .number:
            // Digits of any script count: Arabic-Indic and Devanagari keyboards type their own.
            let digits = part.unicodeScalars.map { Int($0.properties.numericValue ?? 0) }
            let value = digits.count <= 9 ? digits.reduce(0) { $0 * 10 + $1 } : nil
            let text = digits.map(String.init).joined()
            return Token(kind: kind, text: text, value: value, range: range, isGlued: isGlued)
        }
    }
}
