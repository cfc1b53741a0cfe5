import Bus
import ConfigurationLoading
import Conversation
import Logging
import ServiceLifecycle
import Storage

/// Where events go, and how nodes tell each other.
struct OpenBus: Sendable {
    let bus: any EventBus
    let network: PeerLink?
    /// Whether anybody takes events: when nobody does none are written.
    let eventsAreWanted: @Sendable () -> Bool

    /// Throws `StartProblem`.
    static func open(_ plan: StorePlan, stores: OpenStores, logger: Logger) async throws -> OpenBus {
        switch plan.bus {
        case .embedded:
            let bus = EmbeddedBus()
            return OpenBus(bus: bus, network: nil, eventsAreWanted: { bus.hasSubscribers })
        case .nats: throw StartProblem("this version has no driver for \(plan.bus.shown)")
        }
    }
}

/// The way to the other nodes.
struct PeerLink: Sendable {
    let network: any PeerNetwork
    /// Hears the others from now on.
    let listen: @Sendable (_ hear: @escaping @Sendable (PeerSignal) -> Void) -> Void
    /// What keeps the connection alive, if it needs anybody.
    let service: (any Service)?
    let end: @Sendable () async -> Void

    /// Tells the others what happens in this store, and the store what happens there.
    func join(_ store: Store) {
        store.connect(network)
        listen { [weak store] in store?.hear($0) }
    }

    func close() async { await end() }
}
