internal import Conversation

/// How far what a model understood is believed beside what the rules found. A model never makes anything happen that nobody asks about:
/// an action that the rules did not see is at most of medium confidence, so a write of it is confirmed, and a yes of its own making counts
/// only where the words speak for nothing else.
struct ModelTrust: Sendable {
    /// The most that medium confidence is.
    static let medium = 0.85
    /// Below this the rules only guessed, which supports nothing.
    static let leastSupport = 0.6
    /// A short word of agreement has no more words.
    static let wordsOfYes = 12

    let embedded: [DetectedIntent]
    let request: ClassificationRequest

    /// Nil when nothing of the model's is left: then the embedded result stands.
    func settle(_ read: [DetectedIntent]) -> [DetectedIntent]? {
        var intents = read.compactMap(checked)
        if intents.allSatisfy({ $0.type == .unknown }), embedded.contains(where: { $0.type != .unknown && $0.confidence >= 0.5 }) {
            return nil
        }
        guard !intents.isEmpty else { return nil }
        // A correction is safe and says more than a bare no.
        let stops = intents.contains { $0.signal == "correct" } ? [] : self.stops
        intents = stops + intents.filter { intent in !stops.contains { $0.type == intent.type && $0.signal == intent.signal } }
        for index in intents.indices { intents[index].sequence = index + 1 }
        return intents
    }

    /// A refusal that the rules read plainly is never talked away.
    private var stops: [DetectedIntent] {
        embedded.filter { $0.type == .response && ["no", "stop"].contains($0.signal) && [.answerSheet, .rule].contains($0.source) }
    }

    private func checked(_ intent: DetectedIntent) -> DetectedIntent? {
        var intent = intent
        switch intent.type {
        case .action:
            guard intent.confidence >= 0.2 else { return nil }
            if !isSupported(intent) { intent.confidence = min(intent.confidence, Self.medium) }
        case .response where intent.signal == "yes" && request.answerSheet?.type == .confirmation:
            guard isPlainYes(intent) else { return nil }
        case .response
        where intent.signal == "value" || intent.signal == "skip" || request.answerSheet?.options[intent.signal ?? ""] != nil:
            if !stops.isEmpty { return nil }
        // People are not called on a vague feeling.
        case .help where intent.signal == "human" && intent.confidence < 0.6: intent.signal = nil
        case .greeting, .goodbye, .gratitude, .chitchat, .help, .response, .unknown: break
        }
        return intent
    }

    /// The rules saw the same action first, or nothing that they were sure of against it.
    private func isSupported(_ intent: DetectedIntent) -> Bool {
        let actions = embedded.filter { $0.type == .action }
        if actions.contains(where: { $0.confidence > Self.medium && $0.candidates.first != intent.candidates.first }) { return false }
        return actions.contains { $0.candidates.first == intent.candidates.first && $0.confidence >= Self.leastSupport }
    }

    private func isPlainYes(_ intent: DetectedIntent) -> Bool {
        guard intent.confidence > Self.medium, stops.isEmpty else { return false }
        let tokens = Tokens(request.text)
        let words = Answers.words(tokens)
        let isPlain = !tokens.all.contains { $0.kind == .number || $0.text == "?" }
        let speaksAgainst = words.contains { Self.against.contains($0) } || Answers.no.length(in: words, at: 0) > 0
        let wantsMore = embedded.contains { other in
            switch other.type {
            case .action: other.confidence >= 0.6 && other.candidates.first != request.activeAction
            case .help: other.confidence >= 0.5
            case .response: other.signal != "yes"
            case .greeting, .goodbye, .gratitude, .chitchat, .unknown: false
            }
        }
        // A write hangs on it: the customer must have said something that agrees, whatever a model makes of the rest.
        // At the beginning or the end: "the last one was good" agrees with nothing.
        let agrees =
            Answers.yes.length(in: words, at: 0) > 0 || words.first.map(Self.agreement.contains) ?? false
            || words.last.map { Self.agreement.contains($0) || Answers.yes.length(in: [$0], at: 0) > 0 } ?? false
        return isPlain && agrees && !speaksAgainst && !wantsMore && words.count <= Self.wordsOfYes
    }

    private static let agreement: Set<String> = [
        "please", "perfect", "great", "lovely", "wonderful", "fine", "good", "agreed", "absolutely", "definitely", "ahead", "alright",
        "fantastic", "brilliant", "excellent", "awesome", "gladly", "deal", "super", "amazing",
    ]
    private static let against: Set<String> = [
        "no", "not", "dont", "don't", "never", "nope", "nah", "wait", "stop", "cancel", "but", "instead", "rather", "change", "wrong",
        "unless", "if", "maybe", "unsure", "later", "hmm", "expensive", "cant", "can't", "wont", "won't", "isnt", "isn't", "why", "what",
        "how", "when", "which", "who", "where", "actually", "hold", "without", "was", "were", "last", "used",
    ]
}
