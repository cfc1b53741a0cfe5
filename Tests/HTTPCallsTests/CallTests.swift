import Conversation
import Foundation
import HTTPCalls
import TestKit
import Testing

@Suite(.timeLimit(.minutes(1)))
struct CallTests {
    @Test func answerCarriesStatusHeadersAndBody() async throws {
        let world = try World { _ in
            [.answer(201, headers: [("X-Order", "7"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")], "{\"ok\":true}")]
        }
        let answer = try await world.post("/orders?day=mon", "{\"cut\":\"short\"}").answer()
        #expect(answer.status == 201)
        #expect(answer.header("x-order") == "7")
        #expect(answer.headers.filter { $0.name == "set-cookie" }.map(\.value) == ["a=1", "b=2"])
        #expect(answer.body == Array("{\"ok\":true}".utf8))
        let request = try #require(world.server.requests.first)
        #expect(request.method == "POST")
        #expect(request.target == "/orders?day=mon")
        #expect(request.text == "{\"cut\":\"short\"}")
        #expect(request.header("content-length") == "15")
        #expect(request.header("content-type") == "application/json")
        #expect(request.header("accept-encoding") == "gzip")
        #expect(request.header("expect") == nil)
    }

    @Test(arguments: ["GET", "DELETE", "POST", "PUT", "PATCH", "OPTIONS", "HEAD"])
    func methodIsSentAsGiven(method: String) async throws {
        let world = try World { $0.method == "HEAD" ? [.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n")] : [.answer(200, "{}")] }
        _ = try await world.call(method).answer()
        let request = try #require(world.server.requests.first)
        #expect(request.method == method)
        #expect(request.body.isEmpty)
        #expect(request.header("content-length") == (["POST", "PUT", "PATCH"].contains(method) ? "0" : nil))
        #expect(request.header("content-type") == nil)
    }

    @Test func bodyBytesArriveUnchanged() async throws {
        let world = try World { _ in [.answer()] }
        let body = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
        _ = try await world.call("PUT", body: body).answer()
        #expect(world.server.requests.first?.body == body)
    }

    @Test func emptyHeaderValueIsSentAsEmpty() async throws {
        let world = try World { _ in [.answer()] }
        _ = try await world.call("GET", headers: [("X-Empty", ""), ("X-Full", "ä;b")]).answer()
        #expect(world.server.requests.first?.header("x-empty") == "")
        #expect(world.server.requests.first?.header("x-full") == "ä;b")
    }

    @Test func interimAnswersAndTrailersDoNotBecomeHeaders() async throws {
        let world = try World { _ in
            [
                .send("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-Real: 1\r\n\r\n"),
                .send("2\r\n{}\r\n0\r\nRetry-After: 9\r\nX-Late: 1\r\n\r\n"),
            ]
        }
        let answer = try await world.call("GET").answer()
        #expect(answer.status == 200)
        #expect(answer.headers.map(\.name) == ["transfer-encoding", "x-real"])
        #expect(answer.body == Array("{}".utf8))
    }

    @Test func redirectIsAnAnswerAndIsNotFollowed() async throws {
        let other = try World { _ in [.answer()] }
        let target = other.server.url("/elsewhere")
        let world = try World { _ in [.answer(307, headers: [("Location", target)])] }
        let answer = try await world.post("/", "{}").answer()
        #expect(answer.status == 307)
        #expect(answer.header("location") == target)
        #expect(other.server.log.accepted == 0)
    }

    @Test func gzipIsDecoded() async throws {
        let plain = Array(String(repeating: "zero sum ", count: 500).utf8)
        let world = try World { _ in [.answer(200, headers: [("Content-Encoding", "gzip")], body: Gzip.stored(plain))] }
        #expect(try await world.call("GET").answer().body == plain)
    }

    @Test func targetIsSentByteByByte() async throws {
        let world = try World { _ in [.answer()] }
        _ = try await world.call("GET", "/a%2Fb/%2e%2ex/c%20d?q=%26%3D&e=").answer()
        #expect(world.server.requests.first?.target == "/a%2Fb/%2e%2ex/c%20d?q=%26%3D&e=")
    }
}
