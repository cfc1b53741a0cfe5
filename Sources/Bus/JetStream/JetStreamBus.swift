package import Conversation
package import Logging
package import Storage
import Synchronization

/// NATS: events in a JetStream stream, and signals between nodes over plain messages.
///
/// It is never the source of truth. When it cannot be reached, at the start or later, events wait in the outbox, signals are dropped, and
/// a thread of its own tries to connect again, for as long as the process runs.
package final class JetStreamBus: EventBus, PeerNetwork, CommandSource {
    package typealias SignalListener = @Sendable (PeerSignal) -> Void

    private struct State {
        var connection: NATSConnection?
        var signals: [String] = []
        /// Those that wait already: the same thing said twice is one.
        var waiting: Set<String> = []
        var listeners: [SignalListener] = []
        var returnListeners: [@Sendable () -> Void] = []
        var taker: CommandTaker?
        /// Reads over the connection there is, when somebody takes commands.
        var reader: CommandReader?
        var isEnding = false
        var problem = "not connected yet"
    }

    private let address: BusAddress
    private let logger: Logger
    private let state = Mutex(State())
    private let keeper = Keeper()
    /// Connects, and writes signals.
    private let keeping = WorkThread(name: "nats")
    private let publisher = WorkThread(name: "nats-publisher")

    /// Signals that may wait to be written; more are dropped, the sweep of the others finds what they spoke of.
    private static let signalLimit = 1024

    /// Connects in the background and never fails: what cannot be reached now is tried again.
    package init(_ address: BusAddress, logger: Logger) {
        self.address = address
        self.logger = logger
        keeping.add { [self] in keepConnected() }
    }

    /// Whether events can be published now.
    package var isConnected: Bool { state.withLock { $0.connection != nil } }

    /// Lets what is on its way end, and closes the connection.
    package func close() async {
        publisher.close()
        state.withLock { $0.isEnding = true }
        keeper.wake(.end)
        await withCheckedContinuation { continuation in keeping.close { continuation.resume() } }
    }

    // MARK: Events

    package func onReturn(_ listener: @escaping @Sendable () -> Void) { state.withLock { $0.returnListeners.append(listener) } }

    package func publish(_ events: [BusEvent]) async -> BusReceipt {
        let (connection, problem) = state.withLock { ($0.connection, $0.problem) }
        guard let connection else { return BusReceipt(failure: .away(problem)) }
        return await withCheckedContinuation { continuation in
            let isAccepted = publisher.add { [self] in continuation.resume(returning: publish(events, on: connection)) }
            if !isAccepted { continuation.resume(returning: BusReceipt(failure: .away("the gateway ends"))) }
        }
    }

    private func publish(_ events: [BusEvent], on connection: NATSConnection) -> BusReceipt {
        var receipt = BusReceipt()
        let size = address.settings.inFlight
        for start in stride(from: 0, to: events.count, by: size) {
            let group = events[start..<min(start + size, events.count)]
            for (event, settlement) in zip(group, connection.publish(Array(group))) {
                switch settlement {
                case .taken: receipt.settled += 1
                case .refused(let why):
                    receipt.settled += 1
                    receipt.refused[event.id] = why
                case .failed(let why):
                    // A stream that is gone is made when a connection begins; and nothing of this batch may come after the next one.
                    if state.withLock({ $0.connection === connection }) { keeper.wake(.broken(why)) }
                    receipt.failure = .away(why)
                    return receipt
                }
            }
        }
        return receipt
    }

    // MARK: Commands

    package func take(_ taker: @escaping CommandTaker) {
        state.withLock { state in
            state.taker = taker
            startReader(&state)
        }
    }

    package func stopTaking() async {
        let reader = state.withLock { state in
            defer { (state.taker, state.reader) = (nil, nil) }
            return state.reader
        }
        guard let reader else { return }
        await withCheckedContinuation { continuation in reader.end { continuation.resume() } }
    }

    /// One reader for a connection, as long as somebody takes what it reads.
    private func startReader(_ state: inout State) {
        guard let taker = state.taker, let connection = state.connection, state.reader == nil else { return }
        state.reader = CommandReader(connection: connection, taker: taker, logger: logger) { [keeper] in keeper.wake(.broken($0)) }
    }

    // MARK: Signals

    /// Calls `hear` with what other nodes say, on a thread of the bus; never with what this node says.
    package func listen(_ hear: @escaping SignalListener) { state.withLock { $0.listeners.append(hear) } }

    package func send(_ signal: PeerSignal) {
        let text = signal.text
        let isFirst: Bool? = state.withLock { state in
            guard state.connection != nil, state.signals.count < Self.signalLimit, state.waiting.insert(text).inserted else { return nil }
            state.signals.append(text)
            return state.signals.count == 1
        }
        if isFirst == true { keeper.wake(.signals) }
    }

    private func hear(_ text: String) {
        guard let signal = PeerSignal(text: text) else {
            return logger.debug("a node said something that this version does not know")
        }
        for listener in state.withLock({ $0.listeners }) { listener(signal) }
    }

    private func flushSignals(on connection: NATSConnection) {
        let signals = state.withLock { state in
            defer { (state.signals, state.waiting) = ([], []) }
            return state.signals
        }
        for text in signals { connection.send(signal: text) }
    }

    // MARK: Staying connected

    /// All that `keeping` does.
    private func keepConnected() {
        var failures = 0
        while !state.withLock({ $0.isEnding }) {
            do {
                let connection = try open()
                failures = 0
                begin(connection)
                let why = serve(connection)
                end(connection, why)
            } catch {
                failures += 1
                complain("\(error)")
            }
            keeping.pause(seconds: min(0.05 * Double(1 << min(failures, 5)), 1) * Double.random(in: 0.75...1.25))
        }
    }

    private func open() throws -> NATSConnection {
        keeper.forget()
        let connection = try NATSConnection(
            address, onSignal: { [weak self] in self?.hear($0) }, onClosed: { [keeper] in keeper.wake(.broken("the connection ended")) },
            onProblem: { [logger] in logger.warning("NATS complains", metadata: ["error": "\($0)"]) })
        do {
            try connection.listen()
            try Streams(connection: connection, settings: address.settings).ensureEvents()
            return connection
        } catch {
            connection.close()
            throw error
        }
    }

    private func begin(_ connection: NATSConnection) {
        let listeners = state.withLock { state in
            state.connection = connection
            (state.signals, state.waiting) = ([], [])
            startReader(&state)
            return state.returnListeners
        }
        logger.notice("connected to NATS", metadata: ["servers": "\(address)"])
        for listener in listeners { listener() }
    }

    /// Returns when the connection is of no more use, with the reason.
    private func serve(_ connection: NATSConnection) -> String {
        while true {
            switch keeper.next() {
            case .signals: flushSignals(on: connection)
            case .broken(let why): return why
            case .end: return ""
            }
        }
    }

    private func end(_ connection: NATSConnection, _ why: String) {
        let (isEnding, reader) = state.withLock { state in
            defer { state.reader = nil }
            (state.connection, state.problem) = (nil, why)
            return (state.isEnding, state.reader)
        }
        reader?.waitUntilEnded()
        connection.close()
        if !isEnding { logger.warning("NATS is away; events wait in the outbox", metadata: ["error": "\(why)"]) }
    }

    /// Once for each thing that is wrong, not with every attempt.
    private func complain(_ problem: String) {
        let isNew = state.withLock { state in
            defer { state.problem = problem }
            return state.problem != problem
        }
        if isNew {
            logger.error("cannot connect to NATS, will be tried again", metadata: ["servers": "\(address)", "error": "\(problem)"])
        }
    }
}
