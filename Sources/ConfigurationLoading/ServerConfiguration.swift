package import Conversation

/// What `switchboard.yaml` says: settings of the installation, with the documented defaults.
package struct ServerConfiguration: Sendable {
    /// Largest request body that is read, in bytes.
    package var maxBodyBytes: Int
    /// How long a request's body may take to arrive.
    package var requestTimeout: Duration
    /// Streams of events that may be open at once, over all instances; further ones are answered 503.
    package var maxStreams: Int
    /// Proxies whose `X-Forwarded-For` is believed; none of them has a port.
    package var trustedProxies: [AddressRule]
    /// Opens the operator's routes. Empty only when the file could not be read.
    package var operatorKey: Secret
    /// Limits and waits of the durable queue.
    package var queue: QueueConfiguration
    /// How long running work may take to finish after SIGTERM; longer than a brand call's time-out.
    package var shutdownGrace: Duration
    /// Where the brands' rows are.
    package var stores: StoresConfiguration
    /// How long published events stay in the outbox, to be published again if the bus loses them.
    package var keepEvents: Duration
    /// How long a command on the bus for a brand or an instance that is not known comes again before it is put aside.
    package var commandPatience: Duration

    /// The documented defaults unless said otherwise.
    package init(
        maxBodyBytes: Int = 4_194_304, requestTimeout: Duration = .seconds(15), maxStreams: Int = 20_000,
        trustedProxies: [AddressRule] = [], operatorKey: Secret = Secret(""), queue: QueueConfiguration = .init(),
        shutdownGrace: Duration = .seconds(35), stores: StoresConfiguration = .init(), keepEvents: Duration = .seconds(7 * 86_400),
        commandPatience: Duration = .seconds(600)
    ) {
        self.maxBodyBytes = maxBodyBytes
        self.requestTimeout = requestTimeout
        self.maxStreams = maxStreams
        self.trustedProxies = trustedProxies
        self.operatorKey = operatorKey
        self.queue = queue
        self.shutdownGrace = shutdownGrace
        self.stores = stores
        self.keepEvents = keepEvents
        self.commandPatience = commandPatience
    }
}

/// Where the brands' rows are: all in one store, unless some brands have another one.
package struct StoresConfiguration: Sendable, Hashable {
    /// Holds what belongs to no brand, and every brand that is not in `brands`. Nil when the file does not say: `--store` or a file below
    /// `--data` then.
    package var main: StoreLocation?
    /// Further stores, by name. No two are the same.
    package var named: [String: StoreLocation]
    /// Brands that live in one of `named`.
    package var brands: [BrandID: String]

    package init(main: StoreLocation? = nil, named: [String: StoreLocation] = [:], brands: [BrandID: String] = [:]) {
        self.main = main
        self.named = named
        self.brands = brands
    }
}

/// How the durable queue works off what gathers in it.
package struct QueueConfiguration: Sendable, Hashable {
    /// Turns of one brand at once.
    package var turnsPerBrand: Int
    /// Turns at once in all.
    package var turns: Int
    /// Waits in seconds before the second, third … attempt; the last one repeats.
    package var backoff: [Double]
    /// Share of a wait by which it varies at random, `0...1`.
    package var jitter: Double
    /// How long a worker owns a task without renewing.
    package var lease: Duration
    /// How long work for an unreachable brand is kept before it counts as dead.
    package var park: Duration
    /// Failures of this time count against a brand's system; when most calls fail, calls to it wait.
    package var breakerWindow: Duration
    /// A system that is not called lets one call through in this time, to see whether it is back.
    package var breakerProbe: Duration
    /// How long a reply waits for an action's result before it says that the work is under way.
    package var inlineWait: Duration
    /// How long a send of unknown outcome waits for a status before it is shown to the operator.
    package var unknownReply: Duration
    /// Upper bound of finding out what a message wants.
    package var understandingDeadline: Duration

    /// The documented defaults unless said otherwise.
    package init(
        turnsPerBrand: Int = 64, turns: Int = 512, backoff: [Double] = [2, 4, 8, 16], jitter: Double = 0.1, lease: Duration = .seconds(30),
        park: Duration = .seconds(1800), breakerWindow: Duration = .seconds(10), breakerProbe: Duration = .seconds(5),
        inlineWait: Duration = .seconds(5), unknownReply: Duration = .seconds(45),
        understandingDeadline: Duration = .seconds(15)
    ) {
        self.turnsPerBrand = turnsPerBrand
        self.turns = turns
        self.backoff = backoff
        self.jitter = jitter
        self.lease = lease
        self.park = park
        self.breakerWindow = breakerWindow
        self.breakerProbe = breakerProbe
        self.inlineWait = inlineWait
        self.unknownReply = unknownReply
        self.understandingDeadline = understandingDeadline
    }
}
