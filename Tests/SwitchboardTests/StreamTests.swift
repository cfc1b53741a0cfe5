import Conversation
import Foundation
import Synchronization
import Testing

@testable import Switchboard

@Suite(.timeLimit(.minutes(1))) struct StreamTests {
    /// What happened to the streams of one route.
    private final class Record: Sendable {
        let began: AsyncStream<Void>
        let ended: AsyncStream<Bool>
        private let beginning: AsyncStream<Void>.Continuation
        private let ending: AsyncStream<Bool>.Continuation
        private let count = Mutex(0)

        init() {
            (began, beginning) = AsyncStream.makeStream(bufferingPolicy: .unbounded)
            (ended, ending) = AsyncStream.makeStream(bufferingPolicy: .unbounded)
        }

        func begin() { beginning.yield() }
        /// Whether it was cancelled.
        func end() { ending.yield(Task.isCancelled) }
        func wrote() { count.withLock { $0 += 1 } }
        var written: Int { count.withLock { $0 } }
        func firstBegan() async { for await _ in began { return } }
        func firstEnded() async -> Bool? {
            for await wasCancelled in ended { return wasCancelled }
            return nil
        }
    }

    private static func route(_ path: String, _ stream: @escaping ChannelResponse.Stream) -> APIRoute {
        APIRoute(method: "GET", path: path, access: .channel("none"), summary: "A stream") { _ in
            ChannelResponse(status: 200, contentType: "text/event-stream", stream: stream)
        }
    }

    /// Says one thing and then waits for ever.
    private static func idle(_ record: Record) -> APIRoute {
        route("/idle") { write in
            defer { record.end() }
            try await write(Array("data: hello\n\n".utf8))
            record.begin()
            for await _ in AsyncStream<Never>.makeStream().stream {}
        }
    }

    /// Says as much as it is let.
    private static func flood(_ record: Record) -> APIRoute {
        route("/flood") { write in
            defer { record.end() }
            let piece = [UInt8](repeating: UInt8(ascii: "x"), count: 65_536)
            while true {
                try await write(piece)
                record.wrote()
                record.begin()
            }
        }
    }

    private static let plain = APIRoute(method: "GET", path: "/plain", access: .anyone, summary: "Answers") { request in
        .text(request.remoteAddress ?? "nowhere")
    }

    @Test func eachPieceArrivesWhenItIsWritten() async throws {
        let gates = AsyncStream<Void>.makeStream(bufferingPolicy: .unbounded)
        let route = Self.route("/steps") { write in
            try await write(Array("one;".utf8))
            for await _ in gates.stream { break }
            try await write(Array("two;".utf8))
        }
        try await LocalServer.with(routes: { _, _ in [route] }) { server in
            try await server.connect(LocalServer.request("/steps")) { incoming in
                let hasFirst = try await incoming.waits(for: "one;")
                #expect(hasFirst)
                #expect(!incoming.text.contains("two;"))
                gates.continuation.yield()
                let hasEnd = try await incoming.waits(for: "0\r\n\r\n")
                #expect(hasEnd)
                #expect(incoming.text.contains("two;"))
                let head = incoming.text.lowercased()
                #expect(head.hasPrefix("http/1.1 200") && head.contains("content-type: text/event-stream"))
                #expect(head.contains("transfer-encoding: chunked") && head.contains("x-request-id: "))
                #expect(head.contains("connection: close"), "or the caller would send its next request into a closing connection")
            }
        }
    }

    @Test func whoLeavesCancelsTheStream() async throws {
        let record = Record()
        try await LocalServer.with(routes: { _, _ in [Self.idle(record)] }) { server in
            try await server.connect(LocalServer.request("/idle")) { incoming in
                let hasBegun = try await incoming.waits(for: "hello")
                #expect(hasBegun)
            }
            #expect(await record.firstEnded() == true)
        }
    }

    /// The server itself cuts who never reads: without that the test would never end.
    @Test(.timeLimit(.minutes(1))) func aShutdownEndsEveryStream() async throws {
        let (idle, flood) = (Record(), Record())
        try await LocalServer.with(routes: { _, _ in [Self.idle(idle), Self.flood(flood)] }) { server in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<20 {
                    group.addTask {
                        let text = try await server.connect(LocalServer.request("/idle")) { try await $0.rest() }
                        #expect(text.hasSuffix("0\r\n\r\n"))
                    }
                }
                let (leave, leaving) = AsyncStream<Never>.makeStream()
                group.addTask {
                    // Never reads.
                    try await server.connect(LocalServer.request("/flood")) { _ in for await _ in leave {} }
                }
                var begun = idle.began.makeAsyncIterator()
                for _ in 0..<20 { await begun.next() }
                await flood.firstBegan()
                await server.shutDown()
                var ends = idle.ended.makeAsyncIterator()
                for _ in 0..<20 { #expect(await ends.next() == true) }
                #expect(await flood.firstEnded() != nil)
                leaving.finish()
                try await group.waitForAll()
            }
        }
    }

    @Test func whoNeverReadsHoldsNobodyUpAndFillsNoMemory() async throws {
        let record = Record()
        try await LocalServer.with(routes: { _, _ in [Self.flood(record), Self.plain] }) { server in
            try await server.connect(LocalServer.request("/flood")) { _ in
                await record.firstBegan()
                // Both ends' buffers fill up, then nothing more is taken.
                var last = -1
                while record.written != last {
                    last = record.written
                    for _ in 0..<20 {
                        let answer = try await server.get("/plain")
                        #expect(answer.hasSuffix("127.0.0.1"))
                    }
                }
                #expect(last < 400, "\(last) pieces of 64 KiB were taken for somebody who reads none")
            }
            #expect(await record.firstEnded() != nil)
        }
    }

    @Test func aStreamThatFailsEndsTheConnectionWithoutAnEnd() async throws {
        struct Broken: Error {}
        let route = Self.route("/broken") { write in
            try await write(Array("half".utf8))
            throw Broken()
        }
        try await LocalServer.with(routes: { _, _ in [route] }) { server in
            let text = try await server.get("/broken")
            #expect(text.contains("half") && !text.contains("0\r\n\r\n"))
        }
    }

    @Test func twoWritersOfOneStreamNeverMixTheirPieces() async throws {
        let route = Self.route("/two") { write in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for letter in ["a", "b"] {
                    group.addTask {
                        for _ in 0..<100 { try await write(Array("[\(String(repeating: letter, count: 10))]".utf8)) }
                    }
                }
                try await group.waitForAll()
            }
        }
        try await LocalServer.with(routes: { _, _ in [route] }) { server in
            let text = try await server.get("/two")
            for letter in ["a", "b"] {
                #expect(text.components(separatedBy: "[\(String(repeating: letter, count: 10))]").count == 101)
            }
        }
    }

    @Test func preflightsReachTheirRoute() async throws {
        let routes = ["GET", "OPTIONS"].map { method in
            APIRoute(method: method, path: "/web/{instance}/messages", access: .channel("origin"), summary: "") { request in
                ChannelResponse(
                    status: 204, headers: ["Access-Control-Allow-Methods": method, "X-Instance": request.parameters["instance"] ?? ""])
            }
        }
        try await LocalServer.with(routes: { _, _ in routes }) { server in
            let answer = try await server.get("/web/salon-web/messages", method: "OPTIONS").lowercased()
            #expect(answer.hasPrefix("http/1.1 204") && answer.contains("access-control-allow-methods: options"))
            #expect(answer.contains("x-instance: salon-web"))
            #expect(try await server.get("/web/salon-web/messages", method: "PUT").lowercased().contains("allow: get, options"))
        }
    }
}
