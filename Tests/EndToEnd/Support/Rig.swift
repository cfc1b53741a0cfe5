import Conversation
import Foundation
import HTTPCalls
import Signing
import TestKit
import Testing

#if canImport(Glibc)
    import Glibc
#endif

/// One gateway and one sandbox, each the real binary in a process of its own, on free ports, with a data directory that goes with them.
final class Rig: @unchecked Sendable {  // Used by one test at a time; the processes are replaced only between steps.
    struct Options {
        /// (file below the configuration folder, text, replacement)
        var edits: [(file: String, from: String, to: String)] = []
        var environment: [String: String] = [:]
        var startsGateway = true
        /// The soft limit of open files that the gateway begins with; nil keeps ours.
        var openFiles: Int?
        var logLevel = "info"
        /// Servers to share with other nodes, whatever this run tests otherwise; nil leaves it to `SWITCHBOARD_TEST_STORE`.
        var servers: SharedServers?
        /// Further options of `serve`.
        var serve: [String] = []
        /// The gateway's bus; what the run tests when nil.
        var bus: String?
    }

    let folder: String
    let gatewayPort: Int
    let sandboxPort: Int
    let environment: [String: String]
    let client: CurlClient
    /// What the gateway shares with other nodes; nil where it has a store of its own.
    let place: SharedPlace?
    /// Further nodes, in the order in which they were started first.
    var nodes: [RigNode] = []
    private(set) var gateway: Process?
    private var sandbox: Process?
    private let options: Options

    var gatewayURL: String { "http://127.0.0.1:\(gatewayPort)" }
    var sandboxURL: String { "http://127.0.0.1:\(sandboxPort)" }
    var data: String { folder + "/data" }
    var config: String { folder + "/config" }
    /// The repository's channels, or a copy that `copyChannels()` made.
    var channels: String {
        let copy = folder + "/channels"
        return FileManager.default.fileExists(atPath: copy) ? copy : Self.repository + "/channels"
    }
    var gatewayLog: String { (try? String(contentsOfFile: folder + "/gateway.log", encoding: .utf8)) ?? "" }

    init(_ options: Options = .init()) async throws {
        self.options = options
        folder = NSTemporaryDirectory() + "switchboard-rig-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        gatewayPort = try Self.freePort()
        sandboxPort = try Self.freePort()
        var servers = options.servers
        if servers == nil, Self.kind == .postgresql { servers = try await .common() }
        place = if let servers { try await .make(on: servers) } else { nil }
        environment = Self.makeEnvironment(sandboxPort: sandboxPort).merging(place?.environment ?? [:]) { $1 }
            .merging(options.environment) { $1 }
        client = try CurlClient()
        try FileManager.default.copyItem(atPath: Self.repository + "/config", toPath: config)
        for edit in options.edits { try apply(edit) }
        if place != nil { try shortenLeases() }
        try await startSandbox()
        if options.startsGateway { try await startGateway() }
    }

    /// Runs `body` with a rig and takes everything down afterwards, whatever happened.
    static func with<Result>(_ options: Options = .init(), _ body: (Rig) async throws -> Result) async throws -> Result {
        let rig = try await Rig(options)
        do {
            let result = try await body(rig)
            await rig.tearDown()
            return result
        } catch {
            let tail = rig.gatewayLog.split(separator: "\n").suffix(15).joined(separator: "\n")
            Issue.record("\(error)\nthe gateway's last words:\n\(tail)")
            await rig.tearDown()
            throw error
        }
    }

    /// An embedded store frees everything when it is opened. Where others may be at work, what a killed process held waits for its lease.
    private func shortenLeases() throws {
        let usual = "lease_s: 30"
        guard try String(contentsOfFile: config + "/switchboard.yaml", encoding: .utf8).contains(usual) else { return }
        try apply((file: "switchboard.yaml", from: usual, to: "lease_s: 5"))
    }

    func apply(_ edit: (file: String, from: String, to: String)) throws {
        let path = config + "/" + edit.file
        let text = try String(contentsOfFile: path, encoding: .utf8)
        try #require(text.contains(edit.from), "\(edit.file) does not hold \"\(edit.from)\"")
        try text.replacingOccurrences(of: edit.from, with: edit.to).write(toFile: path, atomically: true, encoding: .utf8)
    }

    // MARK: Processes

    func startSandbox() async throws {
        sandbox = try launch(
            ["sandbox", "--port", "\(sandboxPort)", "--gateway", gatewayURL, "--state", records], log: "sandbox.log", [:])
        try await eventually("the sandbox answers") { try await self.get(self.sandboxURL + "/_sandbox/requests").status == 200 }
    }

    /// `extra` is added to the environment, such as a crash point.
    func startGateway(_ extra: [String: String] = [:], waitUntilReady: Bool = true) async throws {
        gateway = try launch(
            [
                "serve", "--config", config, "--channels", channels, "--data", data, "--port", "\(gatewayPort)",
                "--log-level", options.logLevel, "--node", "first",
            ] + options.serve + (options.bus.map { ["--bus", $0] } ?? []), log: "gateway.log", extra, openFiles: options.openFiles)
        guard waitUntilReady else { return }
        try await eventually("the gateway is ready") { try await self.get(self.gatewayURL + "/readyz").status == 200 }
    }

    func killGateway() async {
        guard let gateway, gateway.isRunning else { return }
        kill(gateway.processIdentifier, SIGKILL)
        await exited(gateway)
    }

    /// SIGTERM, and the exit code.
    @discardableResult func stopGateway() async -> Int32 {
        guard let gateway else { return -1 }
        if gateway.isRunning { kill(gateway.processIdentifier, SIGTERM) }
        await exited(gateway)
        return gateway.terminationReason == .exit ? gateway.terminationStatus : -gateway.terminationStatus
    }

