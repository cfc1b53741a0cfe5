internal import Text

/// Finds which option of a list some words mean. The ways of meaning one are tried in order and never mixed: exact, ordinal, number, then
/// words contained in the text, then words that are nearly those of an option.
struct ChoiceMatcher: Sendable {
    struct Candidate: Sendable, Hashable {
        /// Into the options.
        var index: Int
        /// `0...1`.
        var score: Double
        /// The tokens that mean it.
        var tokens: Range<Int>
    }

    enum Outcome: Sendable, Hashable {
        case none
        case one(Candidate)
        /// Within 0.05 of each other, best first.
        case several([Candidate])
    }

    private struct Name: Sendable {
        var option: Int
        var folded: String
        var stems: [String]
        var content: [String]
        var isLabel: Bool
    }

    private let names: [Name]
    private let count: Int
    private let weights: [String: Double]

    /// `options`: for each the names it goes by, its label first.
    init(_ options: [[String]]) {
        count = options.count
        var names: [Name] = []
        var frequency: [String: Int] = [:]
        for (index, option) in options.enumerated() {
            var seen: Set<String> = []
            for (place, name) in option.prefix(16).enumerated() {
                let words = Tokens(String(name.prefix(128))).all.filter { $0.kind != .symbol }.map { Words.stem($0.text) }
                guard !words.isEmpty || !name.isEmpty else { continue }
                let informative = words.filter { !Words.generic.contains($0) }
                let content = informative.isEmpty ? words : informative
                seen.formUnion(content)
                names.append(Name(option: index, folded: Self.key(name), stems: words, content: content, isLabel: place == 0))
            }
            for word in seen { frequency[word, default: 0] += 1 }
        }
        self.names = names
        let total = Double(max(1, options.count))
        weights = frequency.mapValues { 0.3 + (1 - Double($0 - 1) / total) }
    }

    /// The text in the form in which equality counts: words only, without case, accents and signs.
    static func key(_ text: String) -> String {
        let words = Tokens(text).all.filter { $0.kind != .symbol }
        // Options made of signs alone, such as emoji, are compared as they are.
        guard !words.isEmpty else { return Normalizer.foldWithoutAccents(text) }
        return words.map { Words.bare($0.text) }.joined(separator: " ")
    }

    /// All options whose whole name is the whole text, fillers such as "please" aside.
    func exact(_ tokens: Tokens) -> [Int] {
        let whole = Self.key(tokens.source)
        let words = tokens.all.filter { $0.kind != .symbol }.map { Words.bare($0.text) }
        let stripped = Words.withoutFillers(words).joined(separator: " ")
        let byLabel = names.filter { $0.isLabel && ($0.folded == whole || $0.folded == stripped) }.map(\.option)
        if !byLabel.isEmpty { return Self.unique(byLabel) }
        return Self.unique(names.filter { $0.folded == whole || $0.folded == stripped }.map(\.option))
    }

    /// The option that a text means. `shown` holds indexes in the order shown, for ordinals and numbers; these count only when the
    /// question was asked, or when the words are plainly about a list ("the second one").
    func match(_ tokens: Tokens, shown: [Int], isAsked: Bool) -> Outcome {
        let all = 0..<max(tokens.count, 1)
        if isAsked {
            let exact = exact(tokens)
            if !exact.isEmpty { return Self.outcome(exact.map { Candidate(index: $0, score: 1, tokens: all) }) }
        }
        if let place = Positions.ordinal(tokens, count: shown.count, isAsked: isAsked) {
            return .one(Candidate(index: shown[place.index], score: 0.97, tokens: place.tokens))
        }
        if isAsked, let place = Positions.number(tokens, count: shown.count) { return numbered(place, shown: shown, tokens) }
        let contained = contained(tokens)
        if !contained.isEmpty { return Self.outcome(contained) }
        let similar = similar(tokens, isAsked: isAsked)
        if similar.isEmpty, isAsked, let told = telling(tokens) { return .one(told) }
        return Self.outcome(similar)
    }

    /// The only option that has a word of the text in its name, when that word stands in no other: "the manicure" among
    /// "Massage on Wed, Mar 17 at 10:00 AM" and "Manicure on Wed, Mar 17 at 2:00 PM".
    private func telling(_ tokens: Tokens) -> Candidate? {
        var options: [Int: Int] = [:]
        for (index, token) in tokens.all.enumerated() where token.kind == .word && token.text.count >= 3 {
            let stem = Words.stem(token.text)
            guard !Words.fillers.contains(stem), !Words.isRefused(tokens, before: index) else { continue }
            let holders = Set(names.filter { $0.content.contains(stem) }.map(\.option))
            if holders.count == 1, let only = holders.first { options[only] = index }
        }
        guard options.count == 1, let (option, index) = options.first else { return nil }
        return Candidate(index: option, score: 0.6, tokens: index..<index + 1)
    }

    /// Options in whose names all of these stems stand.
    func holders(of stems: [String]) -> [Int] {
        guard !stems.isEmpty else { return [] }
        return (0..<count).filter { option in
            let own = Set(names.filter { $0.option == option }.flatMap(\.content))
            return stems.allSatisfy(own.contains)
        }
    }

