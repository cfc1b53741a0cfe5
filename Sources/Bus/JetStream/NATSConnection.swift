internal import CNATS
internal import Conversation
import Foundation
internal import Synchronization

/// One life of a connection to NATS: it never reconnects by itself, so what was sent on it was received in order up to its end.
/// `@unchecked`: the pointers are set before anybody else has this value, libnats locks what is behind them, and they are freed when nobody
/// uses them any more.
final class NATSConnection: @unchecked Sendable {
    enum Settlement: Sendable, Hashable {
        case taken
        /// Never to be taken.
        case refused(String)
        case failed(String)
    }

    /// What is on its way, guarded by `condition`.
    private var waiting: Set<BusEventID> = []
    private var settled: [BusEventID: Settlement] = [:]
    private var isClosed = false
    private var isPublishing = false
    private let condition = NSCondition()

    private let key: UInt
    private var connection: OpaquePointer?
    private var jetStream: OpaquePointer?
    private var subscription: OpaquePointer?
    private let onSignal: @Sendable (String) -> Void
    private let onClosed: @Sendable () -> Void
    private let onProblem: @Sendable (String) -> Void

    /// How long an acknowledgement may take.
    private static let patience = 5.0

    /// Connects and returns when the server has let us in. Blocks; throws `NATSError`.
    init(
        _ address: BusAddress, onSignal: @escaping @Sendable (String) -> Void, onClosed: @escaping @Sendable () -> Void,
        onProblem: @escaping @Sendable (String) -> Void
    ) throws {
        self.onSignal = onSignal
        self.onClosed = onClosed
        self.onProblem = onProblem
        key = NATSCallbacks.reserve()
        NATSCallbacks.add(self, as: key)
        do {
            try connect(address)
        } catch {
            close()
            throw error
        }
    }

    private func connect(_ address: BusAddress) throws {
        var options: OpaquePointer?
        try check(natsOptions_Create(&options), "options")
        defer { natsOptions_Destroy(options) }
        var servers = address.servers.map { UnsafePointer(strdup($0)) }
        defer { for server in servers { free(UnsafeMutablePointer(mutating: server)) } }
        try check(natsOptions_SetServers(options, &servers, Int32(servers.count)), "the servers")
        try check(natsOptions_SetName(options, "switchboard"), "the name")
        try check(natsOptions_SetAllowReconnect(options, false), "reconnecting")
        try check(natsOptions_SetNoEcho(options, true), "no echo")
        try check(natsOptions_SetTimeout(options, 2000), "the time-out")
        try check(natsOptions_SetPingInterval(options, 5000), "the interval of pings")
        try check(natsOptions_SetMaxPingsOut(options, 2), "pings without an answer")
        try check(natsOptions_SetWriteDeadline(options, 5000), "the time-out of writes")
        let closure = NATSCallbacks.closure(key)
        try check(natsOptions_SetClosedCB(options, NATSCallbacks.closed, closure), "the callback")
        try check(natsOptions_SetErrorHandler(options, NATSCallbacks.failed, closure), "the callback")
        if address.isEncrypted { try check(natsOptions_SetSecure(options, true), "TLS") }
        if let file = address.authoritiesFile { try check(natsOptions_LoadCATrustedCertificates(options, file), "certificates \(file)") }
        if let file = address.credentialsFile {
            try check(natsOptions_SetUserCredentialsFromFiles(options, file, nil), "credentials \(file)")
        }
        try check(natsConnection_Connect(&connection, options), "\(address)")
        var settings = jsOptions()
        try check(jsOptions_Init(&settings), "JetStream")
        settings.PublishAsync.AckHandler = NATSCallbacks.acknowledged
        settings.PublishAsync.AckHandlerClosure = closure
        try check(natsConnection_JetStream(&jetStream, connection, &settings), "JetStream")
    }

    /// The JetStream context, for what needs no answer of ours.
    var streams: OpaquePointer? { jetStream }

