internal import Conversation
internal import Text

extension EmbeddedClassifier {
    /// What a text wants when no question is open: sentence by sentence, cut further where both halves mean something of their own.
    func wishes(_ tokens: Tokens) -> [DetectedIntent] {
        let sentences = splitter.sentences(tokens)
        guard !sentences.isEmpty else { return [signs(tokens)] }
        var found: [DetectedIntent] = []
        for sentence in sentences { found += clauses(tokens, in: sentence) }
        return tidied(found, tokens)
    }

    /// One sentence, cut where it holds. Goes from left to right once, so the work grows with the number of cuts and not with
    /// their choices.
    func clauses(_ tokens: Tokens, in range: Range<Int>) -> [DetectedIntent] {
        var found: [DetectedIntent] = []
        var start = range.lowerBound
        let whole = single(tokens, range)
        switch whole.source {
        case .classifier, .model: break
        case .answerSheet, .rule: return [whole]
        // A brand's pattern is found somewhere in the sentence and does not speak for all of it.
        case .pattern: return sureWishes(tokens, in: range) ?? [whole]
        }
        if let (first, rest) = opening(tokens, range) {
            if first.type != .response { found.append(first) }
            start = rest.lowerBound
        }
        let cuts = splitter.cuts(tokens, in: range).filter { $0.lowerBound > start }
        for (index, cut) in cuts.enumerated() {
            let end = index + 1 < cuts.count ? cuts[index + 1].lowerBound : range.upperBound
            let (left, right) = (single(tokens, start..<cut.lowerBound), single(tokens, cut.upperBound..<end))
            // Thanks behind a wish in one breath are politeness, not a word of their own.
            if right.type == .gratitude, end == range.upperBound, left.type == .action || left.type == .help { return found + [left] }
            guard holds(left, right) else { continue }
            found.append(left)
            start = cut.upperBound
        }
        return found + [start == range.lowerBound ? whole : single(tokens, start..<range.upperBound)]
    }

    /// The parts of a sentence when each is surely a wish of its own, as in "create my profile and apply for the cook's job"; nil otherwise.
    private func sureWishes(_ tokens: Tokens, in range: Range<Int>) -> [DetectedIntent]? {
        for cut in splitter.cuts(tokens, in: range) {
            let (left, right) = (single(tokens, range.lowerBound..<cut.lowerBound), single(tokens, cut.upperBound..<range.upperBound))
            guard left.type == .action, right.type == .action, left.confidence >= 0.7, right.confidence >= 0.7, holds(left, right) else {
                continue
            }
            return [left] + (sureWishes(tokens, in: cut.upperBound..<range.upperBound) ?? [right])
        }
        return nil
    }

    /// A cut holds when both sides are sure of meaning different things.
    private func holds(_ left: DetectedIntent, _ right: DetectedIntent) -> Bool {
        guard left.type != .unknown, right.type != .unknown, left.confidence >= 0.55, right.confidence >= 0.55 else { return false }
        let isSame = left.type == right.type && left.candidates.first == right.candidates.first && left.signal == right.signal
        return !isSame
    }

    /// Greeting, thanks, yes or no before the matter itself: "hi can you book…".
    func opening(_ tokens: Tokens, _ range: Range<Int>) -> (DetectedIntent, Range<Int>)? {
        let kept = range.filter { tokens[$0]?.kind != .symbol || tokens.word($0).utf8.first.map { $0 >= 128 } == true }
        let words = kept.map { Words.bare(tokens.word($0)) }
        let (greeting, thanks) = (Answers.greetings.length(in: words, at: 0), Answers.gratitude.length(in: words, at: 0))
        let yes = Answers.yes.length(in: words, at: 0)
        let length = max(greeting, thanks, yes)
        guard length > 0, length < words.count else { return nil }
        // "thanks for …" and "right now" are one phrase.
        if ["for", "to", "now", "that", "of", "about"].contains(words[length]), greeting < length { return nil }
        var start = kept[length]
        while start < range.upperBound, ["and", "but", ",", "so", "-"].contains(tokens.word(start)) { start += 1 }
        guard start < range.upperBound else { return nil }
        let text = tokens.raw(kept[0]..<kept[length - 1] + 1)
        let type: IntentType = greeting == length ? .greeting : thanks == length ? .gratitude : .response
        let signal = type == .response ? "yes" : nil
        return (DetectedIntent(type: type, confidence: 0.95, signal: signal, text: text, source: .rule), start..<range.upperBound)
    }

    /// Only signs: emoji and punctuation.
    func signs(_ tokens: Tokens) -> DetectedIntent {
        let words = Answers.words(tokens)
        if let verdict = Answers.verdict(words) {
            return DetectedIntent(
                type: .response, confidence: 0.9, signal: verdict == .yes ? "yes" : "no", text: tokens.source, source: .rule)
        }
        if let meaning = SelfPatterns.shared.meaning(of: Array(words.prefix(1))) {
            return DetectedIntent(type: meaning.type, confidence: 0.9, signal: meaning.signal, text: tokens.source, source: .rule)
        }
        return DetectedIntent(
            type: words.isEmpty ? .unknown : .chitchat, confidence: words.isEmpty ? 0 : 0.6, text: tokens.source, source: .rule)
    }

    /// Drops what adds nothing: fragments that belong to a wish beside them, thanks at the end of a wish, the same wish twice.
    private func tidied(_ intents: [DetectedIntent], _ tokens: Tokens) -> [DetectedIntent] {
        var kept: [DetectedIntent] = []
        let hasWish = intents.contains { $0.type == .action || $0.type == .help || $0.signal == "stop" }
        for intent in intents {
            if intent.type == .unknown && hasWish || isPoliteness(intent) && hasWish { continue }
            if let index = kept.firstIndex(where: {
                $0.type == intent.type && $0.candidates.first == intent.candidates.first && $0.signal == intent.signal
            }) {
                if kept[index].confidence < intent.confidence { kept[index] = intent }
                continue
            }
            kept.append(intent)
        }
        let hasAction = kept.contains { $0.type == .action && $0.confidence >= 0.6 }
        // "don't book, cancel": what is refused needs no answer of its own beside what is wanted. Doubtful wishes beside sure ones
        // are noise.
        kept.removeAll { hasAction && ($0.signal == "stop" && $0.source == .classifier || $0.type == .action && $0.confidence < 0.5) }
        return kept.isEmpty ? [DetectedIntent(type: .unknown, confidence: 0.3, text: tokens.source, source: .classifier)] : kept
    }

    private func isPoliteness(_ intent: DetectedIntent) -> Bool { intent.type == .response && intent.signal != "stop" }
}
