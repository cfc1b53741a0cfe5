import Foundation
import Storage
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// The processes of a PostgreSQL server: a shell that takes orders on its standard input and cleans up at its end, which comes when this
/// process does, and below it the server. `@unchecked`: orders are given one at a time, under `orders`.
final class ServerProcess: @unchecked Sendable {
    let port: Int
    private let folder: String
    private let shell: Process
    private let input: FileHandle
    private let output: FileHandle
    private let orders = Mutex(())

    private static let script = """
        trap '' INT TERM HUP
        control() { "$1/pg_ctl" -D "$2/data" -l "$2/log" -w "$3" $4 </dev/null >/dev/null 2>&1; }
        while read -r order; do
            case "$order" in
                start) control "$1" "$2" start ;;
                stop) control "$1" "$2" stop "-m fast" ;;
                kill) control "$1" "$2" stop "-m immediate" ;;
            esac
            echo done
        done
        control "$1" "$2" stop "-m immediate"
        rm -rf "$2"
        """

    static func start() async throws -> ServerProcess {
        let process = try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<ServerProcess, any Error>) in
            // Makes files and waits for programs, so it has a thread of its own.
            Thread { continuation.resume(with: Result { try ServerProcess() }) }.start()
        }
        try await process.tell("start")
        try await process.waitUntilReady()
        return process
    }

    private init() throws {
        let programs = try Self.programs()
        port = try FreePort.take()
        folder = "/tmp/switchboard-postgres-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        if geteuid() == 0 { try Self.run(["chown", "postgres", folder]) }
        try Self.run(
            Self.asServer([
                programs + "/initdb", "-D", folder + "/data", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-k",
                "--no-sync",
                "--no-instructions",
            ]))
        let settings = """

            port = \(port)
            listen_addresses = '127.0.0.1'
            unix_socket_directories = ''
            max_connections = 500
            shared_buffers = 64MB
            fsync = on
            synchronous_commit = on
            full_page_writes = on
            """
        let file = folder + "/data/postgresql.conf"
        let written = try String(contentsOfFile: file, encoding: .utf8) + settings
        try written.write(toFile: file, atomically: false, encoding: .utf8)
        shell = Process()
        let command = Self.asServer(["/bin/sh", "-c", Self.script, "sh", programs, folder])
        shell.executableURL = URL(fileURLWithPath: command[0])
        shell.arguments = Array(command.dropFirst())
        let (orders, answers) = (Pipe(), Pipe())
        shell.standardInput = orders
        shell.standardOutput = answers
        shell.standardError = FileHandle.nullDevice
        try shell.run()
        input = orders.fileHandleForWriting
        output = answers.fileHandleForReading
    }

    deinit { try? input.close() }

    /// Returns when the order is carried out.
    func tell(_ order: String) async throws {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            Thread { [self] in continuation.resume(with: Result { try give(order) }) }.start()
        }
    }

    private func give(_ order: String) throws {
        try orders.withLock { _ in
            try input.write(contentsOf: Data("\(order)\n".utf8))
            guard output.availableData.isEmpty == false else { throw PostgresServer.Problem("the shell around PostgreSQL ended") }
        }
    }

    func waitUntilReady() async throws {
        let deadline = ContinuousClock.now + .seconds(30)
        while true {
            do {
                try await PostgreSQLConsole.run("SELECT 1", at: "postgres://postgres@127.0.0.1:\(port)/postgres")
                return
            } catch {
                guard ContinuousClock.now < deadline else {
                    let log = (try? String(contentsOfFile: folder + "/log", encoding: .utf8)) ?? ""
                    throw PostgresServer.Problem("PostgreSQL did not start: \(error); its log says: \(log.suffix(2000))")
                }
                try await Task.sleep(for: .milliseconds(20))
            }
        }
    }

    // MARK: Programs

    /// PostgreSQL does not run as root.
    private static func asServer(_ command: [String]) -> [String] {
        geteuid() == 0 ? ["/usr/bin/setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--"] + command : command
    }

    /// `SWITCHBOARD_POSTGRES_BIN`, else the newest version the system has.
    private static func programs() throws -> String {
        if let given = ProcessInfo.processInfo.environment["SWITCHBOARD_POSTGRES_BIN"] { return given }
        let root = "/usr/lib/postgresql"
        let versions = ((try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []).compactMap { Int($0) }.filter { $0 >= 15 }
        let folders = versions.sorted(by: >).map { "\(root)/\($0)/bin" } + ["/opt/homebrew/bin", "/usr/local/bin", "/usr/bin"]
        guard let found = folders.first(where: { FileManager.default.isExecutableFile(atPath: $0 + "/postgres") }) else {
            throw PostgresServer.Problem(
                "PostgreSQL 15 is not installed (apt-get install postgresql-15, or SWITCHBOARD_POSTGRES_BIN, or SWITCHBOARD_TEST_POSTGRES)")
        }
        return found
    }

    private static func run(_ command: [String]) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = command
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw PostgresServer.Problem("\(command.joined(separator: " ")) failed: \(text)") }
    }
}
