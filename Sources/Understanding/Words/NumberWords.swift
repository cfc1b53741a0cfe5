/// English numbers in words, cardinal and ordinal.
enum NumberWords {
    static let units: [String: Int] = [
        "zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
        "eleven": 11,
        "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16, "seventeen": 17, "eighteen": 18, "nineteen": 19,
    ]
    static let tens: [String: Int] = [
        "twenty": 20, "thirty": 30, "forty": 40, "fourty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
    ]
    static let ordinals: [String: Int] = [
        "first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8, "ninth": 9, "tenth": 10,
        "eleventh": 11, "twelfth": 12, "thirteenth": 13, "fourteenth": 14, "fifteenth": 15, "sixteenth": 16, "seventeenth": 17,
        "eighteenth": 18, "nineteenth": 19, "twentieth": 20, "thirtieth": 30,
    ]

    /// A value and how many tokens it takes.
    struct Reading: Hashable {
        var value: Int
        var length: Int
    }

    /// Digits or words below one hundred: `5`, `five`, `twenty five`, `twenty-five`.
    static func small(_ tokens: Tokens, at index: Int) -> Reading? {
        guard let token = tokens[index] else { return nil }
        if token.kind == .number { return token.value.map { Reading(value: $0, length: 1) } }
        if let unit = units[token.text] { return Reading(value: unit, length: 1) }
        guard let ten = tens[token.text] else { return nil }
        let dash = tokens.word(index + 1) == "-" ? 1 : 0
        if let unit = units[tokens.word(index + 1 + dash)], (1...9).contains(unit) { return Reading(value: ten + unit, length: 2 + dash) }
        return Reading(value: ten, length: 1)
    }

    /// `3rd`, `third`, `twenty-first`.
    static func ordinal(_ tokens: Tokens, at index: Int) -> Reading? {
        guard let token = tokens[index] else { return nil }
        if token.kind == .number {
            guard let value = token.value, let suffix = tokens[index + 1], suffix.isGlued, ["st", "nd", "rd", "th"].contains(suffix.text)
            else { return nil }
            return Reading(value: value, length: 2)
        }
        if let value = ordinals[token.text] { return Reading(value: value, length: 1) }
        guard let ten = tens[token.text] else { return nil }
        let dash = tokens.word(index + 1) == "-" ? 1 : 0
        guard let unit = ordinals[tokens.word(index + 1 + dash)], unit < 10 else { return nil }
        return Reading(value: ten + unit, length: 2 + dash)
    }

    /// Words up to the millions: `two hundred and fifty`, `a thousand`, `a dozen`, `a couple of`. No digits.
    static func spelled(_ tokens: Tokens, at start: Int) -> Reading? {
        var index = start
        if ["a", "an"].contains(tokens.word(index)) {
            switch tokens.word(index + 1) {
            case "dozen": return Reading(value: 12, length: 2)
            case "couple": return Reading(value: 2, length: tokens.word(index + 2) == "of" ? 3 : 2)
            case "hundred", "thousand", "million": break
            default: return nil
            }
        }
        var (total, group, seen) = (0, 0, false)
        while let token = tokens[index], total < 1_000_000_000 {
            if token.kind == .word, let part = small(tokens, at: index) {
                guard !seen || group % 100 == 0 else { break }
                group += part.value
                index += part.length
            } else if token.text == "hundred", group < 100 {
                group = max(group, 1) * 100
                index += 1
            } else if token.text == "thousand" || token.text == "million" {
                total += max(group, 1) * (token.text == "thousand" ? 1000 : 1_000_000)
                group = 0
                index += 1
            } else if token.text == "and", seen, small(tokens, at: index + 1) != nil, tokens[index + 1]?.kind == .word,
                group >= 100 || total > 0
            {
                index += 1
                continue
            } else if !seen, ["a", "an"].contains(token.text) {
                index += 1
                continue
            } else {
                break
            }
            seen = true
        }
        return seen ? Reading(value: total + group, length: index - start) : nil
    }
}
