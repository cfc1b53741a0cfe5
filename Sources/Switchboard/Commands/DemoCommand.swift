#if Sandbox
    import ArgumentParser
    import Conversation
    import Foundation

    struct DemoCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "demo", abstract: "Runs the gateway with two demo brands and stand-ins for every remote system.",
            discussion: """
                Makes up every secret that the environment lacks and keeps them in <data>/demo.env (mode 0600). Nothing leaves the machine. \
                When it is ready it prints lines to try.
                """)

        @OptionGroup var options: ServeOptions
        @Option(name: .customLong("sandbox-port"), help: "Port of the stand-ins.") var sandboxPort = 8090

        func run() async throws {
            let metrics = try Observability.start(level: options.logLevel)
            OpenFiles.raiseLimit()
            let environment = try DemoEnvironment.load(options: options, sandboxPort: sandboxPort)
            let gateway = try await GatewayProcess(options: options, environment: environment, metrics: metrics)
            let sandbox = try await SandboxChild.start(
                port: sandboxPort, gateway: "http://\(options.host):\(options.port)", data: options.data, environment: environment)
            defer { sandbox.stop() }
            let (options, port) = (options, sandboxPort)
            try await gateway.run { _ in Terminal.say(DemoGuide.text(options, sandboxPort: port)) }
        }
    }

    struct SandboxCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "sandbox", abstract: "Runs the stand-ins for the Graph API and the demo brands' systems, on loopback only.",
            subcommands: [SandboxCheckCommand.self])

        @Option(help: "Port to listen on; 0 picks a free one.") var port = 8090
        @Option(help: "Where the gateway is.") var gateway = "http://127.0.0.1:8080"
        @Option(
            help: """
                Folder for records of requests received, calls, effects and webhooks acknowledged, as `sandbox check` reads them; in memory \
                only without it.
                """)
        var state: String?
        @Option(name: .customLong("log-level"), help: "trace, debug, info, notice, warning, error or critical.") var logLevel = "warning"

        @Flag(name: .customLong("until-stdin-ends"), help: .hidden) var endsWithInput = false

        func run() async throws {
            _ = try Observability.start(level: logLevel)
            if endsWithInput { SandboxProcess.endWithInput() }
            try await SandboxProcess.run(port: port, gateway: gateway, state: state)
        }
    }
#endif
