#if Sandbox
    import ArgumentParser
    import ConfigurationLoading
    import Conversation
    import Foundation
    import HTTPCalls

    /// A gateway on a free port with a store of its own, and the stand-ins as a process beside it, for the time of some conversations.
    struct ConversationWorld {
        /// Waits between attempts, in seconds: a conversation about failures must not take minutes.
        private static let backoff = [0.1, 0.1, 0.2, 0.2]

        let gateway: GatewayProcess
        private let sandbox: SandboxChild
        private let folder: String

        /// With a model it is the one at `LLM_URL`, or the stand-in's when that names none; without, whatever the environment says, conversations
        /// reach stand-ins and nothing else. Throws `StartProblem`, and exit code 3 when the stand-ins do not start.
        init(config: String, channels: String, withModel: Bool = false) async throws {
            folder = NSTemporaryDirectory() + "switchboard-converse-\(UUID().uuidString)"
            do {
                let options = try ServeOptions.parse(["--config", config, "--channels", channels] + ServeOptions.apart(in: folder))
                let metrics = try Observability.start(level: "critical")
                let secrets = DemoEnvironment.load(sandboxPort: 1)
                // The gateway's address is told as soon as it has one.
                sandbox = try await SandboxChild.start(port: 0, gateway: "http://127.0.0.1:1", data: nil, environment: secrets)
                let url = "http://127.0.0.1:\(sandbox.port)"
                var urls = ["SALON_API_URL": "/salon", "JOBS_API_URL": "/jobs", "WHATSAPP_GRAPH_URL": "/graph/v23.0"].mapValues { url + $0 }
                let named = secrets["LLM_URL"].flatMap { $0.isEmpty ? nil : $0 }
                urls["LLM_URL"] = withModel ? named ?? url + "/llm/v1" : ""
                gateway = try await GatewayProcess(
                    options: options, environment: secrets.merging(urls) { $1 }, metrics: metrics
                ) { $0.shortenWaits(Self.backoff) }
            } catch {
                try? FileManager.default.removeItem(atPath: folder)
                throw error
            }
        }

        /// Runs `work` while everything is up.
        func run<Result: Sendable>(_ work: @escaping @Sendable (SandboxAPI) async throws -> Result) async throws -> Result {
            let api = SandboxAPI(port: sandbox.port, client: gateway.http)
            defer { sandbox.stop() }
            return try await gateway.serve(removing: folder) { port in
                _ = try await api.send("PUT", "/_sandbox/gateway", ["url": .string("http://127.0.0.1:\(port)")])
                return try await work(api)
            }
        }
    }

    extension LoadedConfiguration {
        /// Short waits, and no store but the folder's own.
        fileprivate mutating func shortenWaits(_ waits: [Double]) {
            server.stores = .init()
            server.queue.backoff = waits
            for brand in brands.indices {
                for action in brands[brand].actions.indices { brands[brand].actions[action].retry.backoff = waits }
            }
        }
    }
#endif
