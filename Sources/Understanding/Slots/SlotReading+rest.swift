internal import Conversation

extension SlotReading {
    /// Words that point at things without naming any, besides the function words of the language.
    private static let pointers: Set<String> = Set(
        """
        something anything thing stuff available interested interesting near nearby around currently today right new another other also maybe
        me there kind sort help try tell give got possible
        """.split(whereSeparator: \.isWhitespace).map { Words.stem(String($0)) })

    /// The tokens that say what a wish is about: no value yet, no padding, and none of the words by which the action itself is called.
    func restTokens() -> [Int] {
        let own = Set(request.vocabulary.flatMap { Tokens($0).all }.filter { $0.kind == .word }.map { Words.stem($0.text) })
        let concepts = Set(own.compactMap { Concepts.byStem[$0] })
        return tokens.all.indices.filter { index in
            let token = tokens.all[index]
            guard token.kind != .symbol, !isTaken[index], !isRefused(index) else { return false }
            let stem = Words.stem(token.text)
            if isName(index), !own.contains(stem) { return true }
            if Words.fillers.contains(token.text) || Concepts.functionWords.contains(stem) || Self.pointers.contains(stem) { return false }
            return !own.contains(stem) && !(Concepts.byStem[stem].map(concepts.contains) ?? false)
        }
    }

    /// "Not in sales" refuses as "not sales" does.
    private func isRefused(_ index: Int) -> Bool {
        var start = index
        while ["in", "at", "with", "for", "as", "near", "from"].contains(tokens.word(start - 1)) { start -= 1 }
        return Words.isRefused(tokens, before: start)
    }

    /// Written like the name of something, in the middle of a sentence: the "New" of "in New York".
    private func isName(_ index: Int) -> Bool {
        guard index > 0, let before = tokens[index - 1], before.kind != .symbol else { return false }
        let raw = tokens.raw(index..<index + 1)
        return raw.count > 1 && raw.first?.isUppercase == true && raw.dropFirst().allSatisfy(\.isLowercase)
    }

    /// Gives the rest of a wish to the text parameter that takes it: "any remote jobs" searches for "remote". An answer to a question is
    /// no wish, and words that do not fit the parameter are no reason to ask.
    mutating func readRest() {
        guard request.expecting == nil, let parameter = receivers(.text).first(where: \.takesRest) else { return }
        let rest = restTokens()
        let text = rest.map { tokens.raw($0..<$0 + 1) }.joined(separator: " ")
        guard !text.isEmpty else { return }
        let entity = checked(parameter, value: text, raw: text)
        guard entity.value != nil else { return }
        for index in rest { take(index..<index + 1) }
        found[parameter.name] = entity
    }
}
