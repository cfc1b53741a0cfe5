#if Sandbox
    import Foundation
    import Logging
    import Sandbox

    /// The stand-ins as a process of their own, so that nothing of them is in the gateway's path.
    enum SandboxChild {
        /// Throws `StartProblem` when the process cannot be started.
        static func start(port: Int, gateway: String, data: String, environment: [String: String]) throws -> Process {
            let child = Process()
            child.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
            child.arguments = ["sandbox", "--port", "\(port)", "--gateway", gateway, "--state", data + "/sandbox"]
            child.environment = environment
            do {
                try child.run()
            } catch {
                throw StartProblem("cannot start the sandbox: \(error.localizedDescription)")
            }
            return child
        }
    }

    enum SandboxProcess {
        static func run(port: Int, gateway: String, state: String?) async throws {
            let server = SandboxServer(
                port: port, gateway: gateway, environment: Configuration.environment, logger: Logger(label: "sandbox"), stateDirectory: state,
                onStart: { port in Terminal.say("sandbox: ready on http://127.0.0.1:\(port)") })
            do {
                try await server.run()
            } catch {
                throw StartProblem("the sandbox cannot run on port \(port): \(error)")
            }
        }
    }
#endif
