import ArgumentParser
import Bus
import ConfigurationLoading
import Conversation

/// The options that `serve` and `demo` share.
struct ServeOptions: ParsableArguments {
    @Option(help: "Folder with switchboard.yaml and brands/<brand>/.") var config = "config"
    @Option(help: "Folder with one folder per channel.") var channels = "channels"
    @Option(help: "Folder for the embedded store and the control socket; made when missing, mode 0700. Every node has its own.")
    var data = ".data"
    @Option(help: "Address to listen on.") var host = "127.0.0.1"
    @Option(help: "Port to listen on; 0 picks a free one.") var port = 8080
    @Option(
        help: """
            sqlite:PATH, or postgres://USER:PASSWORD@HOST:PORT/DATABASE, which several nodes may share. By default $SWITCHBOARD_STORE, else \
            stores.default of switchboard.yaml, else a file in --data. Everybody on this machine sees options: a URL with a password \
            belongs in the environment.
            """)
    var store: String?
    @Option(
        help: """
            embedded, or nats://USER:PASSWORD@HOST:PORT with JetStream, which several nodes may share. By default $SWITCHBOARD_BUS, else \
            embedded.
            """)
    var bus: String?
    @Option(
        help: """
            all; intake: takes webhooks, pages and calls of /v1, and runs nothing; worker: runs what was taken, and serves only health, \
            metrics and /v1/nodes. Other than all needs a store that nodes can share.
            """)
    var role = NodeRole.all
    @Option(help: "What to call this node in /v1/nodes and in logs; by default the name of the machine.") var node: String?
    @Option(name: .customLong("log-level"), help: "trace, debug, info, notice, warning, error or critical.") var logLevel = "info"

    func validate() throws {
        guard (0...65_535).contains(port) else { throw ValidationError("--port is a number from 0 to 65535, not \(port)") }
        do {
            if let store { _ = try StoreLocation(store) }
        } catch {
            throw ValidationError("--store: \(error)")
        }
        do {
            if let bus, case .nats(let url) = try BusLocation(bus) { _ = try BusAddress(url.reveal()) }
        } catch {
            throw ValidationError("--bus: \(error)")
        }
        if let node, !NodeName.isGood(node) {
            throw ValidationError("--node \(node): 1 to 63 letters, digits, dots, hyphens and underscores")
        }
    }
}

/// What a node does.
enum NodeRole: String, Sendable, Hashable, CaseIterable, ExpressibleByArgument {
    case all, intake, worker

    var takesMessages: Bool { self != .worker }
    var runsTasks: Bool { self != .intake }
}

extension ServeOptions {
    /// Options of a gateway that lives for a moment beside everything else: a folder, a free port and a bus of its own, whatever the
    /// environment names.
    static func apart(in folder: String, store: String? = nil) -> [String] {
        ["--data", folder, "--port", "0", "--store", store ?? "sqlite:\(folder)/switchboard.sqlite", "--bus", "embedded"]
    }
}
