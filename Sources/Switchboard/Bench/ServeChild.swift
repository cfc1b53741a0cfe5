#if Sandbox
    import ArgumentParser
    import Conversation
    import Foundation

    #if canImport(Glibc)
        import Glibc
    #endif

    /// A gateway as a process of its own, so that its memory is its own.
    final class ServeChild {
        let port: Int
        private let process: Process
        private let folder: String

        /// Returns when it is ready. Throws `StartProblem`.
        static func start(config: String, channels: String) async throws -> ServeChild {
            let folder = NSTemporaryDirectory() + "switchboard-bench-\(UUID().uuidString)"
            let (process, output) = (Process(), Pipe())
            process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
            process.arguments =
                ["serve", "--config", config, "--channels", channels, "--log-level", "error"] + ServeOptions.apart(in: folder)
            process.environment = DemoEnvironment.load(sandboxPort: 1)
            process.standardOutput = output
            do {
                try process.run()
            } catch {
                throw StartProblem("cannot start the gateway: \(error.localizedDescription)")
            }
            // `--port 0` has no number before the gateway listens; it says which in its first line.
            guard let words = await SandboxChild.firstWords(output), let port = words.firstMatch(of: /:([0-9]+)\s*$/).flatMap({ Int($0.1) })
            else { throw StartProblem("the gateway of the benchmark did not start") }
            return ServeChild(port: port, process: process, folder: folder)
        }

        private init(port: Int, process: Process, folder: String) {
            (self.port, self.process, self.folder) = (port, process, folder)
        }

        /// Memory that is in RAM, in KB. Throws what reading `/proc` throws.
        func residentKB() throws -> Int {
            let status = try String(contentsOfFile: "/proc/\(process.processIdentifier)/status", encoding: .utf8)
            guard let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmRSS:") }),
                let number = line.split(whereSeparator: { !$0.isNumber }).first.flatMap({ Int($0) })
            else { throw StartProblem("/proc does not say how much memory the gateway has") }
            return number
        }

        /// File descriptors that it holds.
        func openFiles() throws -> Int {
            try FileManager.default.contentsOfDirectory(atPath: "/proc/\(process.processIdentifier)/fd").count
        }

        /// Asks it to end in an orderly way.
        func terminate() { kill(process.processIdentifier, SIGTERM) }

        /// Waits for its end; what it exits with, or the signal that ended it as a negative number.
        func exitCode() async throws -> Int32 {
            while process.isRunning { try await Task.sleep(for: .milliseconds(5)) }
            return process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus
        }

        deinit {
            if process.isRunning { kill(process.processIdentifier, SIGKILL) }
            try? FileManager.default.removeItem(atPath: folder)
        }
    }
#endif
