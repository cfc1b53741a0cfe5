import Conversation
import HTTPCalls
import TestKit
import Testing

@Suite(.timeLimit(.minutes(1)))
struct RequestTests {
    private func refusal(_ change: (inout HTTPCall) -> Void) async throws -> HTTPFailure {
        let world = try World { _ in [.answer()] }
        var call = try world.request("POST")
        call.body = [1]
        change(&call)
        let failure = try await world.client.call(call).failure()
        #expect(world.server.log.accepted == 0)
        #expect(!failure.mayHaveBeenSent)
        return failure
    }

    @Test(arguments: ["a\r\nX-Evil: 1", "a\nb", "a\rb", "a\u{0}b", "a\u{1}", "\u{7F}", "\u{1B}[0m"])
    func controlCharacterInAHeaderValueIsRefused(value: String) async throws {
        #expect(try await refusal { $0.headers = [(name: "X-Name", value: value)] }.kind == .invalidRequest)
    }

    @Test(arguments: ["", "X Name", "X-Name:", "X-Näme", "X\r\nY", "X\u{0}", "X-Name;", "(x)"])
    func headerNameThatIsNoTokenIsRefused(name: String) async throws {
        #expect(try await refusal { $0.headers = [(name: name, value: "1")] }.kind == .invalidRequest)
    }

    @Test(arguments: ["Content-Length", "TRANSFER-ENCODING", "Host", "connection", "Upgrade", "Expect"])
    func headersThatFrameTheRequestAreNotTheCallers(name: String) async throws {
        #expect(try await refusal { $0.headers = [(name: name, value: "1")] }.kind == .invalidRequest)
    }

    @Test(arguments: ["", "GET / HTTP/1.1\r\n", "P\u{0}ST", "PO ST", "CONNECT", "connect", String(repeating: "A", count: 33)])
    func methodThatIsNoTokenIsRefused(method: String) async throws {
        #expect(try await refusal { $0.method = method }.kind == .invalidRequest)
    }

    @Test(arguments: [
        "", "/only/a/path", "127.0.0.1/", "ftp://127.0.0.1/", "file:///etc/passwd", "gopher://127.0.0.1/", "http:/127.0.0.1/", "http://",
        "http:///path", "http://user@127.0.0.1/", "http://user:word@127.0.0.1/", "http://@127.0.0.1/", "http://a\\@127.0.0.1/",
        "http://127.0.0.1:0/", "http://127.0.0.1:65536/", "http://127.0.0.1:+80/", "http://127.0.0.1:8x/", "http://127.0.0.1/a b",
        "http://127.0.0.1/a\r\nX: 1", "http://127.0.0.1/\u{0}", "http://127.0.0.1/ä", "http://127.0.0.1/#part", "http://127.0.0.1#@x/",
        "http://127.0.0.1/a/../b", "http://127.0.0.1/..", "http://127.0.0.1/./b", "http://127.0.0.1/%2e%2E/b", "http://127.0.0.1/.%2e/b",
        "http://127.0.0.1/%", "http://127.0.0.1/%zz", "http://127.0.0.1/a%2", "http://127.0.0.1/?q=%4", "http://[::1/",
        "http://[fe80::1%25lo]/",
        "http://127.0.0.1,evil/", "http://[127.0.0.1]/", " http://127.0.0.1/", "http://127.0.0.1/{id}",
        "http://" + String(repeating: "a", count: 254),
    ])
    func urlThatCouldMeanSomethingElseIsRefused(url: String) async throws {
        #expect(try await refusal { $0.url = url }.kind == .invalidRequest)
    }

    @Test func urlOfAnyLengthDoesNotReachTheWire() async throws {
        let failure = try await refusal { $0.url += String(repeating: "a", count: 20_000) }
        #expect(failure.kind == .invalidRequest)
    }

    @Test func refusalDoesNotRepeatTheValue() async throws {
        let failure = try await refusal { $0.headers = [(name: "Authorization", value: "Bearer canary\n")] }
        #expect(!failure.detail.contains("canary"))
    }

    @Test(arguments: [
        ("", ""), ("plain-._~09AZ", "plain-._~09AZ"), ("a/b", "a%2Fb"), ("a b", "a%20b"), ("100%", "100%25"), ("?#&=+", "%3F%23%26%3D%2B"),
        ("é", "%C3%A9"), ("👍", "%F0%9F%91%8D"), ("\r\n\u{0}", "%0D%0A%00"), ("!*'();:@$,[]", "%21%2A%27%28%29%3B%3A%40%24%2C%5B%5D"),
    ])
    func everythingButUnreservedCharactersIsEncoded(plain: String, encoded: String) {
        #expect(PercentEncoding.pathPart(plain) == encoded)
        #expect(PercentEncoding.queryComponent(plain) == encoded)
    }

    @Test func queryKeepsItsOrder() {
        #expect(PercentEncoding.query([("day", "next monday"), ("a&b", "1=2"), ("empty", "")]) == "day=next%20monday&a%26b=1%3D2&empty=")
        #expect(PercentEncoding.query([]) == "")
    }
}
