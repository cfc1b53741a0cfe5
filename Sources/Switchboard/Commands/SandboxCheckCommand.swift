#if Sandbox
    import ArgumentParser
    import ConfigurationLoading
    import Conversation
    import Foundation
    import Sandbox

    struct SandboxCheckCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "check", abstract: "Holds a gateway's store against what the stand-ins saw: were all promises kept?",
            discussion: """
                For the time after an experiment. Stop the gateway, then compare what it stored with what the stand-ins wrote into their \
                folder: every request, every call and effect, every message that was answered 200. Nothing is changed. After `demo`, once \
                it is stopped:

                    switchboard sandbox check --data .data

                Each line that is printed is one broken promise, which its first word names:

                \(Promise.allCases.map { "    \($0.rawValue): \($0.meaning)" }.joined(separator: "\n"))

                Stores in PostgreSQL are read by a role that sees all brands: a superuser, or one made for it. No node may be connected.

                    CREATE ROLE switchboard_check LOGIN PASSWORD '…' BYPASSRLS
                        IN ROLE pg_read_all_data, pg_monitor;

                    SWITCHBOARD_STORE=postgres://switchboard_check:…@db.internal/switchboard \\
                        switchboard sandbox check --state FOLDER

                Exit codes: 0 all was kept, 1 something was not, 2 bad usage, 3 a store or the records cannot be read, or a gateway runs.
                """)

        @ParentCommand var sandbox: SandboxCommand

        @Option(help: "The gateway's data directory.") var data = ".data"
        @Option(
            help: """
                A store, as `serve` takes it: sqlite:PATH or postgres://…; again for each further one. By default all that `serve` would \
                open: $SWITCHBOARD_STORE, the stores: of switchboard.yaml, else a file in --data. Everybody on this machine sees options: \
                a URL with a password belongs in the environment.
                """)
        var store: [String] = []
        @Option(help: "Folder with switchboard.yaml, for its stores:.") var config = "config"
        @Option(help: "Folder with one folder per channel.") var channels = "channels"
        @Option(help: "Folder that the stand-ins were given as --state; by default the one of --state here, else sandbox in --data.")
        var records: String?
        @Option(help: "File with ids of further messages that were answered 200, one a line; those that stand-ins sent are known.")
        var acknowledged: String?
        @Option(
            help: """
                BRAND=WORD, again for each further one: at least 8 letters, digits, dots, hyphens and underscores that were said to that \
                brand only. No other may have got hold of them.
                """)
        var canary: [Canary] = []
        @Flag(help: "Work was broken off: complain of nothing that is merely not done yet.") var unsettled = false
        @Flag(help: "Print one JSON object: what was broken, and how much was looked at.") var json = false

        func validate() throws {
            do {
                for text in store { _ = try StoreLocation(text) }
            } catch {
                throw ValidationError("--store: \(error)")
            }
        }

        func run() async throws {
            let records = try readRecords()
            let acknowledged = Set(try readAcknowledged().map { StandInRecords.Acknowledged(id: $0) }).union(records.acknowledged)
            let checker = StoreChecker(
                stores: try stores(), records: records, acknowledged: acknowledged, canaries: canary, isSettled: !unsettled)
            let report = try await checker.run()
            Terminal.say(json ? CanonicalJSON.text(report.json) : report.text)
            if !report.broken.isEmpty { throw ExitCode(1) }
        }

        /// Each of them once.
        private func stores() throws -> [StoreLocation] {
            guard store.isEmpty else {
                var seen: Set<StoreLocation> = []
                return try store.map { try StoreLocation($0) }.filter { seen.insert($0).inserted }
            }
            let options = try ServeOptions.parse(["--data", data, "--config", config, "--channels", channels])
            let environment = Configuration.environment
            let loaded = Configuration.load(options, environment: environment)
            // Keys, of demo brands say, are of no interest here. Which stores there are is, and a file with a fault may not tell.
            let fault = loaded.errors.first {
                $0.scope == .installation && $0.file.hasSuffix("/switchboard.yaml") && $0.key != "operator_key"
            }
            if let fault { throw StartProblem("\(fault); or give --store what the gateway was given") }
            let plan = try StorePlan(
                options: options, environment: environment, stores: loaded.server.stores, defaultPath: data + "/switchboard.sqlite")
            return [plan.main] + plan.named.sorted { $0.key < $1.key }.map(\.value)
        }

        private func readRecords() throws -> StandInRecords {
            do {
                return try StandInRecords(directory: records ?? sandbox.state ?? data + "/sandbox")
            } catch {
                throw StartProblem("\(error); give --records the folder that `sandbox --state` named")
            }
        }

        private func readAcknowledged() throws -> Set<String> {
            guard let acknowledged else { return [] }
            do {
                let lines = try String(contentsOfFile: acknowledged, encoding: .utf8).split(whereSeparator: \.isNewline)
                return Set(lines.map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty })
            } catch {
                throw StartProblem("\(acknowledged): cannot be read: \(error.localizedDescription)")
            }
        }
    }
#endif
