import Conversation
import Foundation

/// What the stand-ins can prove after a crash of theirs or of the gateway: each request and each write call that arrived, each effect, each
/// webhook that was acknowledged. `StandInRecords` reads it.
struct Ledger: Sendable {
    static let callsName = "ledger.jsonl"
    static let effectsName = "effects.jsonl"
    static let acknowledgedName = "acknowledged.jsonl"
    static let requestsName = "requests.jsonl"

    private let directory: String
    private let tokens: [String: String]
    private let calls: JSONLinesFile
    private let effects: JSONLinesFile
    private let acknowledged: JSONLinesFile
    private let requests: JSONLinesFile

    /// Makes the directory when it is missing. `tokens` tell of callers whose brand they are. Throws `SandboxError.cannotOpen`.
    init(directory: String, tokens: [String: String] = [:]) throws {
        do {
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        } catch {
            throw SandboxError.cannotOpen(path: directory, reason: "\(error)")
        }
        self.directory = directory
        self.tokens = tokens
        calls = try JSONLinesFile(path: "\(directory)/\(Self.callsName)")
        effects = try JSONLinesFile(path: "\(directory)/\(Self.effectsName)")
        acknowledged = try JSONLinesFile(path: "\(directory)/\(Self.acknowledgedName)")
        // Every request of every conversation stands here: to wait for the disk each time would slow them all down.
        requests = try JSONLinesFile(path: "\(directory)/\(Self.requestsName)", isDurable: false)
    }

    /// Written before anything is done about a request; returns what its answer is noted under. Tokens are not written down.
    func recordRequest(_ request: StandInRequest, at: Timestamp) async throws -> String {
        let id = UUID().uuidString
        let query = request.query.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: "&")
        try await requests.append([
            "id": .string(id), "at": .string(at.description), "method": .string(request.method), "path": .string(request.path),
            "query": .string(query), "brand": JSONValue(SandboxInstance.brand(of: request, tokens: tokens)),
            "headers": .object(request.headers.filter { $0.key != "authorization" }.mapValues(JSONValue.string)),
            "body": .string(String(decoding: request.body, as: UTF8.self)),
            "reference": JSONValue(request.json?["biz_opaque_callback_data"]?.string),
        ])
        return id
    }

    /// Written before the answer leaves, and never for a connection that was dropped.
    func recordAnswer(to id: String, status: Int) async throws {
        try await requests.append(["id": .string(id), "status": .integer(Int64(status))])
    }

    /// Written before a write call has any effect, whatever becomes of it.
    func recordCall(_ request: StandInRequest, at: Timestamp) async throws {
        let attempt = request.headers.filter { $0.key.hasPrefix("webhook-") || $0.key == "traceparent" }
        try await calls.append([
            "at": .string(at.description), "method": .string(request.method), "path": .string(request.path),
            "key": JSONValue(request.headers["idempotency-key"]), "body_sha256": .string(Hex.encode(Signatures.sha256(request.body))),
            "body": .string(String(decoding: request.body, as: UTF8.self)), "attempt": .object(attempt.mapValues(JSONValue.string)),
        ])
    }

    /// Written after a write call took effect: at most once per key when keys are honoured. What is `kept` is answered to the same call
    /// again, by later processes too.
    func recordEffect(_ request: StandInRequest, _ answer: StandInAnswer, isKept: Bool, at: Timestamp) async throws {
        try await effects.append([
            "at": .string(at.description), "method": .string(request.method), "path": .string(request.path),
            "key": JSONValue(request.headers["idempotency-key"]), "body_sha256": .string(Hex.encode(Signatures.sha256(request.body))),
            "status": .integer(Int64(answer.status)), "answer": isKept ? .string(String(decoding: answer.body, as: UTF8.self)) : .null,
        ])
    }

    /// What earlier processes answered to calls that took effect, oldest first. Throws `SandboxError.cannotRead`.
    func keptAnswers() throws -> [KeptAnswer] {
        try StandInRecords.lines(KeptAnswer.self, "\(directory)/\(Self.effectsName)").map { $0.0 }
    }

    /// Written for each message and status in a webhook that the gateway answered 200.
    func recordAcknowledged(_ items: [AcknowledgedItem], at: Timestamp) async throws {
        for item in items {
            try await acknowledged.append([
                "at": .string(at.description), "kind": .string(item.kind), "id": .string(item.id), "status": JSONValue(item.status),
                "phone_number_id": JSONValue(item.phoneNumberID),
            ])
        }
    }
}
