/// Counts tokens without a model's own vocabulary: close enough to plan with and to stand in where an endpoint reports nothing.
package enum ModelTokens {
    /// Four ASCII characters make about one token; every other character counts as one. Zero only for no text at all.
    package static func estimate(_ text: String) -> Int {
        var (ascii, others) = (0, 0)
        for scalar in text.unicodeScalars {
            if scalar.isASCII { ascii += 1 } else { others += 1 }
        }
        return (ascii + 3) / 4 + others
    }

    /// The beginning of a text, at most so many tokens of it; cut between words where there is one near the cut.
    package static func prefix(_ text: String, _ tokens: Int) -> String {
        guard tokens > 0 else { return "" }
        var (quarters, end) = (0, text.startIndex)
        for index in text.indices {
            quarters += text[index].unicodeScalars.reduce(0) { $0 + ($1.isASCII ? 1 : 4) }
            if quarters > 4 * tokens { break }
            end = text.index(after: index)
        }
        if end == text.endIndex { return text }
        let cut = text[..<end]
        let near = cut.index(cut.endIndex, offsetBy: -24, limitedBy: cut.startIndex) ?? cut.startIndex
        if let space = cut[near...].lastIndex(where: \.isWhitespace) { return String(cut[..<space]) }
        return String(cut)
    }

    /// The newest lines that fit, oldest first; of a line that alone is too long, its beginning.
    package static func latest(_ lines: [HistoryLine], _ tokens: Int) -> [HistoryLine] {
        var kept: [HistoryLine] = []
        var left = tokens
        for line in lines.reversed() {
            let needed = estimate(line.text) + perLine
            if needed > left {
                let rest = kept.isEmpty ? prefix(line.text, left - perLine) : ""
                if !rest.isEmpty { kept.append(HistoryLine(speaker: line.speaker, text: rest)) }
                break
            }
            kept.append(line)
            left -= needed
        }
        return kept.reversed()
    }

    /// What a line costs besides its words.
    package static let perLine = 4
}
