import ArgumentParser
import Bus

/// The options that `serve` and `demo` share.
struct ServeOptions: ParsableArguments {
    @Option(help: "Folder with switchboard.yaml and brands/<brand>/.") var config = "config"
    @Option(help: "Folder with one folder per channel.") var channels = "channels"
    @Option(help: "Folder for the embedded store; made when missing, mode 0700.") var data = ".data"
    @Option(help: "Address to listen on.") var host = "127.0.0.1"
    @Option(help: "Port to listen on; 0 picks a free one.") var port = 8080
    @Option(help: "sqlite:PATH; a file in --data by default.") var store: String?
    @Option(help: "Event bus: embedded, or nats://HOST:PORT with JetStream.") var bus = "embedded"
    @Option(help: "What this node does: all.") var role = "all"
    @Option(name: .customLong("log-level"), help: "trace, debug, info, notice, warning, error or critical.") var logLevel = "info"

    func validate() throws {
        guard (0...65_535).contains(port) else { throw ValidationError("--port is a number from 0 to 65535, not \(port)") }
        if bus != "embedded" {
            do { _ = try BusAddress(bus) } catch { throw ValidationError("--bus: \(error)") }
        }
        guard role == "all" else { throw ValidationError("--role \(role): this version runs every role in one process") }
        if let store, !store.hasPrefix("sqlite:") { throw ValidationError("--store \(store): this version knows sqlite:PATH") }
    }
}
