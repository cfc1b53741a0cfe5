import Conversation
import NIOCore
import NIOPosix
import Synchronization

/// Sends prepared HTTP/1.1 requests over kept-alive connections, one at a time on each, as fast as they are answered.
final class LoadGenerator: Sendable {
    struct Outcome: Sendable {
        var seconds: Double
        var good: Int
        var bad: Int
    }

    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    private let port: Int
    private let connections: Int

    init(port: Int, connections: Int) {
        self.port = port
        self.connections = connections
    }

    /// Every request is sent once. `good` counts answers of status 200.
    func run(_ requests: [[UInt8]]) async throws -> Outcome {
        let plan = LoadPlan(requests: requests)
        let bootstrap = ClientBootstrap(group: group).channelOption(.tcpOption(.tcp_nodelay), value: 1).channelInitializer { channel in
            channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(LoadHandler(plan: plan)) }
        }
        var channels: [any NIOCore.Channel] = []
        for _ in 0..<connections { channels.append(try await bootstrap.connect(host: "127.0.0.1", port: port).get()) }
        let started = ContinuousClock.now
        for channel in channels { channel.triggerUserOutboundEvent(LoadHandler.Start(), promise: nil) }
        for channel in channels { try await channel.closeFuture.get() }
        let elapsed = ContinuousClock.now - started
        let (good, bad) = plan.counts.withLock { $0 }
        return Outcome(seconds: elapsed.seconds, good: good, bad: bad)
    }

    func close() async throws { try await group.shutdownGracefully() }
}

/// What is left to send, shared by the connections.
private final class LoadPlan: Sendable {
    let requests: [[UInt8]]
    let next = Atomic<Int>(0)
    let counts = Mutex((good: 0, bad: 0))

    init(requests: [[UInt8]]) { self.requests = requests }

    func take() -> [UInt8]? {
        let index = next.add(1, ordering: .relaxed).oldValue
        return index < requests.count ? requests[index] : nil
    }
}

/// One connection. Used on its event loop only.
private final class LoadHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer
    struct Start {}

    private let plan: LoadPlan
    private var received = ByteBuffer()

    init(plan: LoadPlan) { self.plan = plan }

    func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
        if event is Start { sendNext(context) }
        promise?.succeed()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var chunk = unwrapInboundIn(data)
        received.writeBuffer(&chunk)
        while let status = takeAnswer() {
            plan.counts.withLock { if status == 200 { $0.good += 1 } else { $0.bad += 1 } }
            sendNext(context)
        }
    }

    private func sendNext(_ context: ChannelHandlerContext) {
        guard let request = plan.take() else { return context.close(promise: nil) }
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: request)), promise: nil)
    }

    /// The status of one whole answer, taken out of the buffer; nil while it is not complete.
    private func takeAnswer() -> Int? {
        let view = received.readableBytesView
        guard let end = view.firstRange(of: Array("\r\n\r\n".utf8)) else { return nil }
        let head = String(decoding: view[..<end.lowerBound], as: UTF8.self).lowercased()
        let length = head.split(separator: "\r\n").first { $0.hasPrefix("content-length:") }
            .flatMap { Int($0.dropFirst("content-length:".count).drop { $0 == " " }) }
        let total = end.upperBound - view.startIndex + (length ?? 0)
        guard received.readableBytes >= total else { return nil }
        received.moveReaderIndex(forwardBy: total)
        received.discardReadBytes()
        return head.split(separator: " ").dropFirst().first.flatMap { Int($0) }
    }
}
