package import Conversation
package import Text

/// Finds out what a message wants without any model elsewhere: the answer sheet first, then patterns and set phrases, then a small model
/// trained at start from the brand's own examples. Immutable after `init`; safe to share between threads.
package struct EmbeddedClassifier: IntentClassifying {
    enum Label: Sendable, Hashable {
        case action(String)
        case plain(IntentType)
        case human
    }

    let labels: [Label]
    let model: LinearModel
    let patterns: PatternSet
    let patternMeanings: [IntentDefinition]
    /// Whole texts that name an action: its names, synonyms and examples.
    let names: [String: Label]
    let splitter: ClauseSplitter
    let locale: String
    let matcher = AnswerSheetMatcher()

    /// Trains on names, synonyms, descriptions and examples of the actions and on the brand's own intents.
    /// Throws `PatternError` for a pattern of `intents` that does not compile.
    package init(actions: [ActionDefinition], intents: [IntentDefinition] = [], locale: String = "en-US") throws(PatternError) {
        let corpus = TrainingCorpus(actions: actions, intents: intents)
        labels = corpus.labels
        model = LinearModel(corpus.examples, labels: corpus.labels.count)
        names = corpus.names
        splitter = ClauseSplitter(verbs: corpus.verbs)
        let pairs = intents.flatMap { intent in intent.patterns.map { ($0, intent) } }
        patterns = try PatternSet(pairs.map(\.0))
        patternMeanings = pairs.map(\.1)
        self.locale = locale
    }

    /// It decides by the message and the open question alone.
    package var readsHistory: Bool { false }

    package func classify(_ request: ClassificationRequest) async -> [DetectedIntent] { detect(request) }

    /// What `classify` returns, without the need to wait.
    package func detect(_ request: ClassificationRequest) -> [DetectedIntent] {
        let tokens = Tokens(request.text)
        guard tokens.count > 0 else { return [DetectedIntent(type: .unknown, confidence: 0, text: request.text, source: .rule)] }
        let found = request.answerSheet.flatMap { answered(tokens, sheet: $0, request) } ?? wishes(tokens)
        return numbered(found)
    }

    private func numbered(_ intents: [DetectedIntent]) -> [DetectedIntent] {
        intents.enumerated().map { index, intent in
            var intent = intent
            intent.sequence = index + 1
            return intent
        }
    }
}
