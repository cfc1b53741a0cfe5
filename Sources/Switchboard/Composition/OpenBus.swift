import Bus
import ConfigurationLoading
import Conversation
import Logging
import Storage

/// Where events go, and how nodes tell each other.
struct OpenBus: Sendable {
    let bus: any EventBus
    let network: PeerLink?
    /// What brings commands; nil where nobody can give any.
    let commands: (any CommandSource)?
    /// Whether anybody takes events: when nobody does none are written.
    let eventsAreWanted: @Sendable () -> Bool

    /// NATS is connected to in the background: nothing is lost while it is away. Without it the nodes tell each other through the database.
    /// Throws `StartProblem` for an address that cannot be one.
    static func open(_ plan: StorePlan, logger: Logger) throws -> OpenBus {
        switch plan.bus {
        case .embedded:
            let bus = EmbeddedBus()
            return OpenBus(bus: bus, network: notifications(plan.main, logger), commands: nil, eventsAreWanted: { bus.hasSubscribers })
        case .nats(let url):
            let bus = JetStreamBus(try address(url), logger: logger)
            let link = PeerLink(network: bus, listen: { bus.listen($0) }, end: { await bus.close() })
            return OpenBus(bus: bus, network: link, commands: bus, eventsAreWanted: { true })
        }
    }

    private static func address(_ url: Secret) throws -> BusAddress {
        do { return try BusAddress(url.reveal()) } catch { throw StartProblem("--bus: \(error)") }
    }

    private static func notifications(_ store: StoreLocation, _ logger: Logger) -> PeerLink? {
        guard case .postgreSQL(let url) = store else { return nil }
        let signals = PostgreSQLSignals(url: url.reveal(), report: { logger.notice("\($0)") })
        return PeerLink(network: signals, listen: { signals.listen($0) }, end: { await signals.close() })
    }
}

/// The way to the other nodes.
struct PeerLink: Sendable {
    let network: any PeerNetwork
    /// Hears the others from then on.
    let listen: @Sendable (_ hear: @escaping @Sendable (PeerSignal) -> Void) -> Void
    let end: @Sendable () async -> Void

    /// Tells the others what happens in this store, and the store what happens there.
    func join(_ store: Store) {
        store.connect(network)
        listen { [weak store] in store?.hear($0) }
    }

    func close() async { await end() }
}
