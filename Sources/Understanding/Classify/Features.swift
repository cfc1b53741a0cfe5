/// What a text consists of, for learning and for comparing: words, pairs of words, concepts, and the letters inside words, as hashes.
struct Features: Sendable {
    struct Feature: Sendable {
        var key: UInt64
        var weight: Float
    }

    /// A word that carries meaning, for measuring how much of a text is known and for mending slips.
    struct Content: Sendable {
        var word: UInt64
        var concept: UInt64?
        var letters: [UInt8]
    }

    var all: [Feature] = []
    var content: [Content] = []

    /// Reads at most the first 60 words.
    init(_ tokens: Tokens, range: Range<Int>? = nil) {
        var previous: UInt64 = Hash.of("^", kind: 0)
        all.reserveCapacity(96)
        for word in Self.words(tokens, range ?? 0..<tokens.count) {
            let key = Hash.of(word, kind: 1)
            let isFunction = Concepts.functionWords.contains(word)
            all.append(Feature(key: key, weight: isFunction ? 0.35 : Self.isMask(word) ? 0.8 : 1))
            all.append(Feature(key: Hash.joined(previous, key), weight: 0.5))
            previous = key
            let concept = Concepts.byStem[word].map { Hash.of($0, kind: 2) }
            if let concept { all.append(Feature(key: concept, weight: 1.2)) }
            guard !isFunction, !Self.isMask(word) else { continue }
            content.append(Content(word: key, concept: concept, letters: Array(word.utf8.prefix(24))))
            addLetters(word)
        }
        all.append(Feature(key: Hash.joined(previous, Hash.of("$", kind: 0)), weight: 0.3))
    }

    private mutating func addLetters(_ word: String) {
        let bytes = [94] + Array(word.utf8.prefix(24)) + [36]
        for length in 3...4 where bytes.count >= length {
            for start in 0...(bytes.count - length) {
                all.append(Feature(key: Hash.of(bytes[start..<start + length], kind: 3), weight: 0.22))
            }
        }
    }

    /// The word with each of its letters left out in turn. Two words one slip apart share such a form.
    static func shortened(_ letters: [UInt8]) -> [UInt64] {
        letters.indices.map { skipped in Hash.of(letters[..<skipped] + letters[(skipped + 1)...], kind: 4) }
    }

    /// The words of all concepts, which count as known even when no example uses them.
    static let conceptWords: [Content] = Concepts.byStem.sorted { $0.key < $1.key }.map { stem, concept in
        Content(word: Hash.of(stem, kind: 1), concept: Hash.of(concept, kind: 2), letters: Array(stem.utf8.prefix(24)))
    }

    private static func isMask(_ word: String) -> Bool { word.first == "<" }

    /// The words in their learned form. However many words a moment takes, it is one: what is wanted does not hang on when.
    private static func words(_ tokens: Tokens, _ range: Range<Int>) -> [String] {
        var words: [String] = []
        for index in range where words.count < 60 {
            guard let token = tokens[index], token.kind != .symbol else { continue }
            if token.isGlued, ["th", "st", "nd", "rd", "h"].contains(token.text), tokens[index - 1]?.kind == .number { continue }
            if token.text == "m", tokens.word(index - 1) == ".", ["a", "p"].contains(tokens.word(index - 2)) { continue }
            let isHalf = ["a", "p"].contains(token.text) && tokens.word(index + 1) == "." && tokens.word(index + 2) == "m"
            let word = isHalf ? "<when>" : normalized(token)
            if word == "<when>" {
                while let last = words.last, ["<when>", "<number>", "at", "on", "the", "in", "of", "a"].contains(last) {
                    words.removeLast()
                }
            } else if word == "<number>", words.last == "<when>" {
                continue
            } else if word == "<number>", words.last == "at" {
                words.removeLast()
                words.append("<when>")
                continue
            }
            words.append(word)
        }
        return words
    }

    /// Numbers, days and times stand for all of their kind.
    private static func normalized(_ token: Token) -> String {
        if token.kind == .number { return "<number>" }
        let text = token.text
        if TemporalWords.weekdays[text] != nil || TemporalWords.relativeDays[text] != nil || momentWords.contains(text) { return "<when>" }
        if TemporalWords.months[text] != nil, text != "may", text != "march" { return "<when>" }
        if TemporalWords.parts[text] != nil { return "<when>" }
        if NumberWords.units[text] != nil, text != "one" { return "<number>" }
        return Words.stem(text)
    }

    private static let momentWords: Set<String> = [
        "noon", "midday", "midnight", "pm", "am", "half", "quarter", "past", "oclock", "o'clock",
    ]
}

/// FNV-1a; the same on every run, unlike `Hasher`, so that training gives the same model each time.
enum Hash {
    static func of(_ text: String, kind: UInt8) -> UInt64 { of(text.utf8, kind: kind) }

    static func of(_ bytes: some Sequence<UInt8>, kind: UInt8) -> UInt64 {
        var value: UInt64 = 0xcbf2_9ce4_8422_2325 ^ UInt64(kind) &* 0x9e37_79b9_7f4a_7c15
        for byte in bytes { value = (value ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return value
    }

    static func joined(_ left: UInt64, _ right: UInt64) -> UInt64 {
        (left &* 0x9e37_79b9_7f4a_7c15) ^ (right &+ 0x7f4a_7c15) &* 0x100_0000_01b3
    }
}
