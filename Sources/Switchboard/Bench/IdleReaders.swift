#if Sandbox
    import Conversation
    import NIOCore
    import NIOPosix
    import Synchronization

    /// Guests of one web instance who each open a conversation, look at its live updates, and say nothing.
    final class IdleReaders: Sendable {
        private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        private let port: Int
        private let instance: String
        private let tally = ReaderTally()
        private let channels = Mutex<[any NIOCore.Channel]>([])

        init(port: Int, instance: String) {
            self.port = port
            self.instance = instance
        }

        /// How many streams are open now.
        var open: Int { tally.open.load(ordering: .relaxed) }
        /// Heart-beats over all streams so far.
        var beats: Int { tally.beats.load(ordering: .relaxed) }
        /// What was wrong with the first one that could not be opened.
        var problem: String? { tally.problem.withLock { $0 } }

        /// Opens so many more, `width` at a time. Throws `StartProblem` when one of them is refused.
        func open(_ count: Int, width: Int = 64) async throws {
            let first = channels.withLock { $0.count }
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                for number in first..<(first + count) {
                    if number - first >= width { try await tasks.next() }
                    tasks.addTask { try await self.openOne(number) }
                }
                try await tasks.waitForAll()
            }
        }

        private func openOne(_ number: Int) async throws {
            let ready = group.next().makePromise(of: Void.self)
            let (tally, port, instance) = (tally, port, instance)
            let connecting = ClientBootstrap(group: group)
                // The limit of sessions per address counts these apart, as it would visitors of different homes.
                .bind(to: try SocketAddress(ipAddress: "127.0.1.\(1 + number / 1000 % 250)", port: 0))
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(
                            ReaderHandler(instance: instance, port: port, tally: tally, ready: ready))
                    }
                }
                .connect(host: "127.0.0.1", port: port)
            connecting.whenFailure { ready.fail($0) }
            try await ready.futureResult.get()
            let channel = try await connecting.get()
            channels.withLock { $0.append(channel) }
        }

        /// Waits until the other side has ended every stream.
        func ended() async throws {
            for channel in channels.withLock({ $0 }) { try await channel.closeFuture.get() }
        }

        func close() async throws { try await group.shutdownGracefully() }
    }

    private final class ReaderTally: Sendable {
        let open = Atomic<Int>(0)
        let beats = Atomic<Int>(0)
        let problem = Mutex<String?>(nil)
    }

    /// One connection: asks for a session, then for its events. Used on its event loop only.
    private final class ReaderHandler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer
        private enum Step { case session, stream, reading }

        private let instance: String
        private let port: Int
        private let tally: ReaderTally
        private let ready: EventLoopPromise<Void>
        private var step = Step.session
        private var received = ""

        init(instance: String, port: Int, tally: ReaderTally, ready: EventLoopPromise<Void>) {
            self.instance = instance
            self.port = port
            self.tally = tally
            self.ready = ready
        }

        func channelActive(context: ChannelHandlerContext) {
            send("POST /web/\(instance)/sessions", ["Content-Length: 0"], context)
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let text = String(buffer: unwrapInboundIn(data))
            switch step {
            case .session: readSession(text, context)
            case .stream: readStart(text, context)
            case .reading: tally.beats.add(text.contains(": beat") ? 1 : 0, ordering: .relaxed)
            }
        }

        private func readSession(_ text: String, _ context: ChannelHandlerContext) {
            received += text
            guard let body = received.firstRange(of: "\r\n\r\n"), received[body.upperBound...].hasSuffix("}") else { return }
            guard let token = received.firstMatch(of: /"token":"([^"]+)"/)?.1 else { return fail(context) }
            step = .stream
            send("GET /web/\(instance)/events", ["Authorization: Bearer \(token)"], context)
            received = ""
        }

        private func readStart(_ text: String, _ context: ChannelHandlerContext) {
            received += text
            if received.contains("event: hello") {
                step = .reading
                received = ""
                tally.open.add(1, ordering: .relaxed)
                ready.succeed()
            } else if received.contains("\r\n\r\n"), !received.hasPrefix("HTTP/1.1 200") {
                fail(context)
            }
        }

        func channelInactive(context: ChannelHandlerContext) {
            if step == .reading { tally.open.subtract(1, ordering: .relaxed) }
            // Does nothing when it has succeeded.
            ready.fail(StartProblem("the gateway ended a connection: \(received.prefix(200))"))
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

        private func fail(_ context: ChannelHandlerContext) {
            let said = String(received.prefix(300))
            tally.problem.withLock { $0 = $0 ?? said }
            ready.fail(StartProblem("a stream was refused: \(said)"))
            context.close(promise: nil)
        }

        private func send(_ request: String, _ headers: [String], _ context: ChannelHandlerContext) {
            let lines = ["\(request) HTTP/1.1", "Host: 127.0.0.1", "Origin: http://127.0.0.1:\(port)"] + headers
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: lines.joined(separator: "\r\n") + "\r\n\r\n")), promise: nil)
        }
    }
#endif
