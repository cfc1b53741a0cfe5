/// Cuts a message where one wish may end and the next begin. Whether a cut holds is for the caller to see: both sides must mean something.
struct ClauseSplitter: Sendable {
    /// Stems of verbs that begin a request, those of the brand's actions among them.
    let verbs: Set<String>

    private static let starters: Set<String> = [
        "i", "im", "id", "ill", "ive", "we", "you", "please", "can", "could", "would", "will", "do", "does", "is", "are", "what", "whats",
        "how",
        "when", "where", "who", "why", "which", "also", "lets", "let", "then", "tell", "give", "make", "my", "there", "should", "may",
        "thanks", "thank", "bye", "goodbye", "hi", "hello", "hey", "actually", "stop", "never", "nevermind", "cancel", "dont", "if",
    ]
    private static let conjunctions: Set<String> = ["and", "then", "also", "plus", "but", "&"]

    /// Sentences: ends of them are certain cuts. At most twelve; what follows belongs to the last.
    func sentences(_ tokens: Tokens) -> [Range<Int>] {
        var found: [Range<Int>] = []
        var start = 0
        for index in 0..<tokens.count where found.count < 11 {
            guard [".", "!", "?", ";", "…", "。", "！", "？"].contains(tokens.word(index)), !isInside(tokens, index) else { continue }
            if start < index { found.append(start..<index) }
            start = index + 1
        }
        if start < tokens.count { found.append(start..<tokens.count) }
        return found
    }

    /// `5.30`, `p.m.` and addresses are no ends.
    private func isInside(_ tokens: Tokens, _ index: Int) -> Bool {
        guard tokens.word(index) == "." else { return false }
        if let next = tokens[index + 1], next.isGlued, next.kind != .symbol { return true }
        if tokens.word(index - 1) == "m", tokens.word(index - 2) == "." { return tokens[index + 1] != nil }
        return tokens[index]?.isGlued == true && ["a", "p"].contains(tokens.word(index - 1))
    }

    /// Where a sentence may be cut further: after a comma or conjunction that a new clause follows. The tokens between are dropped.
    func cuts(_ tokens: Tokens, in range: Range<Int>) -> [Range<Int>] {
        var found: [Range<Int>] = []
        var index = range.lowerBound + 1
        while index < range.upperBound, found.count < 8 {
            let start = index
            while index < range.upperBound,
                Self.conjunctions.contains(tokens.word(index)) || tokens.word(index) == "," || tokens.word(index) == "-"
            { index += 1 }
            if index > start, index < range.upperBound {
                let word = Words.bare(tokens.word(index))
                if Self.starters.contains(word) || verbs.contains(Words.stem(word)) { found.append(start..<index) }
            }
            index = max(index, start + 1)
        }
        return found
    }
}
