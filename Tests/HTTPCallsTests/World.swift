import Conversation
import HTTPCalls
import TestKit
import Testing

/// A client and one scripted server that it may reach.
final class World: Sendable {
    let client: CurlClient
    let server: ScriptedServer

    init(client: CurlClient? = nil, greeting: [ScriptedStep] = [], script: @escaping ScriptedServer.Script) throws {
        self.client = try client ?? CurlClient()
        server = try ScriptedServer(greeting: greeting, script: script)
    }

    deinit { server.stop() }

    func request(_ method: String, _ path: String = "/", pool: String = "salon") throws -> HTTPCall {
        HTTPCall(
            method: method, url: server.url(path), timeout: .seconds(10), pool: pool,
            allowPrivateAddresses: [try AddressRule(parsing: "127.0.0.1:\(server.port)")])
    }

    func call(
        _ method: String, _ path: String = "/", headers: [(String, String)] = [], body: [UInt8]? = nil, pool: String = "salon"
    ) async throws -> HTTPResult {
        var call = try request(method, path, pool: pool)
        call.headers = headers.map { (name: $0.0, value: $0.1) }
        call.body = body
        return await client.call(call)
    }

    func post(_ path: String, _ body: String, pool: String = "salon") async throws -> HTTPResult {
        try await call("POST", path, headers: [("Content-Type", "application/json")], body: Array(body.utf8), pool: pool)
    }
}

extension HTTPResult {
    /// The answer, or a recorded issue.
    func answer(_ location: SourceLocation = #_sourceLocation) throws -> HTTPAnswer {
        switch self {
        case .answer(let answer): return answer
        case .failed(let failure):
            Issue.record("no answer: \(failure)", sourceLocation: location)
            throw failure
        }
    }

    /// The failure, or a recorded issue.
    func failure(_ location: SourceLocation = #_sourceLocation) throws -> HTTPFailure {
        switch self {
        case .answer(let answer):
            Issue.record("unexpected answer with status \(answer.status)", sourceLocation: location)
            throw Unexpected.answer
        case .failed(let failure): return failure
        }
    }
}

enum Unexpected: Error { case answer }
