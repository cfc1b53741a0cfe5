#if Sandbox
    import ArgumentParser
    import ConfigurationLoading
    import Conversation
    import Text
    import WhatsApp

    struct ConverseCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "converse", abstract: "Holds conversations as files describe them, and prints what differs.",
            discussion: """
                Starts a gateway with a store of its own and the stand-ins for every remote system; but for a model at LLM_URL, when \
                asked for, nothing leaves the machine, and nothing of it stays. docs/conversations.md describes the files. Exits 0 when \
                everything is as expected, 1 when something differs, 2 when a file cannot be used.
                """)

        @Argument(help: "Conversation files, such as config/brands/salon/conversations/*.yaml.") var files: [String]
        @Option(help: "Folder with switchboard.yaml and brands/<brand>/.") var config = "config"
        @Option(help: "Folder with one folder per channel.") var channels = "channels"
        @Option(help: "Seconds until a turn must have ended.") var timeout = 10.0
        @Option(help: "Conversations at once.") var parallel = 8
        @Flag(help: "Ask the model at LLM_URL, or the stand-in's when that is empty.") var withModel = false

        func validate() throws {
            guard (0.1...600).contains(timeout) else { throw ValidationError("--timeout is a number from 0.1 to 600, not \(timeout)") }
            guard (1...64).contains(parallel) else { throw ValidationError("--parallel is a number from 1 to 64, not \(parallel)") }
        }

        func run() async throws {
            let scripts = try read()
            let world = try await ConversationWorld(config: config, channels: channels, withModel: withModel)
            let (store, patience, parallel) = (world.gateway.store, Duration.seconds(timeout), parallel)
            let results: [[Difference]]
            do {
                results = try await world.run { sandbox in
                    try await ConversationRuns(store: store, sandbox: sandbox, patience: patience).run(scripts, parallel: parallel)
                }
            } catch let error as DriverError {
                throw StartProblem("the conversations cannot be held: \(error)")
            }
            for (script, differences) in zip(scripts, results) { tell(script, differences) }
            let failed = results.count { !$0.isEmpty }
            let turns = scripts.reduce(0) { $0 + $1.turns.count }
            let count = scripts.count == 1 ? "1 conversation" : "\(scripts.count) conversations"
            Terminal.say("\(count), \(turns) turns, \(failed == 0 ? "all as expected" : "\(failed) with differences")")
            if failed > 0 { throw ExitCode(1) }
        }

        private func tell(_ script: ConversationScript, _ differences: [Difference]) {
            Terminal.say("\(differences.isEmpty ? "ok  " : "FAIL") \(script.file): \(script.name)")
            for difference in differences { Terminal.say("  \("\(difference)".replacing("\n", with: "\n  "))") }
        }

        /// Every file, or exit code 2 after all their problems have been told.
        private func read() throws -> [ConversationScript] {
            let options = try ServeOptions.parse(["--config", config, "--channels", channels])
            let brands = Configuration.load(options, environment: DemoEnvironment.load(sandboxPort: 1)).brands
            var scripts: [ConversationScript] = []
            var problems: [Problem] = []
            for file in files {
                let document = ConversationDocument(file: file, brands: brands, channel: WhatsAppChannel.descriptor.name) { pattern in
                    do {
                        _ = try Pattern(pattern, caseSensitive: true)
                        return nil
                    } catch {
                        return "\(error)"
                    }
                }
                let (script, found) = document.read()
                problems += found
                if let script { scripts.append(script) }
            }
            for problem in problems { Terminal.complain("\(problem)") }
            if !problems.isEmpty { throw ExitCode(2) }
            try checkCustomers(scripts)
            return scripts
        }

        /// Conversations run at the same time: two of one customer would talk into each other.
        private func checkCustomers(_ scripts: [ConversationScript]) throws {
            var owners: [String: String] = [:]
            for script in scripts {
                guard let customer = script.customer else { continue }
                if let other = owners.updateValue(script.file, forKey: "\(script.instance) \(customer)") {
                    Terminal.complain("\(script.file):1: user: is the customer of \(other) too; leave it out or give another")
                    throw ExitCode(2)
                }
            }
        }
    }
#endif
