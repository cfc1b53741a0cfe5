/// Reads parameters from words. Pure: the same request gives the same entities.
package protocol SlotExtracting: Sendable {
    /// Parameter name → what was found; parameters that the text says nothing about are absent.
    func extract(_ request: SlotRequest) -> [String: Entity]
}

/// What a classifier may know besides the words.
package struct ClassificationRequest: Sendable {
    package var text: String
    package var answerSheet: AnswerSheet?
    package var expectingResponse: Bool
    package var activeAction: String?
    package var history: [HistoryLine]
    package var locale: String
    /// Whose conversation it is; nil keeps the request from any model.
    package var subject: ModelSubject?
    /// When an answer must be there.
    package var deadline: Timestamp?
    /// What is known about the conversation so far, for a model.
    package var wires: Wires?

    package init(
        text: String, answerSheet: AnswerSheet? = nil, expectingResponse: Bool = false, activeAction: String? = nil,
        history: [HistoryLine] = [], locale: String = "en-US", subject: ModelSubject? = nil, deadline: Timestamp? = nil,
        wires: Wires? = nil
    ) {
        self.subject = subject
        self.deadline = deadline
        self.wires = wires
        self.text = text
        self.answerSheet = answerSheet
        self.expectingResponse = expectingResponse
        self.activeAction = activeAction
        self.history = history
        self.locale = locale
    }
}

package struct HistoryLine: Sendable, Hashable {
    package enum Speaker: String, Sendable { case customer, brand }
    package var speaker: Speaker
    package var text: String
    package init(speaker: Speaker, text: String) {
        self.speaker = speaker
        self.text = text
    }
}

/// Finds out what a message wants. The embedded one is pure; one that asks a model is not, hence `async`.
package protocol IntentClassifying: Sendable {
    /// Whether it reads `ClassificationRequest.history`; when not, nobody loads it.
    var readsHistory: Bool { get }
    /// At least one intent, in the order of the words; `unknown` when nothing fits.
    func classify(_ request: ClassificationRequest) async -> [DetectedIntent]
}

extension IntentClassifying {
    /// Unless an implementation says otherwise it is given everything.
    package var readsHistory: Bool { true }
}
