import Conversation

/// Stands in for an endpoint of the OpenAI form: chat completions, embeddings and the list of models. It understands by the examples in the
/// request itself, answers the same to the same request, and refuses whatever the form does not know.
struct ModelAPI: StandIn {
    static let models = ["gpt-4o-mini", "gpt-4o", "text-embedding-3-small"]

    /// Nil takes any caller.
    let key: String?
    let script: ModelScript
    let clock: any WallClock
    private let mind = ModelMind()

    init(key: String?, script: ModelScript, clock: any WallClock) {
        self.key = key
        self.script = script
        self.clock = clock
    }

    func received(_ request: StandInRequest) async throws {}

    func errorBody(status: Int) -> JSONValue { ModelError.onDemand(status: status).json }

    func answer(_ request: StandInRequest) async throws -> StandInAnswer {
        do {
            try authorize(request)
            return try await route(request)
        } catch let error as FieldError {
            return ModelError(error).answer
        } catch let error as ModelError {
            return error.answer
        }
    }

    private func authorize(_ request: StandInRequest) throws {
        guard let key else { return }
        guard let token = Bearer.token(of: request) else { throw ModelError.noKey }
        guard Signatures.areEqual(Array(token.utf8), Array(key.utf8)) else { throw ModelError.wrongKey }
    }

    private func route(_ request: StandInRequest) async throws -> StandInAnswer {
        switch (request.method, request.parts.dropFirst().joined(separator: "/")) {
        case ("POST", "v1/chat/completions"):
            let chat = try ChatRequest(request.json)
            try await request.pause(clock: clock)
            return .json(200, complete(chat, request))
        case ("POST", "v1/embeddings"):
            let wanted = try EmbeddingRequest(request.json)
            try await request.pause(clock: clock)
            return .json(200, embed(wanted))
        case ("GET", "v1/models"): return .json(200, ["object": "list", "data": .array(Self.models.map(Self.model))])
        default:
            throw ModelError("Invalid URL (\(request.method) \(request.path))", code: "unknown_url", status: 404)
        }
    }

    private static func model(_ id: String) -> JSONValue {
        ["id": .string(id), "object": "model", "created": 1_700_000_000, "owned_by": "sandbox"]
    }

    // MARK: Chat

    private func complete(_ chat: ChatRequest, _ request: StandInRequest) -> JSONValue {
        var line = script.line(for: chat.format) ?? ModelScript.Line(content: mind.answer(chat))
        let said = line.content ?? line.refusal ?? ""
        var completion = TokenCount.of(said)
        if let limit = chat.limit, completion > limit, let content = line.content {
            line.content = TokenCount.prefix(content, limit)
            line.finishReason = "length"
            completion = limit
        }
        let (number, usage) = script.count(.init(prompt: TokenCount.of(chat.messages), completion: completion))
        let digest = Hex.encode(Array(Signatures.sha256(request.body).prefix(8)))
        return [
            "id": .string("chatcmpl-\(digest)\(number)"), "object": "chat.completion", "model": .string(chat.model),
            "created": .integer(clock.now.milliseconds / 1000), "system_fingerprint": "fp_sandbox", "usage": Self.json(usage),
            "choices": [
                [
                    "index": 0, "finish_reason": .string(line.finishReason), "logprobs": nil,
                    "message": ["role": "assistant", "content": JSONValue(line.content), "refusal": JSONValue(line.refusal)],
                ]
            ],
        ]
    }

    private static func json(_ usage: ModelScript.Usage) -> JSONValue {
        [
            "prompt_tokens": .integer(Int64(usage.prompt)), "completion_tokens": .integer(Int64(usage.completion)),
            "total_tokens": .integer(Int64(usage.prompt + usage.completion)),
        ]
    }

    // MARK: Embeddings

    private func embed(_ wanted: EmbeddingRequest) -> JSONValue {
        let tokens = wanted.inputs.reduce(0) { $0 + TokenCount.of($1) }
        _ = script.count(.init(prompt: tokens, completion: 0), isEmbedding: true)
        let vectors = wanted.inputs.enumerated().map { index, text -> JSONValue in
            ["object": "embedding", "index": .integer(Int64(index)), "embedding": wanted.encoded(Embedding.of(text, wanted.dimensions))]
        }
        return [
            "object": "list", "model": .string(wanted.model), "data": .array(vectors),
            "usage": ["prompt_tokens": .integer(Int64(tokens)), "total_tokens": .integer(Int64(tokens))],
        ]
    }
}
