import Hummingbird
import Logging
import ServiceLifecycle

/// Runs a server so that it always ends in order.
enum OrderlyServer {
    /// Serves until this task is cancelled or shut down gracefully, then takes no more connections and lets running answers end.
    ///
    /// Cancelling the server's own task is no way to end it: a connection that was accepted and not yet handled would be
    /// destroyed without having been closed, which SwiftNIO takes for a programmer's error.
    static func run(_ application: some ApplicationProtocol, logger: Logger) async throws {
        let group = ServiceGroup(configuration: ServiceGroupConfiguration(services: [application], logger: logger))
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
