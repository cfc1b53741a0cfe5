import Conversation
import Synchronization

/// A model that says what it was given, in turn, and notes what it was asked.
final class StubModel: LanguageModel {
    private struct State {
        var results: [ModelResult]
        var prompts: [ModelPrompt] = []
    }
    private let state: Mutex<State>
    private let functions: Set<ModelFunction>

    init(_ results: [ModelResult], functions: Set<ModelFunction> = [.intent]) {
        state = Mutex(State(results: results))
        self.functions = functions
    }
    convenience init(_ answers: String...) { self.init(answers.map(ModelResult.answer)) }

    var prompts: [ModelPrompt] { state.withLock { $0.prompts } }
    func serves(_ function: ModelFunction) -> Bool { functions.contains(function) }
    func complete(_ prompt: ModelPrompt) async -> ModelResult {
        state.withLock { state in
            state.prompts.append(prompt)
            return state.results.isEmpty ? .failed(ModelFailure(.unavailable, "nothing left")) : state.results.removeFirst()
        }
    }
}

/// A clock that stands still.
struct StillClock: WallClock {
    var now: Timestamp { Timestamp(seconds: 1_800_000_000) }
    func sleep(until deadline: Timestamp) async throws {}
}

enum Commands {
    static func answer(_ commands: [JSONValue], deviation: String = "none") -> String {
        CanonicalJSON.text(["commands": .array(commands), "deviation": .string(deviation)])
    }

    static func start(_ names: [String], _ confidence: Double = 0.95, slots: JSONValue = [:], text: String = "") -> JSONValue {
        [
            "command": "start", "confidence": .number(confidence), "slots": slots, "text": .string(text), "signal": nil,
            "candidates": .array(names.enumerated().map { ["name": .string($1), "confidence": .number(confidence - 0.2 * Double($0))] }),
        ]
    }

    static func plain(_ command: String, signal: String? = nil, _ confidence: Double = 0.95, slots: JSONValue = [:]) -> JSONValue {
        [
            "command": .string(command), "confidence": .number(confidence), "slots": slots, "text": "", "signal": JSONValue(signal),
            "candidates": [],
        ]
    }

    static let subject = ModelSubject(brand: BrandID(rawValue: "salon"), instance: InstanceID(rawValue: "salon-web"))

    static func request(
        _ text: String, sheet: AnswerSheet? = nil, active: String? = nil, history: [HistoryLine] = [], wires: Wires? = nil
    ) -> ClassificationRequest {
        ClassificationRequest(
            text: text, answerSheet: sheet, expectingResponse: sheet != nil, activeAction: active, history: history, subject: subject,
            deadline: StillClock().now + .seconds(15), wires: wires)
    }
}
