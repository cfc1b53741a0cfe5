internal import Conversation

/// One prompt as a chat completions request; the same prompt and settings give the same bytes.
struct ChatRequest: Sendable {
    let prompt: ModelPrompt
    let settings: ModelSettings
    let body: [UInt8]

    init(_ prompt: ModelPrompt, settings: ModelSettings) {
        self.prompt = prompt
        self.settings = settings
        body = CanonicalJSON.bytes(Self.json(prompt, settings))
    }

    /// Of the question, estimated.
    var promptTokens: Int {
        let texts = [prompt.system] + prompt.messages.map(\.text)
        return texts.reduce(3) { $0 + 4 + ModelTokens.estimate($1) }
            + (prompt.schema.map { ModelTokens.estimate(CanonicalJSON.text($0.schema)) } ?? 0)
    }

    /// Of question and answer together at the most, estimated.
    var mostTokens: Int { promptTokens + Self.mostOfAnswer(prompt.function, settings) }

    /// An answer without a bound costs money and time without one.
    static func mostOfAnswer(_ function: ModelFunction, _ settings: ModelSettings) -> Int {
        if let configured = settings.maxTokens { return configured }
        return switch function {
        case .intent, .deviation: 500
        case .response: 400
        case .summary: 600
        }
    }

    private static func json(_ prompt: ModelPrompt, _ settings: ModelSettings) -> JSONValue {
        var messages: [JSONValue] = [["role": "system", "content": .string(prompt.system)]]
        messages += prompt.messages.map { ["role": .string($0.role.rawValue), "content": .string($0.text)] }
        var fields: [String: JSONValue] = [
            "model": .string(settings.model), "messages": .array(messages),
            "max_tokens": .integer(Int64(mostOfAnswer(prompt.function, settings))),
        ]
        if let temperature = settings.temperature { fields["temperature"] = .number(temperature) }
        if let schema = prompt.schema {
            fields["response_format"] = [
                "type": "json_schema", "json_schema": ["name": .string(schema.name), "strict": true, "schema": schema.schema],
            ]
        }
        return .object(fields)
    }
}
