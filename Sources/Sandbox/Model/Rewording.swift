/// Says the same in slightly other words. Numbers, names, times and outcomes stay as they are, so that nothing becomes untrue.
enum Rewording {
    /// Only words that carry no fact.
    private static let replacements = [
        ("I'm", "I am"), ("I've", "I have"), ("I'll", "I will"), ("I'd", "I would"), ("can't", "cannot"), ("couldn't", "could not"),
        ("don't", "do not"), ("didn't", "did not"), ("isn't", "is not"), ("wasn't", "was not"), ("won't", "will not"),
        ("That's", "That is"), ("that's", "that is"), ("It's", "It is"), ("it's", "it is"), ("What's", "What is"), ("what's", "what is"),
        ("Here's", "Here is"), ("There's", "There is"), ("there's", "there is"), ("Let's", "Let us"),
    ]

    static func of(_ text: String) -> String {
        replacements.reduce(text) { text, pair in
            text.replacing(pair.0, with: pair.1).replacing(pair.0.replacing("'", with: "’"), with: pair.1)
        }
    }
}
