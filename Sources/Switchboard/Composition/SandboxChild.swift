#if Sandbox
    import ArgumentParser
    import Conversation
    import Foundation
    import Logging
    import NIOCore
    import Sandbox

    #if canImport(Glibc)
        import Glibc
    #endif

    /// The stand-ins as a process of their own, so that nothing of them is in the gateway's path.
    struct SandboxChild {
        /// Where it listens.
        let port: Int
        private let process: Process
        /// Ends with this process however it ends, and the stand-ins end with it.
        private let life: Pipe

        /// Returns when the stand-ins listen; `port` 0 takes a free one, and no `data` keeps no ledger. Throws `StartProblem` when the process cannot be started, and exit code 3 when it ended at
        /// once: then it has said why.
        static func start(port: Int, gateway: String, data: String?, environment: [String: String]) async throws -> SandboxChild {
            let (process, life, output) = (Process(), Pipe(), Pipe())
            process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
            process.arguments = ["sandbox", "--port", "\(port)", "--gateway", gateway, "--until-stdin-ends"]
            if let data { process.arguments? += ["--state", data + "/sandbox"] }
            process.environment = environment
            process.standardInput = life
            process.standardOutput = output
            do {
                try process.run()
            } catch {
                throw StartProblem("cannot start the sandbox: \(error.localizedDescription)")
            }
            guard let words = await firstWords(output), let bound = Self.port(in: words) else { throw ExitCode(3) }
            return SandboxChild(port: bound, process: process, life: life)
        }

        func stop() { process.terminate() }

        /// What the process says first, which is where it listens; nil when it ends without a word.
        static func firstWords(_ output: Pipe) async -> String? {
            // Holds at most the first words and the end.
            let (words, continuation) = AsyncStream.makeStream(of: Data.self, bufferingPolicy: .bufferingOldest(1))
            output.fileHandleForReading.readabilityHandler = { handle in
                let bytes = handle.availableData
                continuation.yield(bytes)
                if bytes.isEmpty { handle.readabilityHandler = nil }
            }
            guard let bytes = await words.first(where: { _ in true }), !bytes.isEmpty else { return nil }
            return String(decoding: bytes, as: UTF8.self)
        }

        private static func port(in words: String) -> Int? { words.firstMatch(of: /127\.0\.0\.1:([0-9]+)/).flatMap { Int($0.1) } }
    }

    enum SandboxProcess {
        static func run(port: Int, gateway: String, state: String?) async throws {
            let server = SandboxServer(
                port: port, gateway: gateway, environment: Configuration.environment, logger: Logger(label: "sandbox"),
                stateDirectory: state,
                onStart: { port in Terminal.say("sandbox: ready on http://127.0.0.1:\(port)") })
            do {
                try await server.run()
            } catch let error as IOError where error.errnoCode == EADDRINUSE {
                throw StartProblem("port \(port) for the sandbox is taken; stop what uses it, or give it another number")
            } catch {
                throw StartProblem("the sandbox cannot run on port \(port): \(error)")
            }
        }

        /// Ends this process when whoever started it is gone: then nobody holds the other end of standard input any more.
        static func endWithInput() {
            // A thread of its own, because reading blocks.
            Thread.detachNewThread {
                while !FileHandle.standardInput.availableData.isEmpty {}
                kill(getpid(), SIGTERM)
            }
        }
    }
#endif
