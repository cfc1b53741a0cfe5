import Conversation
import Synchronization
import Understanding

/// What the model thinks: for a schema of commands it classifies, for other schemas it fills them in, without one it rewords what it is given.
final class ModelMind: Sendable {
    /// Classifiers by what they were trained on; a brand has one, and one more for each choice among many actions.
    private let trained = Mutex<[PromptReader: EmbeddedClassifier]>([:])
    private static let mostTrained = 64

    func answer(_ chat: ChatRequest) -> String {
        switch chat.format {
        case .text: Rewording.of(chat.lastWords)
        case .object: CanonicalJSON.text(["text": .string(chat.lastWords)])
        case .schema(_, let schema): CanonicalJSON.text(answer(chat, schema: schema))
        }
    }

    private func answer(_ chat: ChatRequest, schema: JSONValue) -> JSONValue {
        guard schema.at(pointer: "/properties/commands") != nil else {
            return SchemaFiller(lines: chat.messages.filter { !$0.isInstruction }.map(\.text)).value(schema)
        }
        let prompt = PromptReader(schema: schema, instructions: chat.instructions)
        guard let classifier = classifier(for: prompt) else { return SchemaFiller(lines: []).value(schema) }
        let intents = classifier.detect(ClassificationRequest(text: chat.lastWords))
        return CommandWriter(schema: schema).answer(intents)
    }

    /// Nil only when the built-in patterns do not compile.
    private func classifier(for prompt: PromptReader) -> EmbeddedClassifier? {
        if let known = trained.withLock({ $0[prompt] }) { return known }
        let actions = prompt.actions.map { action in
            ActionDefinition(
                canonicalName: action.name, displayName: action.name.replacing("_", with: " "), description: action.description,
                examples: action.examples, request: RequestTemplate(method: "GET", path: "/"))
        }
        guard let made = try? EmbeddedClassifier(actions: actions) else { return nil }
        trained.withLock { trained in
            if trained.count >= Self.mostTrained { trained = [:] }
            trained[prompt] = made
        }
        return made
    }
}
