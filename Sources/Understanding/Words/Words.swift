internal import Text

/// Small facts about English words that several rules share.
enum Words {
    /// Politeness and padding that never tells one thing from another.
    static let fillers: Set<String> = [
        "a", "an", "the", "please", "pls", "plz", "i", "i'd", "id", "i'll", "ill", "i'm", "im", "me", "my", "we", "us", "would", "like",
        "want",
        "wanna", "to", "for", "it", "that", "this", "ok", "okay", "then", "so", "just", "let's", "lets", "go", "with", "take", "choose",
        "pick",
        "have", "get", "do", "be", "is", "one", "give", "can", "could", "you", "um", "uh", "hmm", "well", "yes", "thanks", "thank", "think",
        "prefer",
        "and", "or", "of", "in", "on", "at", "not", "no", "need", "some", "maybe", "select", "option",
    ]
    /// Words that stand in many names and many messages, so that meeting them says little.
    static let generic: Set<String> = [
        "the", "a", "an", "and", "of", "for", "with", "or", "in", "on", "at", "to", "appointment", "service", "booking", "book", "session",
    ]

    /// Without apostrophes and accents.
    static func bare(_ word: String) -> String {
        let plain = word.utf8.allSatisfy { $0 < 128 } ? word : Normalizer.foldWithoutAccents(word)
        return plain.contains("'") ? plain.filter { $0 != "'" } : plain
    }

    /// One form for singular, plural and possessive, and for British and American spelling of the commonest endings.
    static func stem(_ word: String) -> String {
        var plain = bare(word.hasSuffix("'s") ? String(word.dropLast(2)) : word)
        if plain.utf8.count > 3, plain.hasSuffix("ies") { return plain.dropLast(3) + "y" }
        if plain.utf8.count > 4, ["ches", "shes", "sses", "xes"].contains(where: plain.hasSuffix) { return String(plain.dropLast(2)) }
        if plain.utf8.count > 3, plain.hasSuffix("s"), !plain.hasSuffix("ss"), !plain.hasSuffix("us"), !plain.hasSuffix("is") {
            plain.removeLast()
        }
        if plain.utf8.count > 4, plain.hasSuffix("our") { return plain.dropLast(3) + "or" }
        return plain
    }

    /// The words between the padding at both ends: "I'd like the balayage please" → "balayage".
    static func withoutFillers(_ words: [String]) -> [String] {
        let head = words.drop { fillers.contains($0) }
        guard let last = head.lastIndex(where: { !fillers.contains($0) }) else { return words }
        return Array(head[...last])
    }

    /// "not", "no" or "instead of" stands close before.
    static func isRefused(_ tokens: Tokens, before start: Int) -> Bool {
        var index = start - 1
        while index >= 0, ["the", "a", "an", "want", "need", "like", "my", "any"].contains(tokens.word(index)) { index -= 1 }
        let (last, previous) = (tokens.word(index), tokens.word(index - 1))
        if ["not", "don't", "dont", "without", "except"].contains(last) { return true }
        return last == "of" && previous == "instead" || last == "than" && previous == "rather"
    }
}
