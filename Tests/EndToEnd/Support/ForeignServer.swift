import Foundation
import Testing

#if canImport(Glibc)
    import Glibc
#endif

/// A program that others wrote, in a process of its own, with a folder that goes with it.
final class ForeignServer: @unchecked Sendable {  // Used by one test at a time.
    let folder: String
    private var running: [Process] = []

    init(_ name: String) throws {
        folder = NSTemporaryDirectory() + "\(name)-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    func write(_ text: String, to name: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: folder + "/" + name))
    }

    var log: String { (try? String(contentsOfFile: folder + "/log", encoding: .utf8)) ?? "" }

    /// Starts a program; what it says goes to the log.
    @discardableResult func start(_ arguments: [String], _ environment: [String: String] = [:], keep: Bool = true) throws -> Process {
        let process = Process()
        // A session of its own, so that its workers can be ended with it.
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = (keep ? ["setsid", "--wait"] : []) + arguments
        process.environment = ProcessInfo.processInfo.environment.merging(["LC_ALL": "C.UTF-8", "TZ": "UTC"]) { $1 }.merging(environment) {
            $1
        }
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        let path = folder + "/log"
        if !FileManager.default.fileExists(atPath: path) { _ = FileManager.default.createFile(atPath: path, contents: nil) }
        let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        defer { try? handle.close() }
        try handle.seekToEnd()
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = handle
        process.standardError = handle
        try process.run()
        if keep { running.append(process) }
        return process
    }

    /// Runs a program to its end, which must be a good one.
    func run(_ arguments: [String], _ environment: [String: String] = [:]) async throws {
        let process = try start(arguments, environment, keep: false)
        while process.isRunning { try await Task.sleep(for: .milliseconds(10)) }
        try #require(process.terminationStatus == 0, "\(arguments.joined(separator: " ")) failed:\n\(log.suffix(2_000))")
    }

    /// Ends everything that was started here, their workers included.
    func stop() async {
        for process in running where process.isRunning {
            let group = Self.leader(process.processIdentifier)
            kill(-group, SIGTERM)
            for _ in 0..<100 where process.isRunning { try? await Task.sleep(for: .milliseconds(20)) }
            kill(-group, SIGKILL)
            if process.isRunning { kill(process.processIdentifier, SIGKILL) }
            while process.isRunning { try? await Task.sleep(for: .milliseconds(10)) }
        }
        running = []
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// `setsid --wait` is the leader itself, or has one child that is.
    private static func leader(_ process: Int32) -> Int32 {
        let path = "/proc/\(process)/task/\(process)/children"
        let children = (try? String(contentsOfFile: path, encoding: .utf8))?.split(separator: " ").compactMap { Int32($0) } ?? []
        return children.first { getpgid($0) == $0 } ?? process
    }
}
