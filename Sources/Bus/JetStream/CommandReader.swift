internal import CNATS
internal import Conversation
import Foundation
internal import Logging
internal import Synchronization

/// Reads commands over one life of a connection, on a thread of its own because fetching blocks. `@unchecked`: the pointers, `problem`
/// and `refusal` belong to that thread alone.
final class CommandReader: @unchecked Sendable {
    private let connection: NATSConnection
    private let taker: CommandTaker
    private let logger: Logger
    /// Told when the stream itself is gone: only a new connection makes it again.
    private let onLoss: @Sendable (String) -> Void
    private let thread = WorkThread(name: "nats-commands")
    private var problem = ""
    /// Why the consumer stayed as it was.
    private var refusal = ""

    /// Commands that are in work at once. They are acknowledged together, long before `Streams.commandPatience` is over.
    private static let batch: Int32 = 64
    /// How long a fetch waits for the first one, in milliseconds.
    private static let fetchWait: Int64 = 500
    /// Before another attempt to subscribe, in seconds.
    private static let pause = 2.0

    /// Begins at once.
    init(connection: NATSConnection, taker: @escaping CommandTaker, logger: Logger, onLoss: @escaping @Sendable (String) -> Void) {
        self.connection = connection
        self.taker = taker
        self.logger = logger
        self.onLoss = onLoss
        thread.add { [self] in run() }
    }

    /// Fetches no more, and calls `done` when the thread is through.
    func end(_ done: @escaping @Sendable () -> Void) { thread.close(done) }

    /// The same; blocks.
    func waitUntilEnded() { thread.closeAndWait() }

    // MARK: On the thread

    private func run() {
        var subscription: OpaquePointer?
        while !thread.isClosing {
            do {
                if subscription == nil { subscription = try Streams.subscribeToCommands(connection, complain: leave) }
                try read(subscription)
                problem = ""
            } catch {
                natsSubscription_Destroy(subscription)
                subscription = nil
                complain(error)
                thread.pause(seconds: Self.pause)
            }
        }
        natsSubscription_Destroy(subscription)
    }

    private func read(_ subscription: OpaquePointer?) throws {
        var list = natsMsgList()
        var code = jsErrCode(rawValue: 0)
        let status = natsSubscription_Fetch(&list, subscription, Self.batch, Self.fetchWait, &code)
        // Nobody wanted anything.
        if status == NATS_TIMEOUT { return }
        guard status == NATS_OK else { throw NATSError(status, "reading commands", code: code) }
        defer { natsMsgList_Destroy(&list) }
        let messages = (0..<Int(list.Count)).map { list.Msgs[$0] }
        let verdicts = answer(try messages.map(Self.command))
        for (message, verdict) in zip(messages, verdicts) { settle(message, verdict) }
    }

    /// Waits for the taker. The thread is ours and has nothing else to do.
    private func answer(_ commands: [BusCommand]) -> [CommandVerdict] {
        let done = DispatchSemaphore(value: 0)
        let verdicts = Mutex<[CommandVerdict]>([])
        // A thread has no task of its own to wait in; this one ends before the thread goes on.
        Task { [taker] in
            let answered = await taker(commands)
            verdicts.withLock { $0 = answered }
            done.signal()
        }
        done.wait()
        return verdicts.withLock { $0 }
    }

    private func settle(_ message: OpaquePointer?, _ verdict: CommandVerdict) {
        let status =
            switch verdict {
            case .done: natsMsg_Ack(message, nil)
            case .again(let wait): natsMsg_NakWithDelay(message, max(1, wait.milliseconds), nil)
            }
        // It comes again then, and is known.
        if status != NATS_OK { logger.debug("a command could not be acknowledged", metadata: ["status": "\(status.rawValue)"]) }
    }

    private static func command(_ message: OpaquePointer?) throws -> BusCommand {
        var meta: UnsafeMutablePointer<jsMsgMetaData>?
        try check(natsMsg_GetMetaData(&meta, message), "the place of a command")
        defer { jsMsgMetaData_Destroy(meta) }
        guard let meta else { throw NATSError(NATS_ERR, "the place of a command") }
        let subject = natsMsg_GetSubject(message).map { String(cString: $0) } ?? ""
        let words = subject.split(separator: ".", omittingEmptySubsequences: false)
        let length = Int(natsMsg_GetDataLength(message))
        let body = natsMsg_GetData(message).map { [UInt8](UnsafeRawBufferPointer(start: $0, count: length)) } ?? []
        return BusCommand(
            brand: words.count > 1 ? String(words[1]) : "", subject: subject, publisherID: header(EventEncoding.idHeader, message),
            contentType: header(EventEncoding.typeHeader, message), body: body,
            // A stream that was wiped counts from 1 again, at another time.
            place: "\(meta.pointee.Sequence.Stream).\(meta.pointee.Timestamp)", delivery: Int(clamping: meta.pointee.NumDelivered),
            publishedAt: Timestamp(milliseconds: meta.pointee.Timestamp / 1_000_000))
    }

    private static func header(_ name: String, _ message: OpaquePointer?) -> String? {
        var value: UnsafePointer<CChar>?
        guard natsMsgHeader_Get(message, name, &value) == NATS_OK else { return nil }
        return value.map { String(cString: $0) }
    }

    // MARK: When it does not go on

    /// The consumer is used as it is.
    private func leave(_ error: NATSError) {
        guard refusal != error.description else { return }
        refusal = error.description
        logger.warning(
            "the consumer of commands stays as it is; with a low limit, commands that wait may keep others waiting",
            metadata: ["error": "\(refusal)"])
    }

    /// Once for each thing that is wrong.
    private func complain(_ error: any Error) {
        guard !thread.isClosing else { return }
        let text = "\(error)"
        if text != problem { logger.warning("commands cannot be read from NATS, will be tried again", metadata: ["error": "\(text)"]) }
        problem = text
        if let error = error as? NATSError, error.isStreamGone { onLoss(text) }
    }
}
