import Conversation
import HTTPCalls
import JSON
import Synchronization
import TestKit
import Testing

@testable import Models

/// A model behind a real server that does what a test says.
final class ModelWorld: Sendable {
    let server: ScriptedServer
    let ledger = NotedUsage()
    let model: ChatCompletions
    let clock: any WallClock

    static let brand = BrandID(rawValue: "salon")
    static let subject = ModelSubject(brand: brand, instance: InstanceID(rawValue: "salon-web"))
    static let key = "model-key-0123456789"

    init(
        clock: any WallClock = SystemClock(), maxConcurrent: Int = 8, timeout: Duration = .seconds(60), dailyTokens: Int? = nil,
        functions: [ModelFunction: ModelSettings]? = nil, script: @escaping ScriptedServer.Script
    ) throws {
        self.clock = clock
        server = try ScriptedServer(script: script)
        let configuration = ModelConfiguration(
            baseURL: server.url("/v1"), apiKey: Secret(Self.key),
            functions: functions ?? [
                .intent: ModelSettings(model: "tiny", temperature: 0.3, maxTokens: 200), .response: ModelSettings(model: "tiny"),
            ],
            prices: ["tiny": ModelPrice(inputPerMillion: 1, outputPerMillion: 2, currency: "USD")], timeout: timeout,
            maxConcurrent: maxConcurrent, dailyTokens: dailyTokens,
            allowPrivateAddresses: [try AddressRule(parsing: "127.0.0.1:\(server.port)")])
        model = ChatCompletions(
            brand: Self.brand, configuration: configuration, http: try CurlClient(), clock: clock, ids: SystemIDs(), usage: ledger)
    }

    deinit { server.stop() }

    func prompt(_ text: String = "hello", within: Duration = .seconds(60), schema: ModelSchema? = nil, function: ModelFunction = .intent)
        -> ModelPrompt
    {
        ModelPrompt(
            function: function, system: "Sort it.", messages: [ModelMessage(role: .user, text: text)], schema: schema,
            subject: Self.subject, deadline: clock.now + within)
    }

    static let anySchema = ModelSchema(name: "any", schema: ["type": "object"])
}

/// What was set aside and used, in order.
final class NotedUsage: UsageLedger {
    private struct State {
        var reserved: [UniqueID: Int] = [:]
        var records: [ModelUsage] = []
        var refuses = false
    }
    private let state = Mutex(State())

    var records: [ModelUsage] { state.withLock { $0.records } }
    /// Reservations that no record ended.
    var open: Int { state.withLock { $0.reserved.count } }
    func refuse() { state.withLock { $0.refuses = true } }

    func reserve(_ tokens: Int, id: UniqueID, brand: BrandID, dailyTokens: Int?) async -> Bool {
        state.withLock { state in
            if state.refuses || tokens > dailyTokens ?? .max { return false }
            state.reserved[id] = tokens
            return true
        }
    }

    func record(_ usage: ModelUsage) async {
        state.withLock { state in
            state.reserved[usage.id] = nil
            state.records.append(usage)
        }
    }
}

enum Completion {
    static func body(
        _ content: JSONValue, finish: JSONValue = "stop", refusal: JSONValue = .null,
        usage: JSONValue? = ["prompt_tokens": 40, "completion_tokens": 7, "total_tokens": 47]
    ) -> String {
        var fields: [String: JSONValue] = [
            "id": "chatcmpl-1", "object": "chat.completion", "created": 1_800_000_000, "model": "tiny",
            "choices": [
                ["index": 0, "finish_reason": finish, "message": ["role": "assistant", "content": content, "refusal": refusal]]
            ],
        ]
        if let usage { fields["usage"] = usage }
        return CanonicalJSON.text(.object(fields))
    }

    static func step(_ content: String) -> ScriptedStep {
        .answer(headers: [("Content-Type", "application/json")], body(.string(content)))
    }
}

extension ModelResult {
    var text: String? { if case .answer(let text) = self { text } else { nil } }
    var failure: ModelFailure? { if case .failed(let failure) = self { failure } else { nil } }
}
