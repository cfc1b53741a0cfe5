internal import Conversation
internal import Foundation
internal import Text

extension EmbeddedClassifier {
    /// One clause as one intent.
    func single(_ tokens: Tokens, _ range: Range<Int>) -> DetectedIntent {
        let text = tokens.raw(range)
        let words = Answers.words(tokens, range)
        if words.isEmpty { return DetectedIntent(type: .unknown, confidence: 0, text: text, source: .classifier) }
        if let known = pattern(text) ?? phrase(words, text: text) ?? named(words, text: text) { return known }
        return learned(Features(tokens, range: range), words: words, text: text)
    }

    /// The brand's own patterns. Several actions at once are candidates without a winner.
    private func pattern(_ text: String) -> DetectedIntent? {
        let hits = patterns.matches(Normalizer.fold(text)).map { patternMeanings[$0] }
        guard let first = hits.first else { return nil }
        var candidates: [String] = []
        for name in hits.compactMap({ $0.type == .action ? $0.action : nil }) where !candidates.contains(name) { candidates.append(name) }
        if candidates.isEmpty { return DetectedIntent(type: first.type, confidence: 0.97, text: text, source: .pattern) }
        if Negation.isRefusal(Answers.words(Tokens(text)), verbs: splitter.verbs) { return nil }
        return DetectedIntent(
            type: .action, candidates: Array(candidates.prefix(3)), confidence: candidates.count == 1 ? 0.97 : 0.7, text: text,
            source: .pattern,
            margin: candidates.count == 1 ? 1 : 0)
    }

    private func phrase(_ words: [String], text: String) -> DetectedIntent? {
        if let meaning = SelfPatterns.shared.meaning(of: words) {
            return DetectedIntent(type: meaning.type, confidence: meaning.confidence, signal: meaning.signal, text: text, source: .rule)
        }
        guard words.count <= 6, let verdict = Answers.verdict(words) else { return nil }
        return DetectedIntent(type: .response, confidence: 0.9, signal: verdict == .yes ? "yes" : "no", text: text, source: .rule)
    }

    /// The text is a name, synonym or example of an action, word for word.
    private func named(_ words: [String], text: String) -> DetectedIntent? {
        let key = words.joined(separator: " ")
        if Negation.isRefusal(words, verbs: splitter.verbs) { return nil }
        switch names[key] ?? names[Words.withoutFillers(words).joined(separator: " ")] {
        case .action(let name): return DetectedIntent(type: .action, candidates: [name], confidence: 0.98, text: text, source: .rule)
        case .plain(let type) where type != .unknown: return DetectedIntent(type: type, confidence: 0.97, text: text, source: .rule)
        case .plain, .human, nil: return nil
        }
    }

    private func learned(_ features: Features, words: [String], text: String) -> DetectedIntent {
        let prediction = model.predict(features)
        let ranked = prediction.probabilities.indices.sorted { prediction.probabilities[$0] > prediction.probabilities[$1] }
        guard let best = ranked.first else { return DetectedIntent(type: .unknown, confidence: 0, text: text, source: .classifier) }
        let next = ranked.count > 1 ? prediction.probabilities[ranked[1]] : 0
        let margin = Double(prediction.probabilities[best] - next)
        let confidence = Calibration.confidence(prediction, best: best)
        let isRefusal = Negation.isRefusal(words, verbs: splitter.verbs)
        if isRefusal, case .action = labels[best] {
            return DetectedIntent(type: .response, confidence: 0.75, signal: "stop", text: text, source: .classifier, margin: margin)
        }
        guard confidence >= Calibration.floor else {
            return DetectedIntent(type: .unknown, confidence: 1 - confidence, text: text, source: .classifier, margin: margin)
        }
        switch labels[best] {
        case .action: break
        case .plain(let type): return DetectedIntent(type: type, confidence: confidence, text: text, source: .classifier, margin: margin)
        case .human:
            return DetectedIntent(type: .help, confidence: confidence, signal: "human", text: text, source: .classifier, margin: margin)
        }
        let actions = ranked.prefix(8).compactMap { index -> String? in
            guard case .action(let name) = labels[index], index == best || prediction.probabilities[index] >= 0.04 else { return nil }
            return name
        }
        return DetectedIntent(
            type: .action, candidates: Array(actions.prefix(3)), confidence: confidence, text: text, source: .classifier, margin: margin)
    }
}

/// From what the model says to how often it is right. The constants were fitted on utterances that no example was taken from.
enum Calibration {
    /// Below it nothing fits.
    static let floor = 0.43

    static func confidence(_ prediction: LinearModel.Prediction, best: Int) -> Double {
        let probability = Double(prediction.probabilities[best])
        let likeness = Double(prediction.likeness[best])
        let known = Double(prediction.known)
        // Unlike every example, or made of words never seen, a text is outside however sure the model is.
        let familiar = min(1, 0.25 + 1.5 * likeness) * (0.65 + 0.35 * known)
        // Measured, the product is too modest in the middle: of those at 0.5 more than four in five are right.
        return min(0.99, pow(probability * familiar, 0.7))
    }
}
