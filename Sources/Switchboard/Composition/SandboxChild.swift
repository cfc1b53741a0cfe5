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
        private let process: Process
        /// Ends with this process however it ends, and the stand-ins end with it.
        private let life: Pipe

        /// Returns when the stand-ins listen. Throws `StartProblem` when the process cannot be started, and exit code 3 when it ended at
        /// once: then it has said why.
        static func start(port: Int, gateway: String, data: String, environment: [String: String]) async throws -> SandboxChild {
            let (process, life, output) = (Process(), Pipe(), Pipe())
            process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
            process.arguments = ["sandbox", "--port", "\(port)", "--gateway", gateway, "--state", data + "/sandbox", "--until-stdin-ends"]
            process.environment = environment
            process.standardInput = life
            process.standardOutput = output
            do {
                try process.run()
            } catch {
                throw StartProblem("cannot start the sandbox: \(error.localizedDescription)")
            }
            guard await firstWord(output) else { throw ExitCode(3) }
            return SandboxChild(process: process, life: life)
        }

        func stop() { process.terminate() }

        /// True as soon as the process says anything, which it does when it listens; false when it ends without a word.
        private static func firstWord(_ output: Pipe) async -> Bool {
            // Holds at most the first word and the end.
            let (words, continuation) = AsyncStream.makeStream(of: Bool.self, bufferingPolicy: .bufferingOldest(1))
            output.fileHandleForReading.readabilityHandler = { handle in
                let bytes = handle.availableData
                continuation.yield(!bytes.isEmpty)
                if bytes.isEmpty { handle.readabilityHandler = nil }
            }
            return await words.first { _ in true } ?? false
        }
    }

    enum SandboxProcess {
        static func run(port: Int, gateway: String, state: String?) async throws {
            let server = SandboxServer(
                port: port, gateway: gateway, environment: Configuration.environment, logger: Logger(label: "sandbox"), stateDirectory: state,
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
