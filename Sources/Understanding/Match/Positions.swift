/// Places in a list as people say them.
enum Positions {
    struct Place: Hashable {
        /// From 0.
        var index: Int
        var tokens: Range<Int>
        /// Said as a place (`#2`, `option 2`), not as a mere number.
        var isPlain: Bool
    }

    private static let nouns: Set<String> = ["one", "option", "choice", "item", "slot", "of", "please", "pls", "thanks"]

    /// `the second one`, `second`, `2nd`, `the last one`, `last`. Nil when it names no place of the list.
    static func ordinal(_ tokens: Tokens, count: Int, isAsked: Bool) -> Place? {
        guard count > 0 else { return nil }
        for index in 0..<min(tokens.count, 40) {
            guard let (position, length) = position(tokens, at: index, count: count) else { continue }
            let next = tokens.word(index + length)
            let isList = ["one", "option", "choice", "item", "slot"].contains(next)
            guard isList || isAsked && (next.isEmpty || tokens[index + length]?.kind == .symbol || nouns.contains(next)) else { continue }
            guard (0..<count).contains(position), !Words.isRefused(tokens, before: index) else { continue }
            return Place(index: position, tokens: index..<index + length + (isList ? 1 : 0), isPlain: true)
        }
        return nil
    }

    private static func position(_ tokens: Tokens, at index: Int, count: Int) -> (Int, Int)? {
        switch tokens.word(index) {
        case "last", "final", "bottom": return (count - 1, 1)
        case "former", "top": return (0, 1)
        case "latter": return count == 2 ? (1, 1) : nil
        case "middle": return count % 2 == 1 ? (count / 2, 1) : nil
        default:
            if tokens.word(index) == "second", tokens.word(index + 1) == "last" { return (count - 2, 2) }
            return NumberWords.ordinal(tokens, at: index).map { ($0.value - 1, $0.length) }
        }
    }

    /// `2`, `#2`, `option 2`, `number two`, with nothing else of weight in the text.
    static func number(_ tokens: Tokens, count: Int) -> Place? {
        let words = tokens.all.enumerated().filter { $0.element.kind != .symbol && !Words.fillers.contains($0.element.text) }
            .filter { !["option", "number", "choice", "no", "nr", "item"].contains($0.element.text) }
        let isKeycap = words.count == 1
        guard isKeycap, let index = words.first?.offset, let number = NumberWords.small(tokens, at: index),
            (1...max(count, 1)).contains(number.value), count > 0, tokens.count <= 8
        else { return nil }
        // `2pm`, `2%` and `-2` are no places.
        if let next = tokens[index + number.length], next.kind == .symbol, ["%", "/", ":", "$", "€", "£"].contains(next.text) {
            return nil
        }
        if ["-", "$", "€", "£"].contains(tokens.word(index - 1)) { return nil }
        let before = tokens.word(index - 1)
        return Place(
            index: number.value - 1, tokens: index..<index + number.length,
            isPlain: ["#", "option", "number", "choice", "no", "nr"].contains(before))
    }
}
