import ArgumentParser
import CoreMetrics
import Logging

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Runs the gateway.",
        discussion: """
            Reads the configuration, opens the store, takes up what a process before it left, and listens. Ready when GET /readyz answers 200.
            SIGHUP reads the configuration anew: healthy brands are taken over, a brand with errors stays as it was, and what is not a brand's
            needs a restart. SIGTERM stops accepting, finishes or gives back running work within shutdown_grace_s, and exits 0.
            """)

    @OptionGroup var options: ServeOptions

    func run() async throws {
        let metrics = try Observability.start(level: options.logLevel)
        OpenFiles.raiseLimit()
        let gateway = try await GatewayProcess(options: options, environment: Configuration.environment, metrics: metrics)
        let host = options.host
        try await gateway.run { port in Terminal.say("switchboard: ready on http://\(host):\(port)") }
    }
}

enum Observability {
    /// Sets up logs and metrics for the process; once.
    static func start(level: String) throws -> PrometheusMetrics {
        guard let level = Logger.Level(rawValue: level) else {
            throw ValidationError("--log-level \(level): one of \(Logger.Level.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        let metrics = PrometheusMetrics()
        LoggingSystem.bootstrap { JSONLogHandler(label: $0, level: level) }
        MetricsSystem.bootstrap(metrics)
        return metrics
    }
}
