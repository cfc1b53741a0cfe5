import Conversation
import NIOCore
import NIOPosix

/// An address on this machine; there is no way to make one that leaves it.
struct LoopbackAddress: Sendable, Equatable, CustomStringConvertible {
    let port: Int
    /// Without a trailing slash.
    let path: String

    /// Takes `http://127.0.0.1:PORT` or `http://localhost:PORT`, with or without a path. Throws `SandboxError.notLoopback`.
    init(_ text: String) throws {
        let prefixes = ["http://127.0.0.1:", "http://localhost:"]
        guard let prefix = prefixes.first(where: text.hasPrefix) else { throw SandboxError.notLoopback(text) }
        let rest = text.dropFirst(prefix.count)
        let digits = rest.prefix { $0 != "/" }
        guard let port = Int(digits), (1...65_535).contains(port), digits.first != "+" else { throw SandboxError.notLoopback(text) }
        let path = rest.dropFirst(digits.count)
        guard path.utf8.allSatisfy({ $0 > 32 && $0 < 127 }) else { throw SandboxError.notLoopback(text) }
        self.port = port
        self.path = path.hasSuffix("/") ? String(path.dropLast()) : String(path)
    }

    var description: String { "http://127.0.0.1:\(port)\(path)" }
}

/// A plain HTTP/1.1 client for this machine: one connection for each request.
struct LoopbackClient: Sendable {
    /// Why there is no answer.
    enum Failure: Error, Equatable {
        /// The other side closed or reset the connection, or the time was up.
        case noAnswer
        case unreadable
        case tooLarge
    }

    var timeout: Duration = .seconds(30)
    var largestAnswer = 64 << 20

    /// Throws `Failure` or the system's error of connecting.
    func send(
        _ method: String, port: Int, target: String, headers: [(name: String, value: String)] = [], body: [UInt8] = []
    ) async throws -> HTTPAnswer {
        let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .connectTimeout(.seconds(3))
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        let deadline = channel.channel.eventLoop.scheduleTask(in: .milliseconds(timeout.milliseconds)) {
            channel.channel.close(mode: .all, promise: nil)
        }
        defer { deadline.cancel() }
        return try await channel.executeThenClose { inbound, outbound in
            try await outbound.write(Self.request(method, port: port, target: target, headers: headers, body: body))
            return try await read(inbound)
        }
    }

    private func read(_ inbound: NIOAsyncChannelInboundStream<ByteBuffer>) async throws -> HTTPAnswer {
        var reader = AnswerReader()
        do {
            for try await part in inbound {
                if let answer = try reader.take(part.readableBytesView) { return answer }
                if reader.count > largestAnswer { throw Failure.tooLarge }
            }
        } catch let failure as Failure {
            throw failure
        } catch is IOError {
            throw Failure.noAnswer
        }
        guard let answer = reader.atEnd() else { throw Failure.noAnswer }
        return answer
    }

    private static func request(
        _ method: String, port: Int, target: String, headers: [(name: String, value: String)], body: [UInt8]
    ) -> ByteBuffer {
        var head = "\(method) \(target) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nConnection: close\r\nContent-Length: \(body.count)\r\n"
        for header in headers { head += "\(header.name): \(header.value)\r\n" }
        var buffer = ByteBuffer(string: head + "\r\n")
        buffer.writeBytes(body)
        return buffer
    }
}
