import Brain
import Bus
import ConfigurationLoading
import Conversation
import Desks
import Gateway
import HTTPCalls
import Hummingbird
import Logging
import NIOCore
import ServiceLifecycle
import Signing
import Storage

/// The composition root: everything is made here, once, and handed to whoever needs it.
struct GatewayProcess {
    let configuration: LoadedConfiguration
    let environment: [String: String]
    let options: ServeOptions
    let directory: DataDirectory
    let plan: StorePlan
    /// Their locks are held for the life of the process, like the directory's own.
    let opened: OpenStores
    let store: Store
    let registry: Registry
    let stopped = StoppedBrands()
    let http: CurlClient
    /// What goes to brands and their desks goes through here.
    let circuits: CircuitBreakers
    let intake: IntakeService
    let desks: DeskRoutes
    let inbox: DeskInbox
    /// What brands send outside turns; one for callers of the API and for the bus, so that both count against the same limits.
    let sending: SendDesk
    let visitors: VisitorDesk
    let feeds: LiveFeeds
    /// Counts and keeps what models use; one for all brands.
    let usage: UsageBook
    let bus: any EventBus
    /// Nil for a bus that brings none.
    let commands: (any CommandSource)?
    /// Tells the other nodes at once what they would find by sweeping; nil where there are none.
    let network: PeerLink?
    let gatewayMetrics = GatewayMetrics()
    let metrics: PrometheusMetrics
    let readiness = Readiness()
    let beat: NodeBeat
    let busyLanes = BusyLanes()
    let logger: Logger
    let clock: any WallClock
    let ids: any IDSource

    /// Opens the store and prepares the brands. `adjusting` changes what was loaded, such as waits for tests. Throws `StartProblem`.
    init(
        options: ServeOptions, environment: [String: String], metrics: PrometheusMetrics,
        adjusting: (inout LoadedConfiguration) -> Void = { _ in }
    ) async throws {
        self.options = options
        self.environment = environment
        self.metrics = metrics
        let logger = Logger(label: "switchboard")
        var configuration = Configuration.load(options, environment: environment)
        try Self.report(configuration, logger)
        adjusting(&configuration)
        let clock = SystemClock()
        let ids = SystemIDs(clock: clock)
        do {
            directory = try DataDirectory(path: options.data)
            plan = try StorePlan(
                options: options, environment: environment, stores: configuration.server.stores, defaultPath: directory.databasePath)
            opened = try await OpenStores.open(plan)
            for warning in plan.warnings + opened.warnings { logger.warning("\(warning)") }
            let open = try OpenBus.open(plan, logger: logger)
            (bus, network, commands) = (open.bus, open.network, open.commands)
            store = Store(
                database: opened.main, elsewhere: opened.elsewhere, clock: clock, ids: ids, node: "node-\(ids.next())",
                eventsAreWanted: open.eventsAreWanted)
            // Only of stores that nobody else has open: what runs in a shared one may run on another node.
            let freed = try await store.voidLeases()
            if freed > 0 { logger.notice("work of a process that ended without a word runs again", metadata: ["lanes": "\(freed)"]) }
            http = try CurlClient()
        } catch let problem as StartProblem {
            throw problem
        } catch {
            throw StartProblem("\(error)")
        }
        network?.join(store)
        let queue = configuration.server.queue
        circuits = CircuitBreakers(
            http, settings: CircuitSettings(window: queue.breakerWindow, probeEvery: queue.breakerProbe), clock: clock,
            guards: { $0.pool.hasPrefix("brand:") || $0.pool.hasPrefix("desk-") })
        gatewayMetrics.countDeadLetters(of: store)
        gatewayMetrics.countHandovers(of: store)
        registry = Registry(clock: clock)
        visitors = VisitorDesk(store: store, registry: registry)
        feeds = LiveFeeds(store: store)
        usage = UsageBook(store: store, metrics: gatewayMetrics, logger: logger)
        inbox = DeskInbox(store: store, registry: registry)
        sending = SendDesk(store: store, registry: registry, metrics: gatewayMetrics)
        intake = IntakeService(store: store, registry: registry, metrics: gatewayMetrics, logger: logger)
        desks = DeskRoutes(
            stopped: stopped, registry: registry,
            deadLetters: DeadLetterDesk(store: store, registry: registry),
            quarantine: QuarantineDesk(store: store, registry: registry, intake: intake), queue: TaskQueue(store: store),
            outbox: OutboxDesk(store: store))
        beat = NodeBeat(
            store: store, name: options.node ?? NodeName.ofMachine, role: options.role, readiness: readiness,
            stats: { [busyLanes, feeds] in ["lanes": busyLanes.count, "streams": feeds.subscriberCount] }, logger: logger)
        (self.configuration, self.logger, self.clock, self.ids) = (configuration, logger, clock, ids)
        stopped.are(configuration)
        let brands = try assemble(configuration.brands)
        registry.replace(brands: brands, descriptors: Channels.descriptors)
        let parts = Channels.Parts(
            apps: configuration.apps, intake: intake, http: http, authenticator: OpenSSLAuthenticator(), visitors: visitors, feed: feeds,
            tokens: JWTReader(clock: clock), clock: clock, instances: { [registry] in registry.instance($0) },
            brands: { [registry] in registry.brand($0)?.configuration }, maxStreams: configuration.server.maxStreams)
        for channel in Channels.make(parts) { registry.add(channel: channel) }
    }

