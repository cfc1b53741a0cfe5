import ConfigurationLoading
import Conversation
import Foundation
import Hummingbird
import Logging
import NIOCore
import ServiceLifecycle
import Storage
import UnixSignals

extension GatewayProcess {
    /// Runs until SIGTERM or SIGINT: the server stops first, then the workers finish or give back what they hold.
    /// Throws `StartProblem` when the port cannot be had.
    func run(extraRoutes: [APIRoute] = [], withWorkers: Bool = true, onReady: @escaping @Sendable (Int) async -> Void) async throws {
        let server = server(routes: routes(extra: extraRoutes)) { port in
            beat.listens(on: "\(options.host):\(port)")
            readiness.isOpen = true
            await onReady(port)
        }
        let control = ControlServer(path: directory.controlSocketPath, desks: desks, logger: logger)
        var services: [any Service] = [control, beat, reload()]
        if withWorkers { services += parts() }
        services.append(server)
        // Services are told to stop one after the other, the last one first.
        services.append(ReadinessGate(readiness: readiness, beat: beat))
        var group = ServiceGroupConfiguration(
            services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        group.maximumGracefulShutdownDuration = configuration.server.shutdownGrace
        do {
            try await ServiceGroup(configuration: group).run()
        } catch let error as IOError where error.errnoCode == EADDRINUSE {
            await close()
            throw StartProblem("port \(options.port) on \(options.host) is taken; stop what uses it, or give --port another number")
        } catch let error as IOError {
            await close()
            throw StartProblem("cannot listen on \(options.host):\(options.port): \(error)")
        }
        await close()
    }
}

/// Turns readiness off as soon as a shutdown begins, so that a load balancer looks elsewhere, and tells the other nodes.
private struct ReadinessGate: Service {
    let readiness: Readiness
    let beat: NodeBeat

    func run() async throws {
        await withGracefulShutdownHandler {
            // Ends with the shutdown: nothing is ever sent on this stream.
            for await _ in AsyncStream<Never>.makeStream().stream.cancelOnGracefulShutdown() {}
        } onGracefulShutdown: {
            readiness.isOpen = false
            beat.drain()
        }
    }
}
