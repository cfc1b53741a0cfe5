internal import Conversation

/// Which of a brand's actions a model is shown: all of them while they are few, else those that fit the message best.
struct ActionRetrieval: Sendable {
    /// A prompt with more costs more and is read worse.
    static let most = 20

    private struct Entry: Sendable {
        let action: ActionDefinition
        /// Stems of its names and description, and of its examples.
        let names: Set<String>
        let examples: Set<String>
    }

    private let entries: [Entry]
    private let rarity: [String: Double]
    private let popular: [String]

    init(actions: [ActionDefinition], popular: [String]) {
        entries = actions.map { action in
            let names = [action.canonicalName, action.displayName, action.description] + action.synonyms + action.params.map(\.name)
            return Entry(action: action, names: Self.stems(names), examples: Self.stems(action.examples))
        }
        self.popular = popular
        var counts: [String: Int] = [:]
        for entry in entries { for stem in entry.names.union(entry.examples) { counts[stem, default: 0] += 1 } }
        // What every action is called by tells none of them.
        rarity = counts.mapValues { 1 / Double($0) }
    }

    /// In the order of the configuration. The active action, what the embedded classifier found, and the popular actions are always there.
    func actions(for text: String, active: String?, found: [String]) -> [ActionDefinition] {
        guard entries.count > Self.most else { return entries.map(\.action) }
        let words = Self.stems([text])
        let always = [active].compactMap { $0 } + found.prefix(6) + popular.prefix(7)
        var chosen: Set<Int> = []
        for name in always where chosen.count < Self.most {
            if let index = entries.firstIndex(where: { $0.action.canonicalName == name }) { chosen.insert(index) }
        }
        let ranked = entries.indices.filter { !chosen.contains($0) }.map { ($0, score(entries[$0], words)) }
            .sorted { ($1.1, $0.0) < ($0.1, $1.0) }
        for (index, _) in ranked where chosen.count < Self.most { chosen.insert(index) }
        return chosen.sorted().map { entries[$0].action }
    }

    private func score(_ entry: Entry, _ words: Set<String>) -> Double {
        words.reduce(0) { sum, word in
            let weight = rarity[word] ?? 0
            return sum + (entry.names.contains(word) ? 2 * weight : 0) + (entry.examples.contains(word) ? weight : 0)
        }
    }

    /// With the concept of a word beside the word itself, so that "reserve" finds "book".
    private static func stems(_ texts: [String]) -> Set<String> {
        var stems: Set<String> = []
        for text in texts {
            let plain = text.replacing("_", with: " ")
            for token in Tokens(plain).all where token.kind == .word {
                let stem = Words.stem(token.text)
                guard !Concepts.functionWords.contains(stem) else { continue }
                stems.insert(stem)
                if let concept = Concepts.byStem[stem] { stems.insert("concept:\(concept)") }
            }
        }
        return stems
    }
}