    /// Makes brands ready to work.
    private func assemble(_ brands: [BrandConfiguration]) throws -> [BrandRuntime] {
        try brands.map { brand in
            let desk = try brand.handover.desk.map { try Desks.make($0, http: circuits, clock: clock) }
            return try BrandAssembly.make(
                brand, queue: configuration.server.queue, http: http, clock: clock, ids: ids, usage: usage, desk: desk)
        }
    }

    func reload() -> ConfigurationReload {
        ConfigurationReload(
            read: { Configuration.load(options, environment: environment, over: $0) }, assemble: assemble, registry: registry,
            stopped: stopped,
            first: configuration, metrics: gatewayMetrics, logger: logger)
    }

    private static func report(_ configuration: LoadedConfiguration, _ logger: Logger) throws {
        for problem in configuration.problems {
            Terminal.complain("\(problem)")
        }
        guard configuration.fatalProblems.isEmpty else {
            throw StartProblem("the configuration cannot be used; `switchboard check` says the same as above")
        }
        guard !configuration.brands.isEmpty else { throw StartProblem("no brand can be started") }
        for brand in configuration.stopped { logger.error("brand stopped by its configuration", metadata: ["brand": "\(brand.folder)"]) }
    }

    /// Channel routes first, then our own; the description of all of them last.
    func routes(extra: [APIRoute] = []) -> [APIRoute] {
        let nodes = NodeRoutes(store: store, own: { [beat] in beat.record }).routes
        let common = HealthRoutes.make(readiness: readiness, metrics: metrics) + nodes
        guard options.role.takesMessages else { return common + extra }
        let limit = configuration.server.maxBodyBytes
        let channelRoutes = registry.allChannels.flatMap { channel in channel.routes.map { ($0, channel.capabilities.keepsFeed) } }
        let mounted = channelRoutes.map { route, keepsFeed in
            APIRoute(
                method: route.method.rawValue, path: route.path, access: .channel(route.access), summary: "A channel's own route",
                maxBodyBytes: min(route.maxBodyBytes, limit), isBesideStreams: keepsFeed
            ) { request in
                await route.handle(
                    ChannelRequest(
                        parameters: request.parameters, query: request.query, headers: request.headers, body: request.body,
                        remoteAddress: request.remoteAddress))
            }
        }
        let sessions = SessionRoutes(store: store, configuration: { [registry] in registry.brand($0)?.configuration })
        let own =
            common + MessageRoutes(desk: sending).routes + sessions.routes + desks.routes + desks.queueRoutes
            + HandoverRoutes(
                desk: HandoverDesk(store: store, registry: registry), inbox: inbox, isAnyBrandStopped: { [stopped] in stopped.isAny },
                logger: logger
            ).routes
            + MediaRoutes(desk: MediaDesk(store: store, registry: registry), logger: logger).routes
            + UsageRoutes(store: store, registry: registry, book: usage).routes
        let all = mounted + own + extra
        return all + [OpenAPIRoute.make(all)]
    }

