/// The answers that would fit the question we asked last.
package struct AnswerSheet: Sendable, Hashable, Codable {
    package enum Kind: String, Sendable, Codable {
        case confirmation
        case singleChoice = "single_choice"
        case multipleChoice = "multiple_choice"
        case entity
        case text
    }

    package var type: Kind
    /// Signal → the words that mean it. For choices the signal is the option's id.
    package var options: [String: [String]]
    /// The order in which options were shown.
    package var order: [String]
    package var entityType: EntityKind?
    /// RE2.
    package var validation: String?
    package var minSelections: Int?
    package var maxSelections: Int?
    package var minLength: Int?
    package var maxLength: Int?
    /// What the question is about, such as `book_service.start` or `book_service.confirm`.
    package var context: String
    package var required: Bool

    package init(
        type: Kind, options: [String: [String]] = [:], order: [String] = [], entityType: EntityKind? = nil, validation: String? = nil,
        minSelections: Int? = nil, maxSelections: Int? = nil, minLength: Int? = nil, maxLength: Int? = nil, context: String,
        required: Bool = true
    ) {
        self.type = type
        self.options = options
        self.order = order
        self.entityType = entityType
        self.validation = validation
        self.minSelections = minSelections
        self.maxSelections = maxSelections
        self.minLength = minLength
        self.maxLength = maxLength
        self.context = context
        self.required = required
    }

    /// Every word that would match, each once: the wire `available_signals`.
    package var availableSignals: [String] {
        let keys = order.isEmpty ? options.keys.sorted() : order
        var seen: Set<String> = []
        return keys.flatMap { [$0] + (options[$0] ?? []) }.filter { seen.insert($0).inserted }
    }
}

/// One button or row we offered and what pressing it means, so that presses of an old menu are still understood.
package struct OfferedReply: Sendable, Hashable, Codable {
    /// Opaque, as sent to the channel.
    package var id: String
    /// The signal of the answer sheet (`yes`, `no`, an option's id).
    package var signal: String
    /// The `context` of the question it belonged to.
    package var context: String
    /// The task the question was about.
    package var taskID: UniqueID?
    package var title: String

    package init(id: String, signal: String, context: String, taskID: UniqueID?, title: String) {
        self.id = id
        self.signal = signal
        self.context = context
        self.taskID = taskID
        self.title = title
    }
}
