package enum IntentType: String, Sendable, Codable, CaseIterable {
    case greeting, goodbye, gratitude, chitchat, action, help, response, unknown

    /// Answered without the brain.
    package var isSelfResponse: Bool {
        switch self {
        case .greeting, .goodbye, .gratitude, .chitchat: true
        case .action, .help, .response, .unknown: false
        }
    }
}

package enum ConfidenceLevel: String, Sendable, Codable {
    case high, medium, low, unknown

    /// High above 0.85, medium from 0.6, low below.
    package init(_ confidence: Double) {
        self = confidence > 0.85 ? .high : confidence >= 0.6 ? .medium : .low
    }
}

/// One thing a message wants.
package struct DetectedIntent: Sendable, Hashable, Codable {
    package enum Source: String, Sendable, Codable { case answerSheet = "answer_sheet", pattern, classifier, model, rule }

    package var type: IntentType
    /// For `action`: up to three canonical names, best first.
    package var candidates: [String]
    /// `0...1`.
    package var confidence: Double
    /// For `response`: which option of the answer sheet was meant (`yes`, `no`, an option's key, or `value` for entities and texts).
    package var signal: String?
    /// The words this intent was read from.
    package var text: String
    /// Counted from 1 in the order of the words.
    package var sequence: Int
    package var source: Source
    /// How far the best candidate was ahead of the next, `0...1`.
    package var margin: Double
    /// What a model read for parameters, by name: words, which still have to pass the parameter's own reading.
    package var slots: [String: String]

    package init(
        type: IntentType, candidates: [String] = [], confidence: Double, signal: String? = nil, text: String, sequence: Int = 1,
        source: Source, margin: Double = 1, slots: [String: String] = [:]
    ) {
        self.slots = slots
        self.type = type
        self.candidates = candidates
        self.confidence = confidence
        self.signal = signal
        self.text = text
        self.sequence = sequence
        self.source = source
        self.margin = margin
    }
}

/// A value read from words, with what is doubtful about it.
package struct Entity: Sendable, Hashable, Codable {
    package enum Source: String, Sendable, Codable { case user, reply, `default`, schema, earlier }

    package var name: String
    package var kind: EntityKind
    /// Normalized: NFC text, E.164, an instant in UTC (`2026-11-21T22:00:00.000Z`), an option's id, a number. Nil while only partly known.
    package var value: JSONValue?
    /// What is known already of a value that is not complete, such as `{"date":"2026-11-21"}`.
    package var partial: JSONValue?
    package var raw: String
    /// How it reads to a person: an option's label; nil means: format the value.
    package var label: String?
    /// The chosen option's whole item, for placeholders such as `{service.price}`.
    package var item: JSONValue?
    package var confidence: Double
    package var source: Source
    package var needsConfirmation: Bool
    package var problem: SlotProblem?

    package init(
        name: String, kind: EntityKind, value: JSONValue? = nil, partial: JSONValue? = nil, raw: String, label: String? = nil,
        item: JSONValue? = nil, confidence: Double = 1, source: Source = .user, needsConfirmation: Bool = false, problem: SlotProblem? = nil
    ) {
        self.name = name
        self.kind = kind
        self.value = value
        self.partial = partial
        self.raw = raw
        self.label = label
        self.item = item
        self.confidence = confidence
        self.source = source
        self.needsConfirmation = needsConfirmation
        self.problem = problem
    }
}

/// Why a value cannot be used as it was said.
package enum SlotProblem: Sendable, Hashable, Codable {
    /// A date without a time, or a time without a date.
    case incomplete(missing: String)
    /// The moment has passed.
    case past
    /// Outside the opening hours; `hours` is what that day offers, such as `["09:00-18:00"]`, empty when closed all day.
    case closed(day: String, hours: [String])
    /// Several readings; ids or ISO values, at most five.
    case ambiguous([ChoiceOption])
    /// Not one of the options, or not of the expected form.
    case invalid
    /// Does not exist on the clock (skipped by daylight saving).
    case nonexistent
}

/// What is asked of the extractors: which parameters, with what is known around them.
package struct SlotRequest: Sendable {
    package var text: String
    package var parameters: [ParameterDefinition]
    /// Parameter → its options, those of schemas included.
    package var options: [String: [ChoiceOption]]
    /// Parameter → opening hours as `OpeningSource` describes them.
    package var openingHours: [String: JSONValue]
    /// The message's own time: "tomorrow" counts from here.
    package var reference: Timestamp
    /// IANA name: the zone in which times are meant.
    package var timeZone: String
    package var locale: String
    /// The parameter that was asked for; bare values ("5pm", "the second one") belong to it.
    package var expecting: String?
    /// What was collected before, so that "5pm" completes "tomorrow" and a correction knows what it corrects.
    package var collected: [String: Entity]
    /// Options shown last, in that order, for "the second one".
    package var shown: [ChoiceOption]
    /// Names, description and questions of the action: words that say which wish it is, and nothing about it.
    package var vocabulary: [String]

    package init(
        text: String, parameters: [ParameterDefinition], options: [String: [ChoiceOption]] = [:], openingHours: [String: JSONValue] = [:],
        reference: Timestamp, timeZone: String, locale: String = "en-US", expecting: String? = nil, collected: [String: Entity] = [:],
        shown: [ChoiceOption] = [], vocabulary: [String] = []
    ) {
        self.text = text
        self.parameters = parameters
        self.options = options
        self.openingHours = openingHours
        self.reference = reference
        self.timeZone = timeZone
        self.locale = locale
        self.expecting = expecting
        self.collected = collected
        self.shown = shown
        self.vocabulary = vocabulary
    }
}
