internal import Conversation

/// What a conversation is about, without a model: the categories of what was asked for, then words that the customer keeps using. Pure.
struct EmbeddedTopics {
    static let most = 5

    let material: SummaryMaterial
    let configuration: BrandConfiguration

    var list: [String] {
        var topics: [String] = []
        for topic in Self.byFrequency(categories) + Self.byFrequency(words, atLeast: 2) where !topics.contains(topic) {
            topics.append(topic)
        }
        return Array(topics.prefix(Self.most))
    }

    private var categories: [String] {
        material.intents.compactMap { entry in
            guard entry.intentType == .action else { return nil }
            return configuration.action(named: entry.canonicalIntent)?.category.lowercased()
        }.filter { !$0.isEmpty }
    }

    private var words: [String] {
        var words: [String] = []
        for line in material.lines where line.speaker == .customer {
            for piece in line.text.lowercased().split(whereSeparator: { !$0.isLetter && $0 != "'" && $0 != "-" }) {
                let word = String(piece.trimmingPrefix(while: { !$0.isLetter }))
                if (4...30).contains(word.count), !Self.common.contains(word) { words.append(word) }
            }
        }
        return words
    }

    /// The most frequent first; of equals, the one that came first.
    private static func byFrequency(_ items: [String], atLeast least: Int = 1) -> [String] {
        var counts: [String: (count: Int, first: Int)] = [:]
        for (place, item) in items.enumerated() { counts[item, default: (0, place)].count += 1 }
        let frequent = counts.filter { $0.value.count >= least }
        return frequent.sorted { left, right in
            if left.value.count != right.value.count { return left.value.count > right.value.count }
            return left.value.first < right.value.first
        }.map(\.key)
    }

    /// Words of at least four letters that say nothing about what is meant.
    private static let common: Set<String> = Set(
        """
        about after again also always another anything around away back because been before being best better between both bring call came \
        cannot can't come could couldn't didn't does doesn't doing done don't down each else even ever every everything find first from \
        gets give given goes going gone good great happen have haven't having hello help here hers herself hey himself how's i'll i've into \
        isn't it's itself just keep kind know last later less let's like little long look made make many maybe mean might mine more most \
        much must name need needs never next nice none nothing okay once only other ours over please really right said same says see seem \
        send she's should show since some someone something soon sorry still such sure take tell than thank thanks that that's their them \
        then there there's these they they're thing things think this those though through time today together tomorrow tonight took under \
        until upon used very want wants wasn't week well went were we're what what's when where which while whole whom whose will with \
        without won't would wouldn't year yes yesterday your yours you're yourself
        """.split(separator: " ").map(String.init))
}
