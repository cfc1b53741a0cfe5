/// "don't book anything" is no wish to book.
enum Negation {
    private static let negators: Set<String> = ["dont", "not", "never", "didnt", "doesnt", "wont", "wouldnt", "neither"]
    /// After a negator: the sentence means something else than refusing.
    private static let harmless: Set<String> = [
        "forget", "hesitate", "know", "have", "see", "find", "remember", "sure", "understand", "you", "only", "receive", "get", "work",
        "got",
    ]
    private static let between: Set<String> = [
        "want", "to", "you", "please", "ever", "need", "like", "wish", "going", "to", "me", "have", "a", "an", "the", "any", "my", "do",
        "make", "anyone", "it", "think", "should", "i", "we", "longer", "be",
    ]

    static func isRefusal(_ words: [String], verbs: Set<String>) -> Bool {
        for (index, word) in words.prefix(40).enumerated() {
            let isNegator = negators.contains(word) || word == "longer" && index > 0 && words[index - 1] == "no"
            guard isNegator, index == 0 || !["why", "if", "cant", "could", "can", "would", "or", "whether"].contains(words[index - 1])
            else { continue }
            if words.dropFirst(index + 1).first.map(harmless.contains) == true { continue }
            if index > 1, words[index - 1] == "do", words[index - 2] == "why" { continue }
            for next in words.dropFirst(index + 1).prefix(6) {
                if verbs.contains(Words.stem(next)) { return true }
                guard between.contains(next) else { break }
            }
        }
        return false
    }
}
