internal import Conversation

/// Hides what identifies a person in texts that are not meant for persons: telephone numbers however they are written, and e-mail
/// addresses. Ids, times, IP addresses and plain fractions identify nobody and stay.
package enum Masking {
    /// A telephone number has at least so many digits.
    private static let fewestDigits = 7
    /// The most separators between two digits of one number, as in `) - `.
    private static let longestGap = 3

    package static func mask(_ text: String) -> String {
        guard text.utf8.contains(where: { $0 == UInt8(ascii: "@") }) || hasManyDigits(text) else { return text }
        let words = text.split(separator: " ", omittingEmptySubsequences: false).map { isAddress($0) ? "•••@•••" : $0 }
        return maskNumbers(Array(words.joined(separator: " ")))
    }

    private static func hasManyDigits(_ text: String) -> Bool {
        var count = 0
        for scalar in text.unicodeScalars where isDigit(scalar) {
            count += 1
            if count == fewestDigits { return true }
        }
        return false
    }

    private static func isAddress(_ word: Substring) -> Bool {
        guard let at = word.firstIndex(of: "@"), at != word.startIndex else { return false }
        return word[at...].contains(".")
    }

    private static func maskNumbers(_ text: [Character]) -> String {
        var output = ""
        var position = 0
        while position < text.count {
            if let end = Harmless.end(in: text, from: position) {
                output += String(text[position..<end])
                position = end
            } else if isDigit(text[position]) {
                let end = numberEnd(in: text, from: position)
                let digits = text[position..<end].filter(isDigit)
                output += digits.count >= fewestDigits ? "•••" + String(digits.suffix(2)) : String(text[position..<end])
                position = end
            } else {
                output.append(text[position])
                position += 1
            }
        }
        return output
    }

    /// The index after the last digit of what begins at `start`, separators between its digits included. What is harmless ends it.
    private static func numberEnd(in text: [Character], from start: Int) -> Int {
        // After a `+` or `(` it is a telephone number, whatever its groups look like.
        let isMarked = start > 0 && "+(".contains(text[start - 1])
        var end = start + 1
        var position = end
        while position < text.count {
            if isDigit(text[position]) {
                if position > end, !isMarked, Harmless.end(in: text, from: position) != nil { break }
                position += 1
                end = position
            } else if position - end < longestGap, isSeparator(text[position]) {
                position += 1
            } else {
                break
            }
        }
        return end
    }

    static func isDigit(_ character: Character) -> Bool {
        character.unicodeScalars.count == 1 && character.unicodeScalars.allSatisfy(isDigit)
    }
    private static func isDigit(_ scalar: Unicode.Scalar) -> Bool {
        scalar.isASCII ? (48...57).contains(scalar.value) : scalar.properties.numericType == .decimal
    }

    /// What people write between the digits of a number; a colon or a comma separates numbers from each other.
    private static func isSeparator(_ character: Character) -> Bool {
        switch character {
        case " ", "-", ".", "(", ")", "\t", "\u{A0}", "\u{202F}", "\u{2009}", "\u{2010}", "\u{2011}", "\u{2013}": true
        default: false
        }
    }

    /// What has many digits and identifies nobody.
    private enum Harmless {
        /// The index after an id, a time, a day, an IP address or a fraction that begins at `start` and stands by itself; else nil.
        static func end(in text: [Character], from start: Int) -> Int? {
            guard start == 0 || !isWordlike(text[start - 1]) else { return nil }
            if let end = identifier(text, start) { return end }
            guard Masking.isDigit(text[start]), start == 0 || !"+(".contains(text[start - 1]) else { return nil }
            let length = text[start...].prefix { $0.isASCII && (isWordlike($0) || ".:-+".contains($0)) }.count
            var candidate = text[start..<(start + length)]
            while let last = candidate.last, ".:-+".contains(last) { candidate.removeLast() }
            return isTime(candidate) || isDay(candidate) || isFraction(candidate) || isIP(candidate) ? candidate.endIndex : nil
        }

        private static func isWordlike(_ character: Character) -> Bool { character.isLetter || character.isNumber }

        private static func identifier(_ text: [Character], _ start: Int) -> Int? {
            let end = start + 36
            guard end <= text.count, text[start + 8] == "-", end == text.count || !isWordlike(text[end]) else { return nil }
            return UniqueID(String(text[start..<end])) == nil ? nil : end
        }

        private static func isTime(_ word: ArraySlice<Character>) -> Bool {
            word.contains("T") && Timestamp(String(word)) != nil
        }

        /// `2026-11-21`; the time of day after it is a word of its own.
        private static func isDay(_ word: ArraySlice<Character>) -> Bool {
            word.count == 10 && Timestamp(String(word) + "T00:00:00Z") != nil
        }

        /// Seconds and confidences. Three digits or more before exactly four are a local number, `555.0107`.
        private static func isFraction(_ word: ArraySlice<Character>) -> Bool {
            guard let point = word.firstIndex(of: "."), word.count(where: { $0 == "." }) == 1, word.last?.isNumber == true else {
                return false
            }
            return point - word.startIndex <= 6 && Double(String(word)) != nil && word.allSatisfy { $0 == "." || $0.isNumber }
                && !(word.endIndex - point == 5 && point - word.startIndex >= 3)
        }

        private static func isIP(_ word: ArraySlice<Character>) -> Bool {
            let parts = (word.split(separator: ":", omittingEmptySubsequences: false).first ?? []).split(
                separator: ".", omittingEmptySubsequences: false)
            return parts.count == 4 && parts.allSatisfy { UInt8(String($0)) != nil }
        }
    }
}
