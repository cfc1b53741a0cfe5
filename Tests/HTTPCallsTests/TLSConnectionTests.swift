import Conversation
import HTTPCalls
import TestKit
import Testing

/// Kept connections with TLS.
@Suite(.timeLimit(.minutes(1))) struct TLSConnectionTests {
    private func with(_ body: (TLSServer, CurlClient, HTTPCall) async throws -> Void) async throws {
        let server = try TLSServer()
        defer { server.stop() }
        let client = try CurlClient(settings: ClientSettings(certificateAuthorities: server.authorities))
        let call = HTTPCall(
            method: "GET", url: "https://127.0.0.1:\(server.port)/", timeout: .seconds(10), pool: "salon",
            allowPrivateAddresses: [try AddressRule(parsing: "127.0.0.1:\(server.port)")])
        try await body(server, client, call)
        await client.shutdown()
    }

    private func ask(_ client: CurlClient, _ call: HTTPCall) async throws -> String {
        String(decoding: try await client.call(call).answer().body, as: UTF8.self)
    }

    @Test func aConnectionIsKept() async throws {
        try await with { (_, client, call) async throws in
            for _ in 1...4 { #expect(try await ask(client, call) == "ok 1") }
        }
    }

    @Test func bytesThatComeOnAnIdleConnectionAreNotTheNextAnswer() async throws {
        try await with { (server, client, call) async throws in
            #expect(try await ask(client, call) == "ok 1")
            #expect(try await server.plant("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nplanted") == "planted")
            // The spoilt connection is left, and the one in its place is kept.
            for _ in 1...3 { #expect(try await ask(client, call) == "ok 2") }
        }
    }
}
