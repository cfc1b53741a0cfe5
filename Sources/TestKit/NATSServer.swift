import Foundation
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// A real nats-server with JetStream on a free port of this machine, with a folder of its own. `@unchecked`: guarded by `lock`.
package final class NATSServer: @unchecked Sendable {
    package struct Problem: Error, CustomStringConvertible {
        package let description: String
    }

    package let port: Int
    package let folder: String
    private let lock = NSLock()
    private var process: Process?
    private var orders = Pipe()
    private let taken = Atomic<Int>(0)

    /// Namespaces on the server: each has streams of its own and sees nothing of the others.
    private static let accounts = 64
    private static let maxPayload = 262_144
    private static let holder = Mutex<NATSServer?>(nil)

    /// One for the whole process, started when it is first asked for and killed when the process ends. Tests that stop or wipe a server
    /// make one of their own.
    package static func shared() async throws -> NATSServer {
        let server = try holder.withLock { held in
            if let held { return held }
            let new = try NATSServer()
            held = new
            atexit { NATSServer.stopShared() }
            return new
        }
        try await server.waitUntilReady()
        return server
    }

    private static func stopShared() {
        guard let server = holder.withLock({ $0 }) else { return }
        // Nobody may wait here: the process ends.
        server.orders.fileHandleForWriting.write(Data("end\n".utf8))
        try? FileManager.default.removeItem(atPath: server.folder)
    }

    /// Runs `body` with a server of its own.
    package static func with<Result>(
        access: String? = nil, _ body: (NATSServer) async throws -> Result
    ) async throws -> Result {
        let server = try NATSServer(access: access)
        defer { server.remove() }
        try await server.waitUntilReady()
        return try await body(server)
    }

    /// `access` is what stands in the server's configuration about accounts and users; 64 accounts for `freshURL` when nil. Throws `Problem`.
    package init(access: String? = nil) throws {
        port = try FreePort.take()
        folder = NSTemporaryDirectory() + "switchboard-nats-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Self.configuration(port: port, folder: folder, access: access ?? Self.namespaces).write(
            toFile: folder + "/server.conf", atomically: true, encoding: .utf8)
        try start()
    }

    /// A URL of a namespace that nobody had before, for `BusAddress`.
    package func freshURL(_ options: String = "") -> String {
        let number = taken.add(1, ordering: .relaxed).newValue
        precondition(number <= Self.accounts, "more namespaces than the test server has")
        return url(namespace: number, options)
    }

    package func url(namespace number: Int, _ options: String = "") -> String {
        "nats://user\(number):secret@127.0.0.1:\(port)" + (options.isEmpty ? "" : "?" + options)
    }

    package func start() throws {
        try lock.withLock {
            guard process == nil else { return }
            let new = Process()
            orders = Pipe()
            new.executableURL = URL(fileURLWithPath: "/bin/sh")
            // A line on its input, or the end of the tests, however it comes, is the end of the server.
            let script = "nats-server -c $0/server.conf & echo $! > $0/pid; read order; kill -9 $!"
            new.arguments = ["-c", script, folder]
            (new.standardOutput, new.standardError) = (FileHandle.nullDevice, FileHandle.nullDevice)
            new.standardInput = orders
            do { try new.run() } catch { throw Problem(description: "a shell cannot be started: \(error)") }
            process = new
        }
    }

    /// SIGKILL, and returns when it is gone.
    package func stop() {
        lock.withLock {
            guard let process else { return }
            orders.fileHandleForWriting.write(Data("end\n".utf8))
            while process.isRunning || isListening { usleep(1000) }
            self.process = nil
        }
    }

    /// `signal` is SIGSTOP or SIGCONT.
    package func send(signal: Int32) throws {
        let text = try String(contentsOfFile: folder + "/pid", encoding: .utf8)
        guard let server = pid_t(text.trimmingCharacters(in: .whitespacesAndNewlines)) else {
            throw Problem(description: "nobody knows the server's process")
        }
        kill(server, signal)
        #if os(Linux)
            if signal == SIGSTOP { try Self.waitUntilStopped(server) }
        #endif
    }

    /// A signal is on its way when `kill` returns: until every thread stands, the process may still answer.
    private static func waitUntilStopped(_ process: pid_t) throws {
        let folder = "/proc/\(process)/task"
        let deadline = ContinuousClock.now + .seconds(10)
        while ContinuousClock.now < deadline {
            let threads = try FileManager.default.contentsOfDirectory(atPath: folder)
            let states = threads.compactMap { thread in
                // A thread may end meanwhile. The state follows the name, which stands in brackets.
                (try? String(contentsOfFile: "\(folder)/\(thread)/stat", encoding: .utf8))?.split(separator: ")").last?.dropFirst().first
            }
            if states.allSatisfy({ $0 == "T" }) { return }
            sched_yield()
        }
        throw Problem(description: "the server did not stand still")
    }

    package func restart() async throws {
        stop()
        try start()
        try await waitUntilReady()
    }

    /// Comes back with nothing in it.
    package func wipe() async throws {
        stop()
        try FileManager.default.removeItem(atPath: folder + "/store")
        try start()
        try await waitUntilReady()
    }

    package func remove() {
        stop()
        try? FileManager.default.removeItem(atPath: folder)
    }

    package func waitUntilReady() async throws {
        let deadline = ContinuousClock.now + .seconds(20)
        while ContinuousClock.now < deadline {
            if isListening { return }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw Problem(description: "nats-server does not answer on port \(port); is it installed?")
    }

    private var isListening: Bool {
        let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(socket) }
        return Self.withAddress(port) { connect(socket, $0, $1) == 0 }
    }

    private static func withAddress<Result>(_ port: Int, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(port)).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
    }

    private static var namespaces: String {
        let accounts = (1...accounts).map { number in
            "  space\(number) { jetstream: enabled, users: [{ user: user\(number), password: secret }] }"
        }
        return "accounts {\n\(accounts.joined(separator: "\n"))\n}"
    }

    private static func configuration(port: Int, folder: String, access: String) -> String {
        """
        listen: "127.0.0.1:\(port)"
        max_payload: \(maxPayload)
        jetstream { store_dir: "\(folder)/store", max_file_store: 1GB }
        \(access)

        """
    }
}
