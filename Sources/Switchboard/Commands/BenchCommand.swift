#if Sandbox
    import ArgumentParser
    import Conversation
    import Foundation

    struct BenchCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "bench", abstract: "Our own benchmarks; JSON out. Use a release build.",
            subcommands: [Ingest.self, Turn.self, Streams.self, Queue.self])

        /// Where the demo configuration stands.
        struct Place: ParsableArguments {
            @Option(help: "Folder with switchboard.yaml and brands/salon.") var config = "config"
            @Option(help: "Folder with one folder per channel.") var channels = "channels"
        }
    }

    extension BenchCommand {
        struct Ingest: AsyncParsableCommand {
            static let configuration = CommandConfiguration(
                abstract: "Signed webhooks stored durably, beside the same server's route that stores nothing.",
                discussion: "Turn workers are paused. Rounds of both are interleaved, and the median of their ratios is what counts.")

            @OptionGroup var place: Place
            @Option(help: "Webhooks in a round.") var count = 40_000
            @Option(help: "Rounds of each kind.") var rounds = 5
            @Option(help: "Connections at once.") var connections = 64
            @Option(help: "Different customers.") var senders = 10_000
            @Option(name: .customLong("at-least"), help: "Exit 1 when the ratio is below this.") var atLeast: Double?

            func run() async throws {
                let bench = try await BenchGateway(config: place.config, channels: place.channels)
                let (count, rounds, connections, senders) = (count, rounds, connections, senders)
                let result = try await bench.run(withWorkers: false) { port in
                    try await IngestBench(bench: bench, port: port, count: count, connections: connections, senders: senders).run(
                        rounds: rounds)
                }
                Terminal.say(PrettyJSON.text(result.json))
                guard result.stored == result.accepted else {
                    Terminal.complain("switchboard: \(result.accepted) were accepted but \(result.stored) stand in the store")
                    throw ExitCode(1)
                }
                if let atLeast, result.ratio < atLeast {
                    Terminal.complain("switchboard: ratio \(result.ratio) is below \(atLeast)")
                    throw ExitCode(1)
                }
            }
        }

        struct Turn: AsyncParsableCommand {
            static let configuration = CommandConfiguration(
                abstract: "Whole turns: a webhook, a brand call, a reply accepted by the channel; all on loopback.",
                discussion: "Every customer asks for the list of bookings. The stand-in answers at once and is part of this process.")

            @OptionGroup var place: Place
            @Option(help: "Customers, each with one message.") var count = 5_000
            @Option(help: "postgres://… of a database made ready with `switchboard migrate`; a file of its own when nothing is said.")
            var store: String?
            @Option(help: "Connections at once.") var connections = 32

            func run() async throws {
                let responder = try await InstantResponder.start()
                let urls = [
                    "SALON_API_URL": "http://127.0.0.1:\(responder.port)/salon", "JOBS_API_URL": "http://127.0.0.1:\(responder.port)/jobs",
                    "WHATSAPP_GRAPH_URL": "http://127.0.0.1:\(responder.port)/graph",
                ]
                let bench = try await BenchGateway(config: place.config, channels: place.channels, store: store, environment: urls)
                let (count, connections) = (count, connections)
                let result = try await bench.run(withWorkers: true) { port in
                    try await TurnBench(bench: bench, responder: responder, port: port, count: count, connections: connections).run()
                }
                try await responder.stop()
                Terminal.say(PrettyJSON.text(result))
            }
        }

        struct Streams: AsyncParsableCommand {
            static let configuration = CommandConfiguration(
                abstract: "Memory of the gateway for each idle stream of live updates.",
                discussion: """
                    The gateway is a process of its own. Every client is a guest with a conversation of its own, from one of several loopback \
                    addresses. Both processes need a file descriptor for each client.
                    """)

            @OptionGroup var place: Place
            @Option(help: "Streams that are open at once.") var clients = 10_000
            @Option(name: .customLong("at-most"), help: "Exit 1 when a stream takes more than this, in KB.") var atMost: Double?

            func run() async throws {
                _ = try Observability.start(level: "error")
                OpenFiles.raiseLimit()
                let gateway = try await ServeChild.start(config: place.config, channels: place.channels)
                let result = try await StreamBench(gateway: gateway, clients: clients).run()
                Terminal.say(PrettyJSON.text(result.json))
                guard result.exitCode == 0 else {
                    Terminal.complain("switchboard: the gateway ended with \(result.exitCode)")
                    throw ExitCode(1)
                }
                if let atMost, result.kbPerClient > atMost {
                    Terminal.complain("switchboard: \(result.kbPerClient) KB for each stream are more than \(atMost)")
                    throw ExitCode(1)
                }
            }
        }
    }
#endif
