import Conversation
import Synchronization
import Understanding

/// What the model thinks: for a schema of commands it classifies, for other schemas it fills them in, without one it rewords what it is given.
final class ModelMind: Sendable {
    /// Classifiers by what they were trained on; a brand has one, and one more for each choice among many actions.
    private let trained = Mutex<[[PromptReader.Action]: EmbeddedClassifier]>([:])
    private static let mostTrained = 64

    func answer(_ chat: ChatRequest) -> String {
        switch chat.format {
        case .text: Rewording.of(PromptReader.unmarked(chat.lastWords))
        case .object: CanonicalJSON.text(["text": .string(chat.lastWords)])
        case .schema(_, let schema): CanonicalJSON.text(answer(chat, schema: schema))
        }
    }

    private func answer(_ chat: ChatRequest, schema: JSONValue) -> JSONValue {
        guard schema.at(pointer: "/properties/commands/items") != nil else {
            return SchemaFiller(lines: chat.messages.filter { !$0.isInstruction }.map(\.text)).value(schema)
        }
        let prompt = PromptReader(chat, schema: schema)
        let request = ClassificationRequest(
            text: prompt.message, answerSheet: prompt.question, expectingResponse: prompt.question != nil,
            activeAction: prompt.activeAction)
        let intents = classifier(for: prompt.actions)?.detect(request) ?? []
        return CommandWriter(schema: schema, hasQuestion: prompt.question != nil).answer(intents)
    }

    /// Nil only when the patterns that every classifier has do not compile.
    private func classifier(for actions: [PromptReader.Action]) -> EmbeddedClassifier? {
        if let known = trained.withLock({ $0[actions] }) { return known }
        let definitions = actions.map { action in
            ActionDefinition(
                canonicalName: action.name, displayName: action.title, description: action.description, examples: action.examples,
                request: RequestTemplate(method: "GET", path: "/"))
        }
        guard let made = try? EmbeddedClassifier(actions: definitions) else { return nil }
        trained.withLock { trained in
            if trained.count >= Self.mostTrained { trained = [:] }
            trained[actions] = made
        }
        return made
    }
}
