import Conversation
import Hummingbird
import NIOCore
import ServiceLifecycle

/// A body that is written piece by piece for as long as somebody reads it. It ends when the stream is through, the caller leaves, the
/// server shuts down, or the caller does not take a piece in time.
struct StreamingBody: Sendable {
    /// How long a caller may leave a piece waiting before the connection is closed.
    static let patience = TimeAmount.seconds(30)

    let stream: ChannelResponse.Stream
    let request: Request
    let channel: any NIOCore.Channel

    var body: ResponseBody {
        ResponseBody { writer in
            let pieces = Rendezvous()
            let leave: @Sendable () -> Void = {
                pieces.close()
                // A piece that is not being taken would hold everything up.
                if !channel.isWritable { channel.close(mode: .all, promise: nil) }
            }
            try await request.body.consumeWithInboundCloseHandler { _ in
                try await withGracefulShutdownHandler {
                    try await pump(pieces, into: &writer)
                } onGracefulShutdown: {
                    leave()
                }
            } onInboundClosed: {
                leave()
            }
            try await writer.finish(nil)
        }
    }

    /// Writes what the stream gives until either ends; then the other is ended too.
    private func pump(_ pieces: Rendezvous, into writer: inout any ResponseBodyWriter) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            defer { pieces.close() }
            group.addTask { [stream] in
                defer { pieces.close() }
                do {
                    try await stream { try await pieces.give($0) }
                } catch is CancellationError {
                    return
                }
            }
            while let piece = await pieces.next() {
                let deadline = closing(after: Self.patience)
                defer { deadline?.cancel() }
                try await writer.write(ByteBuffer(bytes: piece))
                // The piece may only have been handed to the event loop. When that has come by, it is known whether there is room for
                // another; who writes without asking outruns it by any amount.
                try await channel.eventLoop.submit {}.get()
                pieces.taken()
            }
            group.cancelAll()
            try await group.waitForAll()
        }
    }

    /// While the caller keeps up, nothing is scheduled.
    private func closing(after patience: TimeAmount) -> Scheduled<Void>? {
        if channel.isWritable { return nil }
        let channel = channel
        return channel.eventLoop.scheduleTask(in: patience) { channel.close(mode: .all, promise: nil) }
    }
}
