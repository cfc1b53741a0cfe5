import Conversation
import HTTPCalls
import TestKit
import Testing

@Suite(.timeLimit(.minutes(1)))
struct LimitTests {
    private static let chunk = Array("1000\r\n".utf8) + [UInt8](repeating: 0x61, count: 4096) + Array("\r\n".utf8)
    private static let chunkedHead = ScriptedStep.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")

    private func failure(_ steps: [ScriptedStep]) async throws -> HTTPFailure {
        let world = try World { _ in steps }
        let failure = try await world.post("/", "{}").failure()
        await world.server.until { $0.ended == 1 }
        return failure
    }

    @Test func endlessChunkedBodyIsCutOff() async throws {
        let failure = try await failure([Self.chunkedHead, .sendForever(Self.chunk)])
        #expect(failure.kind == .tooLarge)
        #expect(failure.mayHaveBeenSent)
    }

    @Test func endlessBodyWithoutLengthIsCutOff() async throws {
        #expect(try await failure([.send("HTTP/1.1 200 OK\r\n\r\n"), .sendForever(Self.chunk)]).kind == .tooLarge)
    }

    @Test func compressedBombIsCutOffByItsDecodedSize() async throws {
        let bomb = Gzip.zeros(50_000_000)
        #expect(bomb.count < 330_000)
        let failure = try await failure([.answer(200, headers: [("Content-Encoding", "gzip")], body: bomb), .fallSilent])
        #expect(failure.kind == .tooLarge)
        #expect(failure.mayHaveBeenSent)
    }

    @Test func bodyOfExactlyTheLimitIsTakenAndOneMoreByteIsNot() async throws {
        let world = try World { request in [.answer(200, body: [UInt8](repeating: 1, count: request.target == "/fits" ? 1000 : 1001))] }
        var call = try world.request("GET", "/fits")
        call.maxResponseBytes = 1000
        #expect(try await world.client.call(call).answer().body.count == 1000)
        call.url = world.server.url("/more")
        #expect(try await world.client.call(call).failure().kind == .tooLarge)
    }

    @Test func manyHeadersAreCutOff() async throws {
        let lines = (0..<300).map { "X-\($0): \(String(repeating: "h", count: 1000))\r\n" }.joined()
        let failure = try await failure([.send("HTTP/1.1 200 OK\r\n\(lines)Content-Length: 0\r\n\r\n"), .fallSilent])
        #expect(failure.kind == .tooLarge)
        #expect(failure.mayHaveBeenSent)
    }

    @Test func oneHugeHeaderIsCutOff() async throws {
        let failure = try await failure([
            .send("HTTP/1.1 200 OK\r\nX-Huge: \(String(repeating: "h", count: 300_000))\r\n\r\n"), .fallSilent,
        ])
        #expect(failure.kind == .tooLarge)
        #expect(failure.mayHaveBeenSent)
    }

    @Test func endlessHeadersAreCutOff() async throws {
        #expect(try await failure([.send("HTTP/1.1 200 OK\r\n"), .sendForever(Array("X-More: 1\r\n".utf8))]).kind == .tooLarge)
    }

    @Test func endlessInterimAnswersAreCutOff() async throws {
        #expect(try await failure([.sendForever(Array("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n".utf8))]).kind == .tooLarge)
    }

    @Test func endlessTrailersAreCutOff() async throws {
        #expect(try await failure([Self.chunkedHead, .send("0\r\n"), .sendForever(Array("X-More: 1\r\n".utf8))]).kind == .tooLarge)
    }

    @Test func answerShorterThanItsLengthIsNoAnswer() async throws {
        let failure = try await failure([.send("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"ok\":"), .close])
        #expect(failure.kind == .reset)
        #expect(failure.mayHaveBeenSent)
    }

    @Test func answerLongerThanItsLengthIsCutThere() async throws {
        let world = try World { _ in [.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}{\"more\":1}")] }
        #expect(try await world.post("/", "{}").answer().body == Array("{}".utf8))
        _ = try await world.post("/", "{}").answer()
        #expect(world.server.log.accepted == 2)
    }

    @Test(arguments: [
        "SSH-2.0-OpenSSH\r\n", "{\"ok\":true}", "HTTP/1.1 200 OK\r\nContent-Length: minus one\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnothex\r\n{}\r\n",
        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 8\r\n\r\nnot gzip",
        "HTTP/1.1 200 OK\r\nContent-Encoding: made-up\r\nContent-Length: 2\r\n\r\n{}",
    ])
    func answerThatIsNoHTTPIsAFailureThatMayHaveBeenSent(raw: String) async throws {
        let failure = try await failure([.send(raw), .close])
        #expect([.protocolError, .reset].contains(failure.kind))
        #expect(failure.mayHaveBeenSent)
    }

    @Test func largeAnswersDoNotPileUpInMemory() async throws {
        let client = try CurlClient()
        let world = try World(client: client) { _ in [Self.chunkedHead, .sendForever(Self.chunk)] }
        for _ in 0..<50 { #expect(try await world.post("/", "{}").failure().kind == .tooLarge) }
        let before = Memory.residentBytes()
        for _ in 0..<400 { #expect(try await world.post("/", "{}").failure().kind == .tooLarge) }
        // Kept bodies would be 100 MB; other suites run beside this one.
        #expect(Memory.residentBytes() - before < 60_000_000)
    }
}
