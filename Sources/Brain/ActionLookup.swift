import Conversation

/// Finds the action that a candidate name means: exact over all candidates, then synonym, then fuzzy.
struct ActionLookup: Sendable {
    struct Match: Sendable {
        var action: ActionDefinition
        var type: IntentLedgerEntry.MatchType
        var candidate: String
        /// `0.8...1`.
        var similarity: Double
    }

    /// Names at least this much alike may be the same.
    static let threshold = 0.8

    let actions: [ActionDefinition]

    func find(_ candidates: [String]) -> Match? {
        let names = candidates.prefix(3).map(Self.normalized).filter { !$0.isEmpty }
        for name in names {
            if let action = actions.first(where: { Self.normalized($0.canonicalName) == name }) {
                return Match(action: action, type: .exact, candidate: name, similarity: 1)
            }
        }
        for name in names {
            if let action = actions.first(where: { $0.synonyms.contains { Self.normalized($0) == name } }) {
                return Match(action: action, type: .synonym, candidate: name, similarity: 1)
            }
        }
        return fuzzy(names)
    }

    private func fuzzy(_ names: [String]) -> Match? {
        var best: Match?
        for name in names {
            for action in actions {
                for other in ([action.canonicalName] + action.synonyms).map(Self.normalized) where !Self.areOpposite(name, other) {
                    let similarity = EditDistance.similarity(name, other)
                    guard similarity >= Self.threshold, similarity > best?.similarity ?? 0 else { continue }
                    best = Match(action: action, type: .fuzzy, candidate: name, similarity: similarity)
                }
            }
        }
        return best
    }

    static func normalized(_ name: String) -> String {
        name.lowercased().split { !($0.isLetter || $0.isNumber) }.joined(separator: "_")
    }

    /// Whether two names differ by a negation: a prefix such as `un`, a word such as `cancel`, or an opposite such as in and out.
    static func areOpposite(_ left: String, _ right: String) -> Bool {
        let left = words(left)
        let right = words(right)
        if left == right { return false }
        if Set(left).intersection(negatingWords) != Set(right).intersection(negatingWords) { return true }
        return left.contains { word in !right.contains(word) && right.contains { !left.contains($0) && negates(word, $0) } }
    }

    private static func negates(_ left: String, _ right: String) -> Bool {
        if opposites.contains([left, right]) { return true }
        let (short, long) = left.count < right.count ? (left, right) : (right, left)
        if short.count >= 3, short.count < long.count, long.hasSuffix(short) { return true }
        for prefix in prefixes {
            for (word, other) in [(left, right), (right, left)] where word.hasPrefix(prefix) && word.count > prefix.count + 2 {
                let stem = String(word.dropFirst(prefix.count))
                if !other.hasPrefix(prefix), EditDistance.similarity(stem, other) >= 0.75 { return true }
                for second in prefixes where second != prefix && other.hasPrefix(second) {
                    if EditDistance.similarity(stem, String(other.dropFirst(second.count))) >= 0.75 { return true }
                }
            }
        }
        return false
    }

    private static func words(_ name: String) -> [String] { name.split(separator: "_").map(String.init) }

    private static let prefixes = ["un", "de", "dis", "in", "im", "non", "re", "en", "anti"]
    private static let negatingWords: Set<String> = [
        "cancel", "remove", "delete", "undo", "stop", "no", "not", "non", "dont", "un", "de", "dis", "revoke", "reject", "decline",
        "refuse",
    ]
    private static let opposites: Set<Set<String>> = [
        ["in", "out"], ["on", "off"], ["up", "down"], ["open", "close"], ["start", "end"], ["add", "drop"], ["accept", "reject"],
        ["enable", "disable"], ["increase", "decrease"], ["login", "logout"], ["checkin", "checkout"], ["buy", "sell"], ["send", "get"],
        ["block", "unblock"], ["deposit", "withdraw"], ["import", "export"], ["hide", "show"],
    ]
}

enum EditDistance {
    /// 1 for equal texts, 0 for texts with nothing in common: the Levenshtein distance by the longer length.
    /// Names are cut at 128 characters.
    static func similarity(_ left: String, _ right: String) -> Double {
        let left = Array(left.prefix(128))
        let right = Array(right.prefix(128))
        let longest = max(left.count, right.count)
        return longest == 0 ? 1 : 1 - Double(distance(left, right)) / Double(longest)
    }

    private static func distance(_ left: [Character], _ right: [Character]) -> Int {
        var row = Array(0...right.count)
        for (i, character) in left.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, other) in right.enumerated() {
                let replaced = diagonal + (character == other ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(replaced, row[j] + 1, diagonal + 1)
            }
        }
        return row[right.count]
    }
}
