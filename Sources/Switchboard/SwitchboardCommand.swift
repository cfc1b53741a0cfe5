import ArgumentParser

@main
struct SwitchboardCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "switchboard",
        abstract: "A gateway between chat channels and a brand's own systems.",
        discussion: """
            Receives the channels' webhooks, stores each message before it acknowledges it, finds out who wrote and what they want, \
            carries it out through the brand's API under one idempotency key, and answers.

            Try it without any account:   switchboard demo
            Look a configuration over:    switchboard check
            Run it for real:              switchboard serve --config config --data /var/lib/switchboard

            Exit codes: 0 all went well, 1 problems were found, 2 bad usage, 3 could not start (a port or the store).
            """,
        version: Version.current,
        subcommands: commands)

    private static var commands: [any ParsableCommand.Type] {
        var commands: [any ParsableCommand.Type] = [ServeCommand.self]
        #if Sandbox
            commands += [DemoCommand.self, SandboxCommand.self, ConverseCommand.self, BenchCommand.self]
        #endif
        return commands + [
            CheckCommand.self, MigrateCommand.self, ChatCommand.self, DeadLettersCommand.self, QuarantineCommand.self, QueueCommand.self,
            BusCommand.self,
        ]
    }

    /// Bad usage is 2 here, where the parser's own convention is 64.
    static func main() async {
        do {
            var command = try parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch let problem as StartProblem {
            Terminal.complain("switchboard: \(problem)")
            exit(withError: ExitCode(3))
        } catch let code as ExitCode {
            exit(withError: code)
        } catch {
            let code = exitCode(for: error)
            if code == .validationFailure {
                Terminal.complain(fullMessage(for: error))
                exit(withError: ExitCode(2))
            }
            exit(withError: error)
        }
    }
}
