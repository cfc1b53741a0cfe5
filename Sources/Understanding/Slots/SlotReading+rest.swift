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
            guard token.kind != .symbol, !isTaken[index], !Words.isRefused(tokens, before: index) else { return false }
            let stem = Words.stem(token.text)
            if Words.fillers.contains(token.text) || Concepts.functionWords.contains(stem) || Self.pointers.contains(stem) { return false }
            return !own.contains(stem) && !(Concepts.byStem[stem].map(concepts.contains) ?? false)
        }
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
