internal import Conversation

/// When the embedded result is not sure enough to do without a model. What a whole answer, a pattern or a set phrase decided stands.
enum ModelDoubt {
    /// A winner that is ahead by less is hardly one.
    static let leastMargin = 0.2
    /// An answer below it was read, not matched.
    static let leastAnswer = 0.75
    /// Words from which on a message in the middle of a task may hold more than was found.
    static let manyWords = 16

    static func isUnsure(_ found: [DetectedIntent], _ request: ClassificationRequest) -> Bool {
        if found.contains(where: isUnsure) { return true }
        let isInTask = request.activeAction != nil || request.expectingResponse
        guard isInTask, found.count == 1, let only = found.first else { return false }
        switch only.source {
        case .answerSheet, .rule: return false
        case .pattern, .classifier, .model: return Tokens(request.text).all.count(where: { $0.kind != .symbol }) >= manyWords
        }
    }

    private static func isUnsure(_ intent: DetectedIntent) -> Bool {
        switch intent.source {
        case .classifier:
            return intent.type == .unknown || ConfidenceLevel(intent.confidence) != .high
                || intent.type == .action && intent.margin < leastMargin
        // Several patterns at once name several actions.
        case .pattern: return intent.candidates.count > 1
        case .answerSheet: return intent.confidence < leastAnswer
        case .rule: return intent.type == .unknown && intent.text.contains { $0.isLetter }
        case .model: return false
        }
    }
}
