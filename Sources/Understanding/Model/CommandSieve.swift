internal import Conversation
internal import Text

/// Decides which of a model's commands count: no repetition, nothing that changes nothing, one cancellation or correction, a clarification
/// only when nothing else was understood, at most three actions.
struct CommandSieve {
    private let request: ClassificationRequest
    private var kept: [ReadCommand] = []
    private var asksBack = false

    init(request: ClassificationRequest) { self.request = request }

    mutating func take(_ command: ReadCommand) {
        switch command.name {
        case .start: start(command)
        case .answer where kept.contains { $0.name == .answer || $0.name == .correct || $0.name == .cancel }: break
        case .answer: kept.append(command)
        case .correct, .cancel: change(command)
        case .clarify: asksBack = true
        case .help, .human, .greeting, .goodbye, .gratitude, .chitchat:
            if !kept.contains(where: { $0.name == command.name }) { kept.append(command) }
        }
    }

    private mutating func start(_ command: ReadCommand) {
        var command = command
        let hadSlots = !command.slots.isEmpty
        let isActive = command.candidates.first == request.activeAction
        if isActive { command.slots = news(command.slots) }
        if isActive, hadSlots, command.slots.isEmpty { return }
        if let index = kept.firstIndex(where: { $0.name == .start && $0.candidates.first == command.candidates.first }) {
            if kept[index].confidence < command.confidence { kept[index] = command }
            return
        }
        if kept.count(where: { $0.name == .start }) < CommandReader.mostActions { kept.append(command) }
    }

    /// Both need something that can be changed; the first of them counts.
    private mutating func change(_ command: ReadCommand) {
        guard request.activeAction != nil || request.expectingResponse,
            !kept.contains(where: { $0.name == .correct || $0.name == .cancel || $0.name == .answer })
        else { return }
        var command = command
        let hadSlots = !command.slots.isEmpty
        command.slots = news(command.slots)
        if command.name == .correct, hadSlots, command.slots.isEmpty { return }
        kept.append(command)
    }

    /// Without values that are known just so already.
    private func news(_ slots: [String: String]) -> [String: String] {
        let collected = request.wires?.state.activeTask?.paramsCollected ?? [:]
        return slots.filter { name, words in
            guard let entity = collected[name], entity.value != nil else { return true }
            let known = [entity.raw, entity.label ?? "", entity.value?.plainText ?? ""].map(Normalizer.fold)
            return !known.contains(Normalizer.fold(words))
        }
    }

    /// The commands as intents. A deviation without a command that says it stands for that command.
    func intents(deviation: Deviation) -> [DetectedIntent] {
        var commands = kept
        let isTalkOnly = commands.allSatisfy { [.greeting, .goodbye, .gratitude, .chitchat].contains($0.name) }
        let canChange = request.activeAction != nil || request.expectingResponse
        let whole = Normalizer.clean(request.text)
        switch deviation {
        case .abort where isTalkOnly && canChange: commands.append(ReadCommand(name: .cancel, confidence: 0.7, text: whole))
        case .correction where isTalkOnly && canChange: commands.append(ReadCommand(name: .correct, confidence: 0.7, text: whole))
        case .none, .topicChange, .clarification, .correction, .abort, .continuation: break
        }
        if commands.isEmpty, asksBack {
            return [DetectedIntent(type: .unknown, confidence: 0.5, text: whole, sequence: 1, source: .model)]
        }
        return commands.enumerated().map { Self.intent($1, sequence: $0 + 1) }
    }

    private static func intent(_ command: ReadCommand, sequence: Int) -> DetectedIntent {
        func made(_ type: IntentType, signal: String? = nil) -> DetectedIntent {
            DetectedIntent(
                type: type, candidates: command.candidates, confidence: command.confidence, signal: signal, text: command.text,
                sequence: sequence, source: .model, margin: command.margin, slots: command.slots)
        }
        return switch command.name {
        case .start: made(.action)
        case .answer: made(.response, signal: command.signal)
        case .correct: made(.response, signal: "correct")
        case .cancel: made(.response, signal: "stop")
        case .clarify: made(.unknown)
        case .help: made(.help)
        case .human: made(.help, signal: "human")
        case .greeting: made(.greeting)
        case .goodbye: made(.goodbye)
        case .gratitude: made(.gratitude)
        case .chitchat: made(.chitchat)
        }
    }
}
