package import Conversation
internal import Text

/// The answer sheet, patterns and the trained classifier first; a model only when they are not sure, and within the deadline. Whatever the
/// model does, there is an answer: its commands as far as they hold, else what the rules found.
package struct HybridClassifier: IntentClassifying {
    /// A question to the model is not worth it with less time left.
    static let leastTime = Duration.milliseconds(200)

    private let embedded: EmbeddedClassifier
    private let model: any LanguageModel
    private let clock: any WallClock
    private let prompt: IntentPrompt
    private let retrieval: ActionRetrieval
    private let reader: CommandReader

    /// `configuration` names the actions that a model may choose from; nothing else of it is told to the model but name, language and zone.
    package init(embedded: EmbeddedClassifier, model: any LanguageModel, configuration: BrandConfiguration, clock: any WallClock) {
        self.embedded = embedded
        self.model = model
        self.clock = clock
        prompt = IntentPrompt(brandName: configuration.name, locale: configuration.locale, timeZone: configuration.timeZone)
        retrieval = ActionRetrieval(actions: configuration.actions, popular: configuration.popularActions)
        reader = CommandReader(actions: configuration.actions)
    }

    /// Only a model reads it.
    package var readsHistory: Bool { model.serves(.intent) || model.serves(.deviation) }

    package func classify(_ request: ClassificationRequest) async -> [DetectedIntent] {
        let found = embedded.detect(request)
        guard let subject = request.subject, let deadline = request.deadline, let function = function(for: request),
            ModelDoubt.isUnsure(found, request), hasTime(until: deadline)
        else { return found }
        let names = found.flatMap(\.candidates)
        let actions = retrieval.actions(for: request.text, active: request.activeAction, found: names)
        let prompt = prompt.prompt(request, actions: actions, function: function, subject: subject, deadline: deadline)
        guard let read = await ask(prompt, request) else { return found }
        return ModelTrust(embedded: found, request: request).settle(read) ?? found
    }

    /// A brand may set apart the model that is asked in the middle of a task.
    private func function(for request: ClassificationRequest) -> ModelFunction? {
        let isInTask = request.activeAction != nil || request.expectingResponse
        if isInTask, model.serves(.deviation) { return .deviation }
        return model.serves(.intent) ? .intent : nil
    }

    private func hasTime(until deadline: Timestamp) -> Bool { clock.now + Self.leastTime <= deadline }

    /// Asks, and once more when the answer cannot be read. Nil when there is no answer that can.
    private func ask(_ prompt: ModelPrompt, _ request: ClassificationRequest) async -> [DetectedIntent]? {
        guard case .answer(let first) = await model.complete(prompt) else { return nil }
        let problem: UnreadableAnswer
        do throws(UnreadableAnswer) {
            return try reader.read(first, for: request)
        } catch {
            problem = error
        }
        guard hasTime(until: prompt.deadline) else { return nil }
        let repair = IntentPrompt.repair(prompt, answer: first, problem: problem.problem, text: request.text)
        guard case .answer(let second) = await model.complete(repair) else { return nil }
        return try? reader.read(second, for: request)
    }
}
