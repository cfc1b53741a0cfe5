import ConfigurationLoading
import Conversation
import Foundation
import HTTPCalls
import Signing
import Text

/// Loads the configuration with this installation's channels and checks.
enum Configuration {
    /// `running` keeps what of the new one has errors.
    static func load(
        _ options: ServeOptions, environment: [String: String], over running: LoadedConfiguration? = nil
    ) -> LoadedConfiguration {
        let loader = ConfigurationLoader(
            root: options.config, channelsRoot: options.channels, environment: environment, channels: Channels.descriptors,
            parseAddressRule: { try AddressRule(parsing: $0) },
            validatePattern: { pattern in
                do {
                    _ = try Pattern(pattern)
                    return nil
                } catch {
                    return "\(error)"
                }
            })
        return running.map { loader.reload(over: $0) } ?? loader.load()
    }

    static var environment: [String: String] { ProcessInfo.processInfo.environment }
}
