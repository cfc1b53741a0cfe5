import Conversation
import Logging
import ServiceLifecycle
import Storage
import Synchronization

/// Tells the other nodes through the store that this one lives, and finds out whether the store can be written. Where only one process opens
/// the store there is nobody to tell, and nothing is written.
final class NodeBeat: Service {
    private struct State {
        var address: String?
        var isDraining = false
    }

    private static let interval = Duration.seconds(5)
    private static let retry = Duration.seconds(1)

    private let store: Store
    private let name: String
    private let role: NodeRole
    private let startedAt: Timestamp
    private let readiness: Readiness
    private let stats: @Sendable () -> [String: Int]
    private let logger: Logger
    private let state = Mutex(State())
    private let signal = WakeSignal()

    /// `stats` are counts of the moment, such as lanes.
    init(
        store: Store, name: String, role: NodeRole, readiness: Readiness, stats: @escaping @Sendable () -> [String: Int], logger: Logger
    ) {
        self.store = store
        self.name = name
        self.role = role
        self.readiness = readiness
        self.stats = stats
        self.logger = logger
        startedAt = store.clock.now
    }

    /// Where the node listens, once it does.
    func listens(on address: String) {
        state.withLock { $0.address = address }
        signal.raise()
    }

    /// From now on the node is stopping; the others hear of it at once.
    func drain() {
        state.withLock { $0.isDraining = true }
        signal.raise()
    }

    /// The node as it is now.
    var record: NodeRecord {
        let state = state.withLock { $0 }
        return NodeRecord(
            id: store.node, name: name, role: role.rawValue, version: Version.current, address: state.address, startedAt: startedAt,
            seenAt: store.clock.now, isDraining: state.isDraining, stats: stats())
    }

    func run() async throws {
        guard store.hasOtherNodes else { return await gracefulShutdownOrCancellation() }
        // It is judged by its writes from the start on: opening the store has only read.
        readiness.storeAnswered()
        await withGracefulShutdownHandler {
            while !signal.isClosed, !Task.isCancelled {
                let wait = await beat() ? Self.interval : Self.retry
                await signal.wait(until: store.clock.now + wait, clock: store.clock)
            }
        } onGracefulShutdown: { [signal] in
            signal.close()
        }
        await leave()
    }

    private func gracefulShutdownOrCancellation() async {
        // Ends with the shutdown: nothing is ever sent on this stream.
        for await _ in AsyncStream<Never>.makeStream().stream.cancelOnGracefulShutdown() {}
    }

    /// False when the store could not be written.
    func beat() async -> Bool {
        do {
            try await store.nodes.note(record)
            readiness.storeAnswered()
            return true
        } catch {
            logger.warning("the store did not take this node's sign of life", metadata: ["error": "\(error)"])
            return false
        }
    }

    /// Best effort: a row that stays is shown as lost, and goes after a day.
    private func leave() async {
        do {
            try await store.nodes.remove(store.node)
        } catch {
            logger.warning("this node could not sign off", metadata: ["error": "\(error)"])
        }
    }
}