    /// Carries the events of what this node stored to the bus.
    func publisher() -> OutboxPublisher {
        OutboxPublisher(store: store, bus: bus, brands: { [registry] in registry.brands.map(\.id) }, logger: logger)
    }

    /// The workers, in the order in which they must be there.
    func workers() -> [any Service] {
        let queue = configuration.server.queue
        let limiter = RateLimiter()
        let reading = ReadingSignals(clock: clock)
        let retry = RetryPolicy(attempts: queue.backoff.count + 1, backoff: queue.backoff)
        let turns = TurnHandler(
            registry: registry, schemas: SchemaFetcher(store: store, http: circuits), limiter: limiter, reading: reading,
            understandingDeadline: queue.understandingDeadline, metrics: gatewayMetrics, logger: logger)
        let parking = Parking(
            store: store, circuits: circuits, park: queue.park, brands: { [registry] in registry.brands.map(\.id) },
            metrics: gatewayMetrics, logger: logger)
        let actions = ActionHandler(
            registry: registry, http: circuits, parking: parking, jitter: SystemJitter(), jitterFraction: queue.jitter,
            metrics: gatewayMetrics,
            logger: logger)
        let deliveries = DeliveryHandler(
            registry: registry, policy: SendPolicy(), reading: reading, unknownReply: queue.unknownReply,
            backoff: Backoff(retry, jitterFraction: queue.jitter), jitter: SystemJitter(), metrics: gatewayMetrics, logger: logger)
        let limits = TaskDispatcher.Options(
            perBrand: queue.turnsPerBrand, total: queue.turns, lease: queue.lease, retry: retry, jitterFraction: queue.jitter,
            weight: { [registry] in registry.brand($0)?.configuration.weight ?? 1 })
        // Few at once and patient: nobody waits for cold work, and each piece may be a call of a model.
        let cold = TaskDispatcher.Options(
            perBrand: 4, total: 16, lease: queue.lease, retry: RetryPolicy(attempts: 3, backoff: [10, 60]), jitterFraction: queue.jitter)
        return [
            usage,
            publisher(),
            Housekeeping(
                store: store, brands: { [registry] in registry.brands.map(\.id) }, keepEvents: configuration.server.keepEvents,
                logger: logger),
            HandoverWatch(store: store, registry: registry, inbox: inbox, logger: logger),
            reading,
            parking,
            TaskDispatcher(
                store: store, pool: .cold, options: cold, handler: ColdPathHandler(registry: registry, logger: logger), logger: logger),
            TaskDispatcher(
                store: store, pool: .desk, options: limits, handler: DeskHandler(registry: registry, logger: logger), logger: logger),
            TaskDispatcher(store: store, pool: .delivery, options: limits, handler: deliveries, logger: logger),
            TaskDispatcher(store: store, pool: .action, options: limits, handler: actions, logger: logger),
            TaskDispatcher(store: store, pool: .turn, options: limits, handler: turns, logger: logger),
        ]
    }

    func server(routes: [APIRoute], onRunning: @escaping @Sendable (Int) async -> Void) -> some Service {
        let http = HTTPServer(
            routes: routes, keys: KeyRing(registry: registry, visitors: visitors, operatorKey: configuration.server.operatorKey), ids: ids,
            requestKeys: RequestKeys(store: store), requestTimeout: configuration.server.requestTimeout, logger: logger,
            proxies: TrustedProxies(rules: configuration.server.trustedProxies), absence: options.role.absence)
        var quiet = logger
        quiet.logLevel = .warning
        let headLimit = TimeAmount(configuration.server.requestTimeout)
        return Application(
            router: http.router(),
            server: .http1(
                configuration: .init(additionalChannelHandlers: [HeadDeadline(limit: headLimit)], idleTimeout: .seconds(75))),
            configuration: .init(
                address: .hostname(options.host, port: options.port), serverName: "switchboard",
                availableConnectionsDelegate: .maximum(OpenFiles.roomForConnections, logger: quiet)),
            onServerRunning: { channel in await onRunning(channel.localAddress?.port ?? 0) }, logger: quiet)
    }

    func close() async {
        await http.shutdown()
        await network?.close()
        await store.close()
        // Until here nobody else may open the files.
        withExtendedLifetime((directory, opened.locks)) {}
    }
}
