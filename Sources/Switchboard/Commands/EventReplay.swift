import ArgumentParser
import Bus
import Conversation
import Logging
import Storage

/// Whoever publishes events again.
protocol ReplaySource: Sendable {
    func brands() throws -> [BrandID]
    /// Throws `ExitCode` after saying why.
    func publishAgain(_ brand: BrandID, after first: UniqueID, upTo last: UniqueID) async throws -> (count: Int, next: UniqueID?)
    func waiting(_ brand: BrandID, upTo last: UniqueID) async throws -> Int
    func close() async
}

/// Publishes the events of a time again, brand by brand, and says on stderr how far it is.
struct EventReplay {
    let source: any ReplaySource
    let clock = SystemClock()

    /// Without any progress for so long, the bus is taken to be away.
    private static let patience = Duration.seconds(30)

    /// Returns how many events that were, once the bus has them all.
    func run(brands: [BrandID], since: Timestamp) async throws -> Int {
        let (first, last) = (UniqueID.first(at: since), UniqueID.first(at: clock.now + .milliseconds(1)))
        var total = 0
        for brand in brands {
            var next: UniqueID? = first
            while let start = next {
                let step = try await source.publishAgain(brand, after: start, upTo: last)
                total += step.count
                next = step.next
            }
        }
        try await waitUntilPublished(brands, upTo: last, total)
        return total
    }

    private func waitUntilPublished(_ brands: [BrandID], upTo last: UniqueID, _ total: Int) async throws {
        var (before, lastProgress) = (Int.max, clock.now)
        while true {
            var waiting = 0
            for brand in brands { waiting += try await source.waiting(brand, upTo: last) }
            if waiting < before { (before, lastProgress) = (waiting, clock.now) }
            Terminal.complain("switchboard: \(max(0, total - waiting)) of \(total) events published")
            if waiting == 0 { return }
            guard clock.now - lastProgress < Self.patience else {
                Terminal.complain("switchboard: the bus does not take them; they stay in the outbox and leave when it does")
                throw ExitCode(1)
            }
            try await clock.sleep(until: clock.now + .milliseconds(500))
        }
    }
}

/// The gateway that runs on the data directory, asked over its control socket.
struct RunningGateway: ReplaySource {
    private let client: ControlClient
    private let known: [BrandID]

    /// Nil when none runs.
    init?(options: ServeOptions) throws {
        client = ControlClient(options: options)
        guard let (_, body) = try client.askRunning("GET", "/bus") else { return nil }
        known = (body["brands"]?.array ?? []).compactMap { $0.string.map(BrandID.init(rawValue:)) }
    }

    func brands() -> [BrandID] { known }

    func publishAgain(_ brand: BrandID, after first: UniqueID, upTo last: UniqueID) throws -> (count: Int, next: UniqueID?) {
        let answer = try ask("POST", "/bus/replay?brand=\(brand)&first=\(first)&last=\(last)")
        return (Int(answer["events"]?.integer ?? 0), answer["next"]?.string.flatMap { UniqueID($0) })
    }

    func waiting(_ brand: BrandID, upTo last: UniqueID) throws -> Int {
        Int(try ask("GET", "/bus/waiting?brand=\(brand)&last=\(last)")["waiting"]?.integer ?? 0)
    }

    func close() {}

    private func ask(_ method: String, _ target: String) throws -> JSONValue {
        guard let (status, body) = try client.askRunning(method, target) else { throw StartProblem("the gateway ended meanwhile") }
        guard status < 300 else {
            Terminal.complain("switchboard: \(body["title"]?.string ?? "answer \(status)")")
            throw ExitCode(1)
        }
        return body
    }
}

/// A gateway of our own that does nothing but publish.
struct OwnGateway: ReplaySource {
    private let gateway: GatewayProcess
    private let outbox: OutboxDesk
    private let publishing: Task<Void, any Error>

    /// Throws `StartProblem` when the store or the configuration cannot be used.
    init(options: ServeOptions) async throws {
        let gateway = try await GatewayProcess(options: options, environment: Configuration.environment, metrics: PrometheusMetrics())
        let publisher = OutboxPublisher(
            store: gateway.store, bus: gateway.bus, brands: { [desks = gateway.desks] in desks.allBrands }, logger: gateway.logger)
        (self.gateway, outbox) = (gateway, OutboxDesk(store: gateway.store))
        // Runs beside the command that waits for it, and ends with it.
        publishing = Task { try await publisher.run() }
    }

    func brands() -> [BrandID] { gateway.desks.allBrands }

    func publishAgain(_ brand: BrandID, after first: UniqueID, upTo last: UniqueID) async throws -> (count: Int, next: UniqueID?) {
        let step = try await outbox.publishAgain(brand, after: first, upTo: last)
        return (step.count, step.next)
    }

    func waiting(_ brand: BrandID, upTo last: UniqueID) async throws -> Int { try await outbox.waiting(brand, upTo: last) }

    func close() async {
        publishing.cancel()
        _ = await publishing.result
        await gateway.close()
    }
}
