import Conversation

/// Counts tokens in a way that anybody can do again: each word is one, and so is each other visible character.
enum TokenCount {
    /// Around each message of a chat.
    static let perMessage = 4
    /// Once for the answer that is asked for.
    static let perRequest = 3

    static func of(_ text: String) -> Int { ends(text).count }

    static func of(_ messages: [ChatMessage]) -> Int {
        messages.reduce(perRequest) { $0 + perMessage + of($1.text) }
    }

    /// The text up to the end of its `count`-th token; all of it when it has no more.
    static func prefix(_ text: String, _ count: Int) -> String {
        let ends = ends(text)
        guard ends.count > count else { return text }
        return count == 0 ? "" : String(text[..<ends[count - 1]])
    }

    /// Where each token ends.
    private static func ends(_ text: String) -> [String.Index] {
        var ends: [String.Index] = []
        var isInWord = false
        for index in text.indices {
            let character = text[index]
            let isWord = character.isLetter || character.isNumber
            if character.isWhitespace {
                isInWord = false
            } else if isWord && isInWord {
                ends[ends.count - 1] = text.index(after: index)
            } else {
                ends.append(text.index(after: index))
                isInWord = isWord
            }
        }
        return ends
    }
}
