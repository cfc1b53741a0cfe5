import ConfigurationLoading
import Conversation
import Gateway
import ServiceLifecycle
import Storage
import Synchronization

extension GatewayProcess {
    /// What runs on a node of this role, in the order in which it must be there.
    func parts() -> [any Service] {
        var parts = options.role.runsTasks ? workers() : intakeOnly()
        if options.role.runsTasks, let commands { parts.append(CommandReading(source: commands, inbox: commandInbox)) }
        busyLanes.watch(parts.compactMap { $0 as? TaskDispatcher })
        // Without signals from elsewhere there is nothing that could be missed.
        if options.role.takesMessages, store.isShared { parts.append(FeedSweep(store: store, feeds: feeds, logger: logger)) }
        return parts
    }

    private var commandInbox: CommandInbox {
        CommandInbox(
            store: store, registry: registry, desk: sending, isStopped: { [stopped] in stopped.ids.contains($0) },
            patience: configuration.server.commandPatience, logger: logger)
    }

    /// What takes messages, but runs none: it records usage of calls that `/v1` makes on the spot, and publishes the events of what it stored.
    private func intakeOnly() -> [any Service] { [usage, publisher()] }
}

extension NodeRole {
    /// What to say to those who ask this node for what it does not serve.
    var absence: String? {
        switch self {
        case .all, .intake: nil
        case .worker:
            "this node runs work (--role worker) and serves only /healthz, /readyz, /metrics and /v1/nodes; ask one of --role intake or all"
        }
    }
}

/// Lanes in work in this process, over all pools.
final class BusyLanes: Sendable {
    private let dispatchers = Mutex<[TaskDispatcher]>([])

    func watch(_ new: [TaskDispatcher]) { dispatchers.withLock { $0 += new } }
    var count: Int { dispatchers.withLock { $0 }.reduce(0) { $0 + $1.busyLanes } }
}
