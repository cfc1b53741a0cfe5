import ArgumentParser
import Bus
import Conversation
import Logging
import Storage

struct BusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bus", abstract: "The event bus: replay.", subcommands: [Replay.self])

    struct Replay: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Publishes the events of a time once more, under the ids they had.",
            discussion: """
                For a bus that lost its store, or a consumer that lost its own. What the bus still knows by its id it drops, within the time \
                for which it remembers ids; after that a consumer sees an event again and knows it by its id. Events that were removed from \
                the outbox (bus.keep_days) cannot be published again.

                Asks the gateway of --data when one runs; else it publishes them itself, and needs --bus.
                """)

        @OptionGroup var desk: DeskOptions
        @Option(help: "From when on: an RFC 3339 time, or how long ago: 90s, 15m, 2h, 7d.") var since: String
        @Option(help: "nats://HOST:PORT, by default $SWITCHBOARD_BUS. Needed only while no gateway runs.") var bus: String?

        func validate() throws {
            guard start(now: SystemClock().now) != nil else {
                throw ValidationError("--since \(since): a time such as 2030-01-31T08:00:00Z, or how long ago: 90s, 15m, 2h, 7d")
            }
        }

        func run() async throws {
            guard let start = start(now: SystemClock().now) else { return }
            let place = (desk.store.map { ["--store", $0] } ?? []) + (bus.map { ["--bus", $0] } ?? [])
            let options = try ServeOptions.parse(
                ["--data", desk.data, "--config", desk.config, "--channels", desk.channels] + place)
            let source: any ReplaySource
            if let running = try RunningGateway(options: options) {
                source = running
            } else {
                let named = bus ?? Configuration.environment[StorePlan.busVariable] ?? ""
                guard !named.isEmpty else {
                    throw ValidationError("no gateway runs at --data \(desk.data), so --bus or \(StorePlan.busVariable) is needed")
                }
                source = try await OwnGateway(options: options)
            }
            let brands = try desk.brand.map { [BrandID(rawValue: $0)] } ?? source.brands()
            do {
                let total = try await EventReplay(source: source).run(brands: brands, since: start)
                await source.close()
                Terminal.say("\(total) events were published again")
            } catch {
                await source.close()
                throw error
            }
        }

        private func start(now: Timestamp) -> Timestamp? {
            let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
            if let unit = since.last.flatMap({ units[$0] }), let count = Int64(since.dropLast()), (0...1_000_000).contains(count) {
                return now + .seconds(-count * unit)
            }
            return Timestamp(since)
        }
    }
}
