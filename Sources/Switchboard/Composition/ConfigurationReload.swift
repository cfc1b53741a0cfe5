import ConfigurationLoading
import Conversation
import Gateway
import Logging
import ServiceLifecycle
import Synchronization
import UnixSignals

/// Reads the configuration anew each time the process is sent SIGHUP. Healthy brands are taken over at once, for messages that come from
/// then on; a turn that runs ends as it began. A brand with errors stays as it was, and with an error outside the brands everything does.
struct ConfigurationReload: Service {
    let read: @Sendable (_ running: LoadedConfiguration) -> LoadedConfiguration
    let assemble: @Sendable ([BrandConfiguration]) throws -> [BrandRuntime]
    let registry: Registry
    let stopped: StoppedBrands
    let first: LoadedConfiguration
    let metrics: GatewayMetrics
    let logger: Logger

    func run() async throws {
        var running = first
        let signals = await UnixSignalsSequence(trapping: .sighup)
        for await _ in signals.cancelOnGracefulShutdown() { running = reload(over: running) }
    }

    /// What runs afterwards.
    private func reload(over running: LoadedConfiguration) -> LoadedConfiguration {
        let next = read(running)
        for problem in next.problems { Terminal.complain("\(problem)") }
        let brands: [BrandRuntime]
        do {
            brands = try assemble(next.brands)
        } catch {
            // The loader has checked all that assembling needs, so this is a fault of ours; nothing has changed yet.
            metrics.reloaded(isComplete: false)
            logger.error("the new configuration cannot be used; everything goes on as before", metadata: ["error": "\(error)"])
            return running
        }
        CrashPoint.configurationSwapping.pass()
        registry.replace(brands: brands, descriptors: Channels.descriptors)
        stopped.are(next)
        CrashPoint.configurationSwapping.pass()
        metrics.reloaded(isComplete: next.errors.isEmpty)
        let about: Logger.Metadata = ["result": "\(ConfigurationReport(next).summary)"]
        if next.fatalProblems.isEmpty {
            logger.notice("configuration read anew; what is not a brand's needs a restart", metadata: about)
        } else {
            logger.error("configuration read anew and refused; everything goes on as before", metadata: about)
        }
        return next
    }
}

/// Brands that their configuration stops, as it was read last.
final class StoppedBrands: Sendable {
    private let state = Mutex((ids: [BrandID](), isAny: false))

    /// Some folder's name may not even be an id: then there is one without an id.
    func are(_ configuration: LoadedConfiguration) {
        let ids = configuration.stopped.compactMap(\.id)
        state.withLock { $0 = (ids, !configuration.stopped.isEmpty) }
    }

    var ids: [BrandID] { state.withLock { $0.ids } }
    var isAny: Bool { state.withLock { $0.isAny } }
}
