internal import Conversation

/// Everything the model learns from, gathered from a brand's configuration and the built-in examples.
struct TrainingCorpus {
    private(set) var labels: [EmbeddedClassifier.Label] = []
    private(set) var examples: [LinearModel.Example] = []
    private(set) var names: [String: EmbeddedClassifier.Label] = [:]
    private(set) var verbs: Set<String> = []
    private var places: [EmbeddedClassifier.Label: Int] = [:]

    init(actions: [ActionDefinition], intents: [IntentDefinition]) {
        for (type, texts) in Self.builtIn { add(texts, .plain(type)) }
        add(BuiltInExamples.human, .human)
        for action in actions { add(action) }
        for intent in intents {
            let label: EmbeddedClassifier.Label = intent.type == .action ? .action(intent.action ?? "") : .plain(intent.type)
            // Examples for an action that does not exist would teach a name that nothing answers to.
            guard intent.type != .action || actions.contains(where: { $0.canonicalName == intent.action }) else { continue }
            add(intent.examples, label)
            name(intent.examples, label)
            learnVerbs(intent.examples, label)
        }
        verbs.formUnion(
            [
                "book", "reserve", "schedule", "cancel", "change", "move", "reschedule", "show", "list", "find", "search", "order", "buy",
                "pay", "apply", "update", "delete", "send", "check", "remove", "add", "track", "return", "rebook", "withdraw", "submit",
            ].map { Words.stem($0) })
    }

    private static let builtIn: [(IntentType, [String])] = [
        (.unknown, BuiltInExamples.outside), (.greeting, BuiltInExamples.greeting), (.goodbye, BuiltInExamples.goodbye),
        (.gratitude, BuiltInExamples.gratitude), (.chitchat, BuiltInExamples.chitchat), (.help, BuiltInExamples.help),
    ]

    private mutating func add(_ action: ActionDefinition) {
        let label = EmbeddedClassifier.Label.action(action.canonicalName)
        let short = ([action.canonicalName] + action.synonyms).map(Self.words) + [action.displayName]
        add(action.examples, label)
        add(short, label, weight: 0.8)
        // The same wish with the openings people use, so that the openings themselves tell nothing.
        for (index, opening) in BuiltInExamples.openings.enumerated() {
            let wish = index < short.count ? short[index] : action.displayName
            add(["\(opening) \(wish)"], label, weight: 0.5)
        }
        addParameters(of: action, label, short: short)
        if !action.description.isEmpty { add([action.description], label, weight: 0.5) }
        name(short + action.examples, label)
        learnVerbs(short + action.examples, label)
    }

    /// A day, a time or a fixed option beside the wish speaks for an action that takes one.
    private mutating func addParameters(of action: ActionDefinition, _ label: EmbeddedClassifier.Label, short: [String]) {
        if action.params.contains(where: { [.datetime, .date, .time].contains($0.entity) }) {
            let moments = ["tomorrow at 5pm", "on friday morning", "for monday at 10"]
            for (index, moment) in moments.enumerated() { add(["\(short[index % short.count]) \(moment)"], label, weight: 0.6) }
            add(
                ["can I get one on tuesday", "is there anything free tomorrow", "do you have something at 3pm", "I need one for saturday"],
                label, weight: 0.4)
        }
        for option in action.params.flatMap(\.options).prefix(40) { add(["\(action.displayName) \(option.label)"], label, weight: 0.5) }
    }

    private static func words(_ name: String) -> String { String(name.map { $0 == "_" || $0 == "-" ? " " : $0 }) }

    private mutating func add(_ texts: [String], _ label: EmbeddedClassifier.Label, weight: Float = 1) {
        guard !texts.isEmpty else { return }
        let place = places[label] ?? labels.count
        if places[label] == nil {
            places[label] = place
            labels.append(label)
        }
        // A few thousand characters of examples per text are plenty, and training time stays bounded.
        for text in texts.prefix(400) { examples.append(.init(features: Features(Tokens(text)), label: place, weight: weight)) }
    }

    /// What two actions share names neither.
    private mutating func name(_ texts: [String], _ label: EmbeddedClassifier.Label) {
        for text in texts {
            let key = ChoiceMatcher.key(text)
            if let known = names[key], known != label {
                names[key] = .plain(.unknown)
            } else if key.contains(" ") || key.utf8.count > 3 {
                names[key] = label
            }
        }
    }

    /// The first telling word of an imperative begins a new wish elsewhere too.
    private mutating func learnVerbs(_ texts: [String], _ label: EmbeddedClassifier.Label) {
        guard case .action = label else { return }
        for text in texts {
            guard let first = Tokens(text).all.first, first.kind == .word else { continue }
            let stem = Words.stem(first.text)
            if stem.utf8.count > 2, !Concepts.functionWords.contains(stem) { verbs.insert(stem) }
        }
    }
}
