import Conversation
import Foundation
import NIOCore
import NIOPosix
import Text

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// The event stream over plain HTTP/1.1. Foundation's client on Linux keeps a core busy for as long as a stream is open, so this one is ours.
enum PlainEventStream {
    /// Longer than any pause between heart-beats.
    private static let silence = TimeAmount.seconds(60)

    /// What `WebChatEvents.connect` returns, for a request whose scheme is `http`.
    static func connect(_ request: URLRequest) -> AsyncThrowingStream<WebChatEvents.Part, any Error> {
        let (stream, parts) = AsyncThrowingStream.makeStream(of: WebChatEvents.Part.self, bufferingPolicy: .unbounded)
        // Lives as long as somebody reads the stream.
        let task = Task {
            do {
                try await run(request, parts)
                parts.finish()
            } catch let failure as ChatFailure {
                parts.finish(throwing: failure)
            } catch {
                parts.finish(throwing: ChatFailure.unreachable("the connection was lost: \(error)"))
            }
        }
        parts.onTermination = { _ in task.cancel() }
        return stream
    }

    private static func run(_ request: URLRequest, _ parts: AsyncThrowingStream<WebChatEvents.Part, any Error>.Continuation) async throws {
        guard let url = request.url, let host = url.host else { throw ChatFailure.unreachable("the address names no host") }
        let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup).connectTimeout(.seconds(5))
            .connect(host: host, port: url.port ?? 80) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        try await channel.executeThenClose { inbound, outbound in
            try await outbound.write(ByteBuffer(string: head(of: request, url: url, host: host)))
            var reader = PlainAnswerReader()
            var parser = EventStreamParser()
            var deadline = closing(channel.channel)
            defer { deadline.cancel() }
            for try await buffer in inbound {
                deadline.cancel()
                deadline = closing(channel.channel)
                let wasOpen = reader.status != nil
                let bytes = try reader.feed(buffer.readableBytesView)
                guard let status = reader.status else { continue }
                if !wasOpen {
                    if let failure = WebChatAPI.failure(status: status, retryAfter: reader.headers["retry-after"], path: url.path, .null) {
                        throw failure
                    }
                    parts.yield(.opened)
                }
                for event in parser.feed(bytes) { parts.yield(.event(event)) }
                if reader.isComplete { return }
            }
        }
    }

    private static func closing(_ channel: any NIOCore.Channel) -> Scheduled<Void> {
        channel.eventLoop.scheduleTask(in: silence) { channel.close(mode: .all, promise: nil) }
    }

    private static func head(of request: URLRequest, url: URL, host: String) -> String {
        let query = url.query.map { "?\($0)" } ?? ""
        let port = url.port.map { ":\($0)" } ?? ""
        let fields = (request.allHTTPHeaderFields ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)\r\n" }.joined()
        return "GET \(url.path)\(query) HTTP/1.1\r\nHost: \(host)\(port)\r\n\(fields)\r\n"
    }
}

/// Reads an answer of HTTP/1.1: the head, then a body in chunks or up to the end of the connection.
struct PlainAnswerReader {
    /// In bytes; no server of ours sends more.
    private static let longestHead = 64 << 10

    private(set) var status: Int?
    private(set) var headers: [String: String] = [:]
    /// The last chunk has come.
    private(set) var isComplete = false
    private var pending: [UInt8] = []
    /// Bytes left of the current chunk.
    private var left = 0

    /// The bytes of the body that these complete. Throws `ChatFailure` for what is no HTTP.
    mutating func feed(_ bytes: some Sequence<UInt8>) throws -> [UInt8] {
        pending += bytes
        if status == nil, try !readHead() { return [] }
        guard headers["transfer-encoding"]?.lowercased() == "chunked" else {
            defer { pending = [] }
            return pending
        }
        return try readChunks()
    }

    private mutating func readHead() throws -> Bool {
        let text = String(decoding: pending.prefix(Self.longestHead), as: UTF8.self)
        guard let end = text.range(of: "\r\n\r\n") else {
            if pending.count > Self.longestHead { throw ChatFailure.unreachable("the answer is not HTTP") }
            return false
        }
        let lines = text[..<end.lowerBound].components(separatedBy: "\r\n")
        guard let first = lines.first, first.hasPrefix("HTTP/1."),
            let code = first.split(separator: " ").dropFirst().first.flatMap({ Int($0) })
        else { throw ChatFailure.unreachable("the answer is not HTTP") }
        for line in lines.dropFirst() {
            let pieces = line.split(separator: ":", maxSplits: 1)
            if pieces.count == 2 { headers[pieces[0].lowercased()] = pieces[1].trimmingCharacters(in: .whitespaces) }
        }
        status = code
        pending.removeFirst(text[..<end.upperBound].utf8.count)
        return true
    }

    private mutating func readChunks() throws -> [UInt8] {
        var body: [UInt8] = []
        var index = 0
        defer { pending.removeFirst(index) }
        while index < pending.count, !isComplete {
            if left > 0 {
                let end = min(index + left, pending.count)
                body += pending[index..<end]
                left -= end - index
                index = end
                continue
            }
            guard let end = pending[index...].firstIndex(of: 10) else { break }
            let line = String(decoding: pending[index..<end], as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
            index = end + 1
            // The end of the chunk before.
            if line.isEmpty { continue }
            guard let size = Int(line.prefix { $0 != ";" }, radix: 16), size >= 0 else {
                throw ChatFailure.unreachable("the answer is not HTTP")
            }
            if size == 0 { isComplete = true }
            left = size
        }
        return body
    }
}