    /// A bare number is a position, unless it also stands in exactly one other option's name: then nobody can tell.
    private func numbered(_ place: Positions.Place, shown: [Int], _ tokens: Tokens) -> Outcome {
        let position = Candidate(index: shown[place.index], score: 0.95, tokens: place.tokens)
        let digits = String(place.index + 1)
        let named = Self.unique(names.filter { $0.stems.contains(digits) }.map(\.option))
        guard named.count == 1, let other = named.first, other != position.index, !place.isPlain else { return .one(position) }
        return .several([position, Candidate(index: other, score: 0.95, tokens: place.tokens)])
    }

    /// Options whose whole name stands in the text. A longer name takes the words of a shorter one inside it.
    func contained(_ tokens: Tokens) -> [Candidate] {
        let words = tokens.all.map { $0.kind == .symbol ? $0.text : Words.stem($0.text) }
        var hits: [(Candidate, Int)] = []
        for name in names where !name.stems.isEmpty && name.stems != ["no"] {
            guard let range = Self.find(name.stems, in: words), !Words.isRefused(tokens, before: range.lowerBound) else { continue }
            hits.append((Candidate(index: name.option, score: name.isLabel ? 0.96 : 0.93, tokens: range), name.stems.count))
        }
        let longest = hits.filter { hit in
            !hits.contains { $0.0.tokens.count > hit.0.tokens.count && $0.0.tokens.overlaps(hit.0.tokens) && $0.0.index != hit.0.index }
        }
        var best: [Int: Candidate] = [:]
        for (hit, _) in longest where (best[hit.index]?.score ?? 0) < hit.score { best[hit.index] = hit }
        return best.values.sorted { ($0.score, $1.index) > ($1.score, $0.index) }
    }

    private static func find(_ name: [String], in words: [String]) -> Range<Int>? {
        guard let first = name.first else { return nil }
        for start in words.indices where words[start] == first {
            var index = start
            var matched = 0
            while matched < name.count, index < words.count {
                if words[index] == name[matched] {
                    matched += 1
                } else if !["-", "&", "'", "/", ".", ","].contains(words[index]) {
                    break
                }
                index += 1
            }
            if matched == name.count { return start..<index }
        }
        return nil
    }

    /// Options some of whose words, or words nearly theirs, stand in the text.
    private func similar(_ tokens: Tokens, isAsked: Bool) -> [Candidate] {
        let words = tokens.all.enumerated().filter { $0.element.kind != .symbol }
            .map { (index: $0.offset, stem: Words.stem($0.element.text)) }
            .filter { !Words.fillers.contains($0.stem) && !Words.isRefused(tokens, before: $0.index) }
        guard !words.isEmpty else { return [] }
        var best: [Int: Candidate] = [:]
        // Comparing letter by letter pays only for short texts, and typos matter only there.
        let isShort = words.count <= 24
        for name in names {
            var (sum, weight, places) = (0.0, 0.0, [Int]())
            for part in name.content {
                let importance = weights[part] ?? 1
                weight += importance
                guard let hit = Self.nearest(part, words, isShort: isShort) else { continue }
                sum += importance * hit.score
                places.append(hit.index)
            }
            guard let first = places.min(), let last = places.max(), weight > 0 else { continue }
            let score = sum / weight * (name.isLabel ? 0.92 : 0.9)
            let candidate = Candidate(index: name.option, score: score, tokens: first..<last + 1)
            if (best[name.option]?.score ?? 0) < score { best[name.option] = candidate }
        }
        // One telling word of three, with a slip, still counts; it is confirmed later.
        return best.values.filter { $0.score >= (isAsked ? 0.22 : 0.25) }.sorted { ($0.score, $1.index) > ($1.score, $0.index) }
    }

    private static func nearest(_ part: String, _ words: [(index: Int, stem: String)], isShort: Bool) -> (index: Int, score: Double)? {
        if let equal = words.first(where: { $0.stem == part }) { return (equal.index, 1) }
        guard isShort, part.utf8.count >= 4 else { return nil }
        var best: (index: Int, score: Double)?
        for word in words where word.stem.utf8.count >= 4 && abs(word.stem.utf8.count - part.utf8.count) <= 4 {
            var score = 0.0
            if word.stem.hasPrefix(part) || part.hasPrefix(word.stem) {
                score = 0.88
            } else if word.stem.utf8.first == part.utf8.first || part.utf8.count >= 6 {
                let distance = EditDistance.distance(word.stem, part)
                let longer = max(word.stem.count, part.count)
                if distance <= (longer >= 8 ? 2 : 1) { score = 0.95 - 0.07 * Double(distance) }
            }
            if score > best?.score ?? 0 { best = (word.index, score) }
        }
        return best
    }

    private static func outcome(_ candidates: [Candidate]) -> Outcome {
        guard let first = candidates.first else { return .none }
        let near = candidates.filter { $0.score > first.score - 0.05 }
        return near.count == 1 ? .one(first) : .several(Array(near.prefix(5)))
    }

    private static func unique(_ indexes: [Int]) -> [Int] {
        var seen: Set<Int> = []
        return indexes.filter { seen.insert($0).inserted }
    }
}
