internal import Conversation
internal import JSON
internal import Text

/// Why a model's answer cannot be read; in words that may be told to the model.
struct UnreadableAnswer: Error, Sendable, Hashable {
    var problem: String
}

/// Turns what a model wrote into intents, and lets nothing else through: actions of this brand by their exact names, signals of the open
/// question, slots that the action declares. Nothing else in an answer is looked at, so brand, user, addresses and keys cannot come from it.
struct CommandReader: Sendable {
    /// Texts longer than this are not looked at.
    static let mostBytes = 262_144
    /// Commands of one answer that are looked at, and actions that come of them.
    static let mostCommands = 32
    static let mostActions = 3
    static let slotLength = 200
    /// For numbers that are none, or outside `0...1`: not confident.
    static let doubtful = 0.3

    private let actions: [String: ActionDefinition]
    /// Canonical names by names and synonyms, folded.
    private let names: [String: String]

    init(actions: [ActionDefinition]) {
        self.actions = Dictionary(actions.map { ($0.canonicalName, $0) }) { first, _ in first }
        var names: [String: String] = [:]
        for action in actions {
            for name in [action.canonicalName] + action.synonyms {
                names[Normalizer.fold(name)] = names[Normalizer.fold(name)] ?? action.canonicalName
            }
        }
        for action in actions { names[Normalizer.fold(action.canonicalName)] = action.canonicalName }
        self.names = names
    }

    func action(_ name: String?) -> ActionDefinition? { name.flatMap { actions[$0] } }

    /// The intents of an answer in their order; empty when it is readable and nothing of it holds. Throws when it is no such answer.
    func read(_ answer: String, for request: ClassificationRequest) throws(UnreadableAnswer) -> [DetectedIntent] {
        let root = try AnswerObject.find(in: answer)
        let listed = root["commands"]
        let commands = listed.isObject ? [listed] : listed.array ?? []
        var sieve = CommandSieve(request: request)
        for view in commands.prefix(Self.mostCommands) {
            if let command = command(view, request) { sieve.take(command) }
        }
        return sieve.intents(deviation: root["deviation"].string.flatMap { Deviation(rawValue: $0) } ?? .none)
    }

    private func command(_ view: JSONView, _ request: ClassificationRequest) -> ReadCommand? {
        guard let name = view["command"].string.flatMap({ CommandName(rawValue: $0) }) else { return nil }
        var command = ReadCommand(name: name, confidence: Self.confidence(view["confidence"]), text: words(view["text"], request))
        switch name {
        case .start:
            let candidates = candidates(view["candidates"])
            guard let best = candidates.first else { return nil }
            command.candidates = candidates.map(\.name)
            command.confidence = min(command.confidence, best.confidence)
            command.margin = candidates.count > 1 ? max(0, best.confidence - candidates[1].confidence) : 1
            command.slots = slots(view["slots"], of: action(best.name))
        case .answer:
            guard request.expectingResponse, let sheet = request.answerSheet, let signal = view["signal"].string,
                let checked = AnswerSignals.checked(signal.trimmed, sheet)
            else { return nil }
            command.signal = checked
            command.slots = slots(view["slots"], of: action(request.activeAction))
        case .correct: command.slots = slots(view["slots"], of: action(request.activeAction))
        case .cancel, .clarify, .help, .human, .greeting, .goodbye, .gratitude, .chitchat: break
        }
        return command
    }

    private func candidates(_ view: JSONView) -> [(name: String, confidence: Double)] {
        let items = view.array ?? (view.exists ? [view] : [])
        var found: [(name: String, confidence: Double)] = []
        for item in items.prefix(8) where found.count < 3 {
            guard let said = item["name"].string ?? item.string, said.utf8.count <= 128, let name = names[Normalizer.fold(said)],
                !found.contains(where: { $0.name == name })
            else { continue }
            found.append((name, item.isObject ? Self.confidence(item["confidence"]) : Self.doubtful))
        }
        return found
    }

    /// As an object of names and words, or as a list of `{name, value}`.
    private func slots(_ view: JSONView, of action: ActionDefinition?) -> [String: String] {
        guard let action else { return [:] }
        var pairs = (view.members ?? []).prefix(64).map { ($0.key, $0.value) }
        pairs += (view.array ?? []).prefix(64).compactMap { item in item["name"].string.map { ($0, item["value"]) } }
        var slots: [String: String] = [:]
        for (name, value) in pairs where slots[name] == nil && action.params.contains(where: { $0.name == name }) {
            guard let text = value.string ?? (value.double == nil ? nil : value.value.plainText) else { continue }
            let clean = Normalizer.clean(text)
            if !clean.isEmpty, clean.count <= Self.slotLength { slots[name] = clean }
        }
        return slots
    }

    /// Words of the message itself, or all of it: a text that the customer did not write is not read on.
    private func words(_ view: JSONView, _ request: ClassificationRequest) -> String {
        let whole = Normalizer.clean(request.text)
        guard let said = view.string, said.utf8.count <= 4 * IntentPrompt.messageLength else { return whole }
        let clean = Normalizer.clean(said)
        return !clean.isEmpty && Normalizer.fold(whole).contains(Normalizer.fold(clean)) ? clean : whole
    }

    static func confidence(_ view: JSONView) -> Double {
        guard let number = view.double, (0...1).contains(number) else { return doubtful }
        return number
    }
}

/// A command that names only what exists.
struct ReadCommand: Sendable, Hashable {
    var name: CommandName
    var candidates: [String] = []
    var confidence: Double
    var margin: Double = 1
    var signal: String?
    var slots: [String: String] = [:]
    var text: String
}

/// Finds the JSON object with commands in what a model wrote: alone, in a code fence, or with prose around it.
enum AnswerObject {
    /// Places where an object might begin that are tried.
    private static let mostTries = 12

    static func find(in answer: String) throws(UnreadableAnswer) -> JSONView {
        let bytes = Array(answer.utf8)
        guard bytes.count <= CommandReader.mostBytes else {
            throw UnreadableAnswer(problem: "it is longer than \(CommandReader.mostBytes) bytes")
        }
        if let whole = try? JSONDocument.parse(bytes).root, hasCommands(whole) { return whole }
        var tries = 0
        var index = 0
        while let start = bytes[index...].firstIndex(of: UInt8(ascii: "{")), tries < mostTries {
            tries += 1
            guard let end = end(of: start, in: bytes) else {
                index = start + 1
                continue
            }
            if let root = try? JSONDocument.parse(Array(bytes[start..<end])).root {
                if hasCommands(root) { return root }
                index = end
            } else {
                index = start + 1
            }
        }
        guard bytes.contains(UInt8(ascii: "{")) else { throw UnreadableAnswer(problem: "there is no JSON object in it") }
        throw UnreadableAnswer(problem: "no complete JSON object with a list \"commands\" is in it")
    }

    private static func hasCommands(_ view: JSONView) -> Bool { view["commands"].isArray || view["commands"].isObject }

    /// One past the brace that closes the object; nil when none does.
    private static func end(of start: Int, in bytes: [UInt8]) -> Int? {
        var depth = 0
        var isInString = false
        var index = start
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "\\") where isInString: index += 1
            case UInt8(ascii: "\""): isInString.toggle()
            case UInt8(ascii: "{") where !isInString: depth += 1
            case UInt8(ascii: "}") where !isInString:
                depth -= 1
                if depth == 0 { return index + 1 }
            default: break
            }
            index += 1
        }
        return nil
    }
}
