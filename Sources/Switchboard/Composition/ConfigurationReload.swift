import ConfigurationLoading
import Conversation
import Gateway
import Logging
import ServiceLifecycle
import UnixSignals

/// Reads the configuration anew each time the process is sent SIGHUP. Healthy brands are taken over at once, for messages that come from
/// then on; a turn that runs ends as it began. A brand with errors stays as it was, and with an error outside the brands everything does.
struct ConfigurationReload: Service {
    let read: @Sendable (_ running: LoadedConfiguration) -> LoadedConfiguration
    let assemble: @Sendable ([BrandConfiguration]) throws -> [BrandRuntime]
    let registry: Registry
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
