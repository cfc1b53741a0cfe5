import Conversation
import Foundation

#if canImport(Glibc)
    import Glibc
#endif

/// One more gateway of a rig's installation: the same configuration, keys, database and bus, a port and a data directory of its own.
final class RigNode: @unchecked Sendable {  // Used by one test at a time; the process is replaced only between steps.
    let name: String
    let port: Int
    private let rig: Rig
    private let options: [String]
    private(set) var process: Process?

    var url: String { "http://127.0.0.1:\(port)" }
    private var logName: String { "\(name).log" }
    var log: String { (try? String(contentsOfFile: "\(rig.folder)/\(logName)", encoding: .utf8)) ?? "" }

    init(_ rig: Rig, name: String, options: [String]) throws {
        self.rig = rig
        self.name = name
        self.options = options
        port = try Rig.freePort()
    }

    func start(_ extra: [String: String] = [:], waitUntilReady: Bool = true) async throws {
        process = try rig.launch(
            [
                "serve", "--config", rig.config, "--channels", rig.channels, "--data", "\(rig.folder)/\(name)", "--port", "\(port)",
                "--node", name,
            ] + options, log: logName, extra)
        guard waitUntilReady else { return }
        try await eventually("node \(name) is ready") { try await self.rig.get(self.url + "/readyz").status == 200 }
    }

    func kill() async {
        guard let process, process.isRunning else { return }
        Glibc.kill(process.processIdentifier, SIGKILL)
        await rig.exited(process)
    }

    /// SIGTERM, and the exit code.
    @discardableResult func stop() async -> Int32 {
        guard let process else { return -1 }
        if process.isRunning { Glibc.kill(process.processIdentifier, SIGTERM) }
        await rig.exited(process)
        return process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus
    }

    func send(signal: Int32) { if let process { Glibc.kill(process.processIdentifier, signal) } }
}

extension Rig {
    /// Starts a further node that shares everything with the gateway. Only for a rig with shared servers.
    func startNode(_ name: String, _ options: [String] = [], _ extra: [String: String] = [:]) async throws -> RigNode {
        let node = try RigNode(self, name: name, options: options)
        nodes.append(node)
        try await node.start(extra)
        return node
    }

    /// What `/v1/nodes` of a node says; of the gateway itself when none is given.
    func nodeList(at url: String? = nil) async throws -> [JSONValue] {
        try await get((url ?? gatewayURL) + "/v1/nodes", key: operatorKey).json["nodes"]?.array ?? []
    }
}
