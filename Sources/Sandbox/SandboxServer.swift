package import Conversation
import Hummingbird
package import Logging
import NIOCore
import ServiceLifecycle

/// The stand-in remote systems as one HTTP server on 127.0.0.1: the Graph API, the two brand APIs, a model, ticket systems, and the controls under `/_sandbox`.
package struct SandboxServer: Service {
    private let port: Int
    private let gateway: String
    private let environment: [String: String]
    private let logger: Logger
    private let stateDirectory: String?
    private let clock: any WallClock
    private let onStart: @Sendable (Int) -> Void

    /// - Parameters:
    ///   - port: Where to listen; 0 takes any free port.
    ///   - gateway: `http://127.0.0.1:PORT`, where webhooks go.
    ///   - environment: Tokens and secrets, by the names that the demo brands' configuration uses. What is missing is not checked.
    ///   - stateDirectory: Where the ledger is kept; nil keeps none.
    ///   - clock: The time of day and the waiting of delays and retries.
    ///   - onStart: Told the port as soon as the server listens.
    package init(
        port: Int, gateway: String, environment: [String: String], logger: Logger, stateDirectory: String? = nil,
        clock: any WallClock = SystemClock(), onStart: @escaping @Sendable (Int) -> Void = { _ in }
    ) {
        self.port = port
        self.gateway = gateway
        self.environment = environment
        self.logger = logger
        self.stateDirectory = stateDirectory
        self.clock = clock
        self.onStart = onStart
    }

    /// Serves until it is cancelled or shut down; running delays are given up then. Throws `SandboxError`, or the system's error when the port is taken.
    package func run() async throws {
        warnOfMissingValues()
        let ledger = try stateDirectory.map { try Ledger(directory: $0, tokens: brandsByToken) }
        let sender = WebhookSender(
            gateway: try LoopbackAddress(gateway), secret: value("WHATSAPP_APP_SECRET").map { Array($0.utf8) }, ledger: ledger,
            clock: clock, logger: logger)
        let desks = desks(sender: sender)
        let application = Application(
            responder: try responder(sender: sender, ledger: ledger, desks: desks),
            configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: port)),
            onServerRunning: { channel in
                if let port = channel.localAddress?.port { onStart(port) }
            }, logger: Self.quiet(logger))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await sender.run() }
            for calls in desks.calls.values { group.addTask { await calls.run() } }
            defer { group.cancelAll() }
            try await OrderlyServer.run(application, logger: Self.quiet(logger))
        }
    }

    private func responder(sender: WebhookSender, ledger: Ledger?, desks: DeskControl) throws -> SandboxResponder {
        let chats = Chats()
        let recordings = Recordings()
        let faults = FaultBook()
        let kept = try ledger?.keptAnswers() ?? []
        let brands = [
            "salon": try brand(SalonAPI(clock: clock), "salon", ledger: ledger, kept: kept),
            "jobs": try brand(JobsAPI(), "jobs", ledger: ledger, kept: kept),
        ]
        let tokens = SandboxInstance.all.compactMap { instance in value(instance.tokenVariable).map { (instance.phoneNumberID, $0) } }
        let graph = GraphAPI(chats: chats, sender: sender, tokens: Dictionary(uniqueKeysWithValues: tokens), clock: clock)
        let script = ModelScript()
        var standIns: [String: any StandIn] = brands
        standIns["graph"] = graph
        standIns["llm"] = ModelAPI(key: value("LLM_KEY"), script: script, clock: clock)
        for (system, book) in desks.books { standIns["desk/\(system.rawValue)"] = standIn(book, desks) }
        let control = Control(
            recordings: recordings, faults: faults, chats: chats, sender: sender, brands: brands, script: script, desks: desks, clock: clock
        )
        return SandboxResponder(
            standIns: standIns, control: control, recordings: recordings, ledger: ledger, faults: faults, clock: clock, logger: logger)
    }

    private func brand(_ routes: any BrandRoutes, _ name: String, ledger: Ledger?, kept: [KeptAnswer]) throws -> BrandAPI {
        let prefix = name.uppercased()
        let variable = "\(prefix)_SIGNING_SECRET"
        let verifier = value(variable).map(StandardWebhooksVerifier.init(secret:))
        if case .some(.none) = verifier { throw SandboxError.badSigningSecret(variable: variable) }
        return BrandAPI(
            routes: routes, token: value("\(prefix)_API_TOKEN"), verifier: verifier ?? nil, ledger: ledger,
            kept: kept.filter { $0.path.hasPrefix("/\(name)/") }, clock: clock)
    }

    /// Whose each number's token is; none that two brands share.
    private var brandsByToken: [String: String] {
        let brands = SandboxInstance.all.compactMap { instance in value(instance.tokenVariable).map { ($0, Set([instance.brand])) } }
        return Dictionary(brands) { $0.union($1) }.compactMapValues { $0.count == 1 ? $0.first : nil }
    }

    /// The ticket systems. What they are told of the gateway can be set later, at `/_sandbox/desk`.
    private func desks(sender: WebhookSender) -> DeskControl {
        let books = DeskSystem.allCases.map { system in
            let settings = DeskBook.Settings(
                desk: system == .webhook ? "salon-desk" : system.rawValue, secret: system == .webhook ? value("SALON_DESK_SECRET") : nil)
            return (system, DeskBook(system, settings: settings, clock: clock))
        }
        let calls = books.map { ($0, DeskCalls(book: $1, sender: sender, logger: logger)) }
        return DeskControl(books: Dictionary(uniqueKeysWithValues: books), calls: Dictionary(uniqueKeysWithValues: calls))
    }

    private func standIn(_ book: DeskBook, _ desks: DeskControl) -> any StandIn {
        switch book.system {
        case .zendesk: ZendeskAPI(book: book, calls: desks.calls[.zendesk])
        case .freshdesk: FreshdeskAPI(book: book)
        case .requestTracker: RequestTrackerAPI(book: book)
        case .webhook: WebhookDeskAPI(book: book)
        }
    }

    private func warnOfMissingValues() {
        let names = ["WHATSAPP_APP_SECRET", "SALON_API_TOKEN", "JOBS_API_TOKEN", "SALON_SIGNING_SECRET", "JOBS_SIGNING_SECRET"]
        for name in names + SandboxInstance.all.map(\.tokenVariable) where value(name) == nil {
            logger.warning("\(name) is not set: what it proves is neither signed nor checked")
        }
    }

    /// An empty value counts as missing.
    private func value(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }

    /// The server's own log tells of every connection a fault resets; that is no news here.
    private static func quiet(_ logger: Logger) -> Logger {
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .warning)
        return quiet
    }
}
