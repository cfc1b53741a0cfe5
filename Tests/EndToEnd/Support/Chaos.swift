import Conversation
import Foundation
import Storage
import Testing

#if canImport(Glibc)
    import Glibc
#endif

/// How hard the suites about failing nodes and servers try. CI takes the small counts; `make chaos` sets the large ones.
enum Chaos {
    /// `SWITCHBOARD_CHAOS_REPEATS`: kills, pauses and restarts of each kind.
    static let repeats = number("SWITCHBOARD_CHAOS_REPEATS", or: 3)
    /// `SWITCHBOARD_CHAOS_CRASHES`: deaths at each crash point.
    static let crashes = number("SWITCHBOARD_CHAOS_CRASHES", or: 3)
    /// `SWITCHBOARD_CHAOS_LINES`: what each of a hundred customers says while nodes die.
    static let lines = number("SWITCHBOARD_CHAOS_LINES", or: 3)
    /// `SWITCHBOARD_CHAOS_SECONDS`: how long servers come and go under load, at the least.
    static let seconds = number("SWITCHBOARD_CHAOS_SECONDS", or: 15)

    /// On which pass of a crash point the process dies: as the suite usually does, or in turns as often as a longer run wants.
    static func passes(_ usual: [Int]) -> [Int] { (0..<max(usual.count, crashes)).map { usual[$0 % usual.count] } }

    /// How long a server stays up between two restarts, in milliseconds: the longer the run, the longer, up to 40 s.
    static let uptimes = seconds < 120 ? 1500...4000 : 5000...40_000

    private static func number(_ name: String, or usual: Int) -> Int {
        guard let text = ProcessInfo.processInfo.environment[name], !text.isEmpty else { return usual }
        guard let number = Int(text), number > 0 else { fatalError("\(name) is \(text), and not a number above zero") }
        return number
    }

    /// Leases of two seconds, and the short waits of the crash tests.
    static func options(_ servers: SharedServers) -> Rig.Options {
        var options = CrashTests.impatient
        options.edits = options.edits.map { $0.to == "lease_s: 1" ? ($0.file, $0.from, "lease_s: 2") : $0 }
        options.servers = servers
        return options
    }

    static let lease = Duration.seconds(2)
    /// Within what another node must have taken over: a lease, and five seconds.
    static let takeover = Duration.seconds(7)
    /// A node that stopped in the middle of a transaction keeps its row locks until the server ends a session that is idle for ten seconds.
    static let longestHold = Duration.seconds(20)

    /// No Friday: two of them around the new year are the salon's holidays.
    private static let days = ["Tuesday", "Wednesday", "Thursday", "Saturday"]
    private static let hours = ["9am", "10am", "11am", "12pm", "1pm", "2pm", "3pm"]
    private static let services = ["haircut", "colour", "blow-dry", "manicure", "pedicure", "massage", "facial"]

    /// A wish that nobody else has.
    static func booking(_ number: Int) -> String {
        "book a \(services[number / 28 % 7]) on \(days[number % 4]) at \(hours[number / 4 % 7])"
    }

    static func phone(_ number: Int) -> String { "1555\(String(4_000_000 + number))" }
}

extension Rig {
    /// The name of the node that works on a lane of this pool; nil when none does.
    func holder(of pool: String) async throws -> String? {
        let ids = try await withStore { database in
            try await database.read(.installation) { connection in
                try connection.rows(SQL("SELECT held_by FROM lanes WHERE pool = '\(pool)' AND held_by LIKE 'node-%'"), []).map {
                    try $0.text(0)
                }
            }
        }
        guard let id = ids.first else { return nil }
        for url in [gatewayURL] + nodes.map(\.url) {
            guard let list = try? await nodeList(at: url), let node = list.first(where: { $0["id"]?.string == id }) else { continue }
            return node["name"]?.string
        }
        return nil
    }

    /// Sends a signal to the node of that name.
    func signal(_ signal: Int32, to name: String) throws {
        if let node = nodes.first(where: { $0.name == name }) { return node.send(signal: signal) }
        let gateway = try #require(gateway, "there is no node \(name)")
        kill(gateway.processIdentifier, signal)
    }

    func killNode(_ name: String) async {
        if let node = nodes.first(where: { $0.name == name }) { await node.kill() } else { await killGateway() }
    }

    func startAgain(_ name: String) async throws {
        if let node = nodes.first(where: { $0.name == name }) { try await node.start() } else { try await startGateway() }
    }

    /// Everything at rest, every node stopped in an orderly way, and the checker with nothing to complain of. `acknowledged` is beside what
    /// the stand-ins know of.
    func expectPeace(
        acknowledged: Set<String> = [], canaries: [String: String] = [:], within limit: Duration = .seconds(60),
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        try await drain(within: limit)
        let urls = [gatewayURL] + nodes.filter { $0.process?.isRunning == true }.map(\.url)
        let living = try await urls.asyncMap { url in
            try await self.nodeList(at: url).first { $0["answering"] == true }?["id"]?.string ?? ""
        }
        for node in nodes { #expect(await node.stop() == 0, "\(node.name)", sourceLocation: sourceLocation) }
        #expect(await stopGateway() == 0, sourceLocation: sourceLocation)
        let faults = try await checked(acknowledged: acknowledged, canaries: canaries)
        #expect(faults.isEmpty, "\(faults.prefix(10).joined(separator: "\n"))", sourceLocation: sourceLocation)
        let names = living.map { "'\($0)'" }.joined(separator: ", ")
        let left = try await count("SELECT count(*) FROM nodes WHERE node_id IN (\(names))")
        #expect(left == 0, "who stops in an orderly way signs off", sourceLocation: sourceLocation)
    }
}

extension Sequence {
    fileprivate func asyncMap<Result>(_ transform: (Element) async throws -> Result) async throws -> [Result] {
        var results: [Result] = []
        for element in self { results.append(try await transform(element)) }
        return results
    }
}