    /// Ends the connection; nobody may use it afterwards.
    func close() {
        NATSCallbacks.remove(key)
        if let connection { natsConnection_Close(connection) }
        hasClosed()
        // A batch on its way ends soon after the connection.
        condition.withLock { while isPublishing { condition.wait() } }
        natsSubscription_Destroy(subscription)
        jsCtx_Destroy(jetStream)
        natsConnection_Destroy(connection)
        (subscription, jetStream, connection) = (nil, nil, nil)
    }

    // MARK: Signals

    /// Hears what other nodes say, from now on.
    func listen() throws {
        guard subscription == nil else { return }
        try check(
            natsConnection_Subscribe(&subscription, connection, PeerSignals.subject, NATSCallbacks.heard, NATSCallbacks.closure(key)),
            "signals")
    }

    /// At most once: what cannot be written is lost.
    func send(signal text: String) { natsConnection_PublishString(connection, PeerSignals.subject, text) }

    // MARK: Events

    /// Sends the events and waits for what becomes of each; blocks. An event behind one that could not be sent is not sent either, so none
    /// overtakes it.
    func publish(_ events: [BusEvent]) -> [Settlement] {
        let isOpen = condition.withLock {
            guard !isClosed else { return false }
            isPublishing = true
            waiting = Set(events.map(\.id))
            settled = [:]
            return true
        }
        guard isOpen else { return events.map { _ in .failed("the connection has ended") } }
        defer {
            condition.withLock {
                isPublishing = false
                condition.broadcast()
            }
        }
        var results: [BusEventID: Settlement] = [:]
        var problem: String?
        for event in events {
            if let problem {
                results[event.id] = .failed(problem)
                continue
            }
            guard let obstacle = send(event) else { continue }
            results[event.id] = obstacle
            if case .failed(let why) = obstacle { problem = why }
        }
        condition.withLock { waiting.subtract(results.keys) }
        results.merge(acknowledgements(until: Date(timeIntervalSinceNow: Self.patience))) { $1 }
        return events.map { results[$0.id] ?? .failed("no acknowledgement came") }
    }

    /// Nil when it is on its way.
    private func send(_ event: BusEvent) -> Settlement? {
        let body = EventEncoding.body(event)
        var message: OpaquePointer?
        defer { natsMsg_Destroy(message) }
        var status = body.withUnsafeBytes { bytes in
            natsMsg_Create(&message, event.subject, nil, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(bytes.count))
        }
        if status == NATS_OK { status = natsMsgHeader_Set(message, EventEncoding.idHeader, event.id.description) }
        if status == NATS_OK { status = natsMsgHeader_Set(message, EventEncoding.typeHeader, EventEncoding.mediaType) }
        if status == NATS_OK { status = js_PublishMsgAsync(jetStream, &message, nil) }
        switch status {
        case NATS_OK: return nil
        case NATS_MAX_PAYLOAD:
            let limit = natsConnection_GetMaxPayload(connection)
            return .refused("its \(body.count) bytes and its headers are more than the server's max_payload of \(limit)")
        default: return .failed(NATSError(status, "sending").description)
        }
    }

    /// What became of the events on their way, as far as it is known in time.
    private func acknowledgements(until deadline: Date) -> [BusEventID: Settlement] {
        condition.withLock {
            while !waiting.isEmpty, !isClosed, condition.wait(until: deadline) {}
            waiting = []
            return settled
        }
    }

    // MARK: Called by libnats

    func settle(_ event: BusEventID, _ settlement: Settlement) {
        condition.withLock {
            guard waiting.remove(event) != nil else { return }
            settled[event] = settlement
            if waiting.isEmpty { condition.broadcast() }
        }
    }

    func hasClosed() {
        let isNews = condition.withLock {
            defer { isClosed = true }
            condition.broadcast()
            return !isClosed
        }
        if isNews { onClosed() }
    }

    func hasFailed(_ problem: String) { onProblem(problem) }
    func hasHeard(_ text: String) { onSignal(text) }
}
