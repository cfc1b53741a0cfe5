import Hummingbird
import Logging
import ServiceLifecycle

/// Runs a server so that it always ends in order.
enum OrderlyServer {
    /// How long a caller who does not read may hold up the end; by then no connection is left unhandled, and cancelling does no harm.
    private static let grace: Duration = .seconds(2)

    /// Serves until this task is cancelled or shut down gracefully, then takes no more connections and lets running answers end.
    ///
    /// Cancelling the server's own task is no way to end it: a connection that was accepted and not yet handled would be
    /// destroyed without having been closed, which SwiftNIO takes for a programmer's error.
    static func run(_ application: some ApplicationProtocol, logger: Logger) async throws {
        var configuration = ServiceGroupConfiguration(services: [application], logger: logger)
        configuration.maximumGracefulShutdownDuration = grace
        let group = ServiceGroup(configuration: configuration)
        // Unstructured, so that cancellation does not reach the server but becomes a graceful shutdown.
        let serving = Task { try await group.run() }
        try await withTaskCancellationOrGracefulShutdownHandler {
            try await serving.value
        } onCancelOrGracefulShutdown: {
            // Unstructured, because the handler cannot wait; it ends with the group.
            Task { await group.triggerGracefulShutdown() }
        }
    }
}
