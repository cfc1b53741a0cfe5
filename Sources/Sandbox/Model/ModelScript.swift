import Conversation
import Synchronization

/// What a test wants the model to say, and what the model has counted.
final class ModelScript: Sendable {
    /// An answer said word for word, whatever was asked.
    struct Line: Sendable, Equatable {
        /// Nil for a refusal.
        var content: String?
        var refusal: String?
        var finishReason = "stop"
        /// Only requests of this schema's name; `text` for those that ask for no JSON. All when nil.
        var asked: String?
        /// How often it is still said; nil says it until told otherwise.
        var times: Int? = 1

        func fits(_ format: AnswerFormat) -> Bool {
            switch (asked, format) {
            case (nil, _): true
            case ("text", .text), ("json_object", .object): true
            case (let asked?, .schema(let name, _)): asked == name
            case (_?, .text), (_?, .object): false
            }
        }
    }

    struct Usage: Sendable, Equatable {
        var prompt: Int
        var completion: Int
    }

    struct State: Sendable {
        var lines: [Line] = []
        /// Reported in place of what is counted.
        var usage: Usage?
        var calls = 0
        var embeddings = 0
        var promptTokens = 0
        var completionTokens = 0
    }

    private let state = Mutex(State())

    func reset() { state.withLock { $0 = State() } }

    /// The next line for such a request, used up once; nil when the model speaks for itself.
    func line(for format: AnswerFormat) -> Line? {
        state.withLock { state in
            guard let index = state.lines.firstIndex(where: { $0.fits(format) }) else { return nil }
            let line = state.lines[index]
            if let times = line.times { state.lines[index].times = times - 1 }
            state.lines.removeAll { $0.times == 0 }
            return line
        }
    }

    /// What is reported for this call, which joins the totals.
    func count(_ counted: Usage, isEmbedding: Bool = false) -> (number: Int, usage: Usage) {
        state.withLock { state in
            let usage = isEmbedding ? counted : state.usage ?? counted
            if isEmbedding { state.embeddings += 1 } else { state.calls += 1 }
            state.promptTokens += usage.prompt
            state.completionTokens += usage.completion
            return (state.calls + state.embeddings, usage)
        }
    }

    /// Totals of everything that was reported since the last reset, and how many lines wait to be said.
    var json: JSONValue {
        let state = state.withLock { $0 }
        var members: [String: JSONValue] = [
            "calls": .integer(Int64(state.calls)), "embeddings": .integer(Int64(state.embeddings)),
            "prompt_tokens": .integer(Int64(state.promptTokens)), "completion_tokens": .integer(Int64(state.completionTokens)),
            "waiting": .integer(Int64(state.lines.count)),
        ]
        if let usage = state.usage {
            members["usage"] = [
                "prompt_tokens": .integer(Int64(usage.prompt)), "completion_tokens": .integer(Int64(usage.completion)),
            ]
        }
        return .object(members)
    }
}

extension ModelScript {
    /// The longest text that `repeat` may make: 64 MiB.
    private static let longest = 64 << 20

    /// Does what `POST /_sandbox/llm` orders. Throws `FieldError`.
    func order(_ body: JSONValue?) throws {
        var fields = try StrictObject(body)
        switch try fields.text("mode", oneOf: ["say", "usage", "normal"]) {
        case "say":
            let lines = try Self.lines(&fields)
            try fields.finish()
            state.withLock { $0.lines += lines }
        case "usage":
            let usage = Usage(
                prompt: try Self.tokens("prompt_tokens", &fields), completion: try Self.tokens("completion_tokens", &fields))
            try fields.finish()
            state.withLock { $0.usage = usage }
        default:
            try fields.finish()
            state.withLock { state in
                state.lines = []
                state.usage = nil
            }
        }
    }

    private static func tokens(_ name: String, _ fields: inout StrictObject) throws -> Int {
        guard let count = try fields.optionalInteger(name, in: 0...1_000_000_000) else { throw fields.failure(name, "is required") }
        return count
    }

    private static func lines(_ fields: inout StrictObject) throws -> [Line] {
        var line = Line()
        line.asked = try fields.optionalText("for", max: 64)
        line.finishReason = try fields.optionalText("finish_reason", max: 64) ?? "stop"
        line.refusal = try fields.optionalText("refusal", max: 65_536)
        if fields.has("times") { line.times = try fields.optionalInteger("times", in: 1...1_000_000) }
        let count = try fields.optionalInteger("repeat", in: 1...longest) ?? 1
        if fields.has("contents") {
            if fields.has("content") { throw fields.failure("contents", "must not stand beside content") }
            return try fields.list("contents", count: 1...10_000).map { path, value in
                guard let content = value.string else { throw FieldError(field: path, problem: "must be a string") }
                line.content = content
                return line
            }
        }
        if let content = try fields.optionalText("content", max: longest, mayBeEmpty: true) {
            guard content.utf8.count * count <= longest else { throw fields.failure("repeat", "makes more than \(longest) bytes") }
            line.content = String(repeating: content, count: count)
        } else if line.refusal == nil {
            throw fields.failure("content", "is required, or contents or refusal")
        }
        return [line]
    }
}
