import NIOCore
import NIOHTTPTypes

/// Closes a connection on which the head of a request takes longer than `limit` to arrive, counted from its first byte, however steadily
/// bytes come. Quiet connections are the idle limit's business, bodies the request's own.
final class HeadDeadline: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart

    private let limit: TimeAmount
    private var isBetweenRequests = true
    /// Whether what arrived last completed anything.
    private var sawPart = false
    private var alarm: Scheduled<Void>?

    init(limit: TimeAmount) { self.limit = limit }

    func handlerAdded(context: ChannelHandlerContext) {
        do {
            try context.pipeline.syncOperations.addHandler(ArrivalWatch(deadline: self), position: .first)
        } catch {
            // Without the watch nobody would ever hang up on a dripping head.
            context.close(promise: nil)
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        sawPart = true
        switch unwrapInboundIn(data) {
        case .head:
            isBetweenRequests = false
            cancel()
        case .body: break
        case .end: isBetweenRequests = true
        }
        context.fireChannelRead(data)
    }

    func channelInactive(context: ChannelHandlerContext) {
        cancel()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { cancel() }

    fileprivate func willDecode() { sawPart = false }

    /// Costs nothing for a head that comes in one piece.
    fileprivate func didDecode(on channel: any Channel) {
        guard isBetweenRequests, !sawPart, alarm == nil else { return }
        alarm = channel.eventLoop.scheduleTask(in: limit) { channel.close(mode: .all, promise: nil) }
    }

    private func cancel() {
        alarm?.cancel()
        alarm = nil
    }
}

/// Stands before the decoder and tells when bytes came.
private final class ArrivalWatch: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let deadline: HeadDeadline

    init(deadline: HeadDeadline) { self.deadline = deadline }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        deadline.willDecode()
        context.fireChannelRead(data)
        deadline.didDecode(on: context.channel)
    }
}
