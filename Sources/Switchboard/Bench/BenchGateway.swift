#if Sandbox
    import ArgumentParser
    import ConfigurationLoading
    import Conversation
    import Foundation
    import Gateway
    import Synchronization

    /// A gateway on a free port with a store of its own, for the time of a benchmark.
    struct BenchGateway {
        static let nullPath = "/_bench/null"

        let gateway: GatewayProcess
        let folder: String
        /// What its store is called in results.
        let storeKind: String
        let webhooks: BenchWebhooks

        /// Throws `StartProblem`. `environment` overrides what the demo would make up. `store` is an address as `serve` takes it; nil for a file
        /// that goes with the benchmark.
        init(config: String, channels: String, store: String? = nil, environment: [String: String] = [:]) async throws {
            storeKind = store?.hasPrefix("postgres") == true ? "postgresql" : "sqlite"
            folder = NSTemporaryDirectory() + "switchboard-bench-\(UUID().uuidString)"
            let options = try ServeOptions.parse(
                ["--config", config, "--channels", channels] + ServeOptions.apart(in: folder, store: store))
            let metrics = try Observability.start(level: "error")
            let all = try DemoEnvironment.load(options: options, sandboxPort: 1).merging(environment) { $1 }
            gateway = try await GatewayProcess(options: options, environment: all, metrics: metrics) { $0.server.stores = .init() }
            guard let instance = gateway.registry.brands.first(where: { $0.id.rawValue == "salon" })?.configuration.instances.first,
                let app = instance.settings.text("app"), let account = instance.settings.text("phone_number_id"),
                let secret = all["WHATSAPP_APP_SECRET"]
            else { throw StartProblem("the benchmark needs the demo brand salon with a WhatsApp instance in \(config)") }
            webhooks = BenchWebhooks(app: app, account: account, secret: Secret(secret))
        }

        /// Runs `work` with the port while the gateway serves, then stops it and removes its store.
        func run<Result: Sendable>(withWorkers: Bool, _ work: @escaping @Sendable (Int) async throws -> Result) async throws -> Result {
            let null = APIRoute(
                method: "POST", path: Self.nullPath, access: .channel("none"), summary: "Reads the body and answers",
                maxBodyBytes: gateway.configuration.server.maxBodyBytes
            ) { _ in ChannelResponse(status: 200, body: Array(#"{"accepted":1,"duplicates":0,"ignored":0,"quarantined":0}"#.utf8)) }
            return try await gateway.serve(extraRoutes: [null], withWorkers: withWorkers, removing: folder, work)
        }
    }
#endif
