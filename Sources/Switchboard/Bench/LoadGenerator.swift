import Conversation
import NIOCore
import NIOPosix
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Sends prepared HTTP/1.1 requests over kept-alive connections, one at a time on each, as fast as they are answered.
final class LoadGenerator: Sendable {
    struct Outcome: Sendable {
        var seconds: Double
        /// Of the whole process, both sides of the connections.
        var processorSeconds: Double
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
        let before = Self.processorSeconds()
        for channel in channels { channel.triggerUserOutboundEvent(LoadHandler.Start(), promise: nil) }
        for channel in channels { try await channel.closeFuture.get() }
        let elapsed = ContinuousClock.now - started
        let (good, bad) = plan.counts.withLock { $0 }
        return Outcome(seconds: elapsed.seconds, processorSeconds: Self.processorSeconds() - before, good: good, bad: bad)
    }

    /// What this process has taken of the processors so far, kernel included.
    private static func processorSeconds() -> Double {
        var time = timespec()
        guard clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) == 0 else { return 0 }
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1_000_000_000
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
        let whole: (status: Int, bytes: Int)? = received.withUnsafeReadableBytes { bytes in
            guard bytes.count > 12, let end = Self.headEnd(bytes) else { return nil }
            let status = bytes[9..<12].reduce(0) { $0 * 10 + Int($1) - 48 }
            let total = end + Self.contentLength(bytes[..<end])
            return bytes.count >= total ? (status, total) : nil
        }
        guard let whole else { return nil }
        received.moveReaderIndex(forwardBy: whole.bytes)
        received.discardReadBytes()
        return whole.status
    }

    private static func headEnd(_ bytes: UnsafeRawBufferPointer) -> Int? {
        var index = 3
        while index < bytes.count {
            if bytes[index] == 10, bytes[index - 1] == 13, bytes[index - 2] == 10 { return index + 1 }
            index += 1
        }
        return nil
    }

    /// Looks for the one header that ends in `-length:`.
    private static func contentLength(_ head: Slice<UnsafeRawBufferPointer>) -> Int {
        let name = Array("-length:".utf8)
        var index = 0
        while index + name.count < head.count {
            if head[index] == name[0], (0..<name.count).allSatisfy({ head[index + $0] | 0x20 == name[$0] | 0x20 }) {
                return head[(index + name.count)...].drop { $0 == 32 }.prefix { (48...57).contains($0) }.reduce(0) {
                    $0 * 10 + Int($1) - 48
                }
            }
            index += 1
        }
        return 0
    }
}