    func exited(_ process: Process) async {
        while process.isRunning { try? await Task.sleep(for: .milliseconds(10)) }
    }

    func tearDown() async {
        for node in nodes { await node.kill() }
        await killGateway()
        if let sandbox, sandbox.isRunning { kill(sandbox.processIdentifier, SIGKILL) }
        if let sandbox { await exited(sandbox) }
        await client.shutdown()
        do {
            try await place?.drop()
        } catch {
            Issue.record("the test's database stays: \(error)")
        }
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// Runs the program to its end; returns its exit code and what it printed.
    func run(
        _ arguments: [String], _ extra: [String: String] = [:], program: String = Rig.binary
    ) async throws -> (code: Int32, out: String, err: String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.environment = environment.merging(extra) { $1 }
        process.currentDirectoryURL = URL(fileURLWithPath: Self.repository)
        let (out, err) = (folder + "/out-\(UUID().uuidString)", folder + "/err-\(UUID().uuidString)")
        for path in [out, err] { _ = FileManager.default.createFile(atPath: path, contents: nil) }
        let files = [FileHandle(forWritingAtPath: out), FileHandle(forWritingAtPath: err)]
        process.standardOutput = files[0]
        process.standardError = files[1]
        // Foundation keeps a process's handles for good; open ones of every process that ever ran would use up our files.
        defer { for file in files { try? file?.close() } }
        try process.run()
        await exited(process)
        return (
            process.terminationStatus, try String(contentsOfFile: out, encoding: .utf8), try String(contentsOfFile: err, encoding: .utf8)
        )
    }

    func launch(_ arguments: [String], log: String, _ extra: [String: String], openFiles: Int? = nil) throws -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: Self.binary)
        process.arguments = arguments
        if let openFiles {
            process.executableURL = URL(fileURLWithPath: "/bin/sh")
            process.arguments = ["-c", "ulimit -Sn \(openFiles); exec \"$0\" \"$@\"", Self.binary] + arguments
        }
        process.environment = environment.merging(extra) { $1 }
        if arguments.first == "serve" { process.environment?.merge(Self.proxies) { $1 } }
        process.currentDirectoryURL = URL(fileURLWithPath: Self.repository)
        let path = folder + "/" + log
        if !FileManager.default.fileExists(atPath: path) { _ = FileManager.default.createFile(atPath: path, contents: nil) }
        let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        defer { try? handle.close() }
        try handle.seekToEnd()
        process.standardOutput = handle
        process.standardError = handle
        try process.run()
        return process
    }

    /// A proxy where nobody listens: a gateway that heeded it would reach neither brands nor channels.
    private static let proxies = ["http_proxy", "https_proxy", "HTTPS_PROXY", "ALL_PROXY"].reduce(into: [String: String]()) {
        $0[$1] = "http://127.0.0.1:9"
    }

    // MARK: Surroundings

    /// The built program: `SWITCHBOARD_BINARY`, else beside the tests.
    static let binary: String = {
        if let given = ProcessInfo.processInfo.environment["SWITCHBOARD_BINARY"] { return given }
        return repository + "/.build/debug/switchboard"
    }()

    static let repository: String = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().path

    static func freePort() throws -> Int { try FreePort.take() }

    private static func makeEnvironment(sandboxPort: Int) -> [String: String] {
        var environment = ["PATH": ProcessInfo.processInfo.environment["PATH"] ?? "", "HOME": NSHomeDirectory(), "TZ": "UTC"]
        if let library = ProcessInfo.processInfo.environment["LD_LIBRARY_PATH"] { environment["LD_LIBRARY_PATH"] = library }
        for name in ["SWITCHBOARD_OPERATOR_KEY", "WHATSAPP_APP_SECRET", "WHATSAPP_VERIFY_TOKEN"] {
            environment[name] = "test-\(name)-\(UUID())"
        }
        for brand in ["SALON", "JOBS"] {
            for name in ["ADMIN_KEY", "API_TOKEN", "WHATSAPP_TOKEN", "JWT_SECRET", "APP_KEY"] {
                environment["\(brand)_\(name)"] = "test-\(brand)-\(name)-\(UUID())"
            }
            environment["\(brand)_SIGNING_SECRET"] = "whsec_" + Base64.encode((0..<32).map { _ in UInt8.random(in: 0...255) })
        }
        let sandbox = "http://127.0.0.1:\(sandboxPort)"
        environment["SALON_API_URL"] = sandbox + "/salon"
        environment["JOBS_API_URL"] = sandbox + "/jobs"
        environment["WHATSAPP_GRAPH_URL"] = sandbox + "/graph/v23.0"
        return environment
    }
}

struct Timeout: Error, CustomStringConvertible {
    let description: String
}

/// What a machine that does much else besides may take for anything. Long waits cost only tests that fail.
let patience = Duration.seconds(60)

/// Looks again until it holds. Only for what happens in another process; nothing in there can signal us.
func eventually(_ what: String, within limit: Duration = patience, _ condition: () async throws -> Bool) async throws {
    let deadline = ContinuousClock.now + limit
    while ContinuousClock.now < deadline {
        if (try? await condition()) == true { return }
        try await Task.sleep(for: .milliseconds(25))
    }
    throw Timeout(description: "did not happen within \(limit): \(what)")
}

/// Waits until after midnight (UTC) when less than five minutes of the day are left: for what is counted by the day.
func wholeDayAhead() async throws {
    let day = Int64(86_400_000)
    let left = day - SystemClock().now.milliseconds % day
    if left < 300_000 { try await Task.sleep(for: .milliseconds(left + 1000)) }
}
