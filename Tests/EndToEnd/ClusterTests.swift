import Conversation
import Foundation
import TestKit
import Testing

#if canImport(Glibc)
    import Glibc
#endif

/// Two real nodes on loopback that share a PostgreSQL and a NATS.
@Suite(.serialized, .once(because: "these nodes share a PostgreSQL and a NATS in every run")) struct ClusterTests {
    /// A rig whose servers are the process's own, with the gateway as node `first`.
    private func with(_ first: [String] = [], nobodyDies: Bool = false, _ body: (Rig) async throws -> Void) async throws {
        var options = Chaos.options(try await .common())
        if nobodyDies { options = options.withLongLeases() }
        options.serve = first
        try await Rig.with(options, body)
    }

    // MARK: Pages

    @Test func aPageOnOneNodeSeesWhatTheOtherDoes() async throws {
        try await Rig.withPages { pages in
            try await with { rig in
                // The page's own node runs nothing, so every turn is the other one's.
                let second = try await rig.startNode("second", ["--role", "intake"])
                let guest = try await rig.guest()
                let page = try await rig.liveStream(guest, pages, port: second.port)
                let beside = try await rig.liveStream(guest, pages)
                try await rig.write("when are you open", guest)
                try await page.reply(with: "open")
                let booking = try await WebTests.book(rig, guest, page, hour: "3pm")
                #expect(try await rig.bookings().compactMap { $0["id"]?.string } == [booking])
                try await rig.drain()
                #expect(page.numbered.contains { $0.kind == "update" })
                try await eventually("both see the same") { page.last == beside.last }
                page.expectGapless()
                #expect(page.numbered.map(\.json) == beside.numbered.map(\.json))
                try await rig.expectPeace()
            }
        }
    }

    @Test func aPageMissesNothingWhileTheNodesCannotTellEachOther() async throws {
        try await SharedServers.with { servers in
            try await Rig.withPages { pages in
                try await Rig.with(Chaos.options(servers)) { rig in
                    let second = try await rig.startNode("second", ["--role", "intake"])
                    let guest = try await rig.guest()
                    let page = try await rig.liveStream(guest, pages, port: second.port)
                    servers.nats.stop()
                    let asked = ContinuousClock.now
                    try await rig.write("when are you open", guest)
                    try await page.reply(with: "open")
                    let late = ContinuousClock.now - asked
                    #expect(late < .seconds(8), "two sweeps of two seconds and the turn took \(late)")
                    try await rig.drain()
                    try await eventually("everything is seen") { page.numbered.contains { $0.kind == "update" } }
                    page.expectGapless()
                    try servers.nats.start()
                    try await servers.nats.waitUntilReady()
                    try await rig.expectPeace()
                }
            }
        }
    }

    // MARK: Roles

    @Test func oneNodeTakesAndAnotherWorks() async throws {
        try await with(["--role", "intake"]) { rig in
            let phone = Chaos.phone(1)
            let waiting = try await rig.say("when are you open", from: phone)
            try await Task.sleep(for: .seconds(1))
            #expect(try await rig.replies(to: phone).isEmpty, "nobody works yet")
            let worker = try await rig.startNode("worker", ["--role", "worker"])
            try await eventually("the message is answered") { try await rig.replies(to: phone).count == 1 }
            _ = try await rig.ask(Chaos.booking(1), from: phone)
            _ = try await rig.ask("yes", from: phone)
            #expect(try await rig.bookings().count == 1)

            for path in ["/v1/sessions", "/webhooks/whatsapp/main", "/chat/salon-web", "/openapi.json"] {
                let answer = try await rig.get(worker.url + path, key: rig.adminKey("salon"))
                rig.expectProblem(answer, 404, "\(path)")
                #expect(answer.json["detail"]?.string?.contains("--role worker") == true, "\(path)")
            }
            #expect(try await rig.get(worker.url + "/healthz").status == 200)
            #expect(try await rig.get(worker.url + "/metrics", key: rig.operatorKey).status == 200)
            rig.expectProblem(try await rig.get(worker.url + "/v1/nodes"), 401, "no key")
            rig.expectProblem(try await rig.get(rig.gatewayURL + "/v1/nodes", key: rig.adminKey("salon")), 403, "a brand's key")
            for url in [rig.gatewayURL, worker.url] {
                let nodes = try await rig.nodeList(at: url)
                #expect(nodes.map { $0["name"] } == ["first", "worker"] && nodes.map { $0["role"] } == ["intake", "worker"])
                #expect(nodes.allSatisfy { $0["state"] == "up" } && Set(nodes.compactMap { $0["id"]?.string }).count == 2)
            }

            await worker.kill()
            let late = try await rig.say("what services do you offer", from: phone)
            try await eventually("the dead node is lost", within: .seconds(30)) {
                try await rig.nodeList().last?["state"] == "lost"
            }
            #expect(try await rig.replies(to: phone).count == 3, "nobody works any more, and everything is taken")
            try await worker.start()
            try await eventually("what waited is answered") { try await rig.replies(to: phone).count == 4 }
            #expect(try await rig.nodeList().map { $0["state"] } == ["up", "lost", "up"])
            try await rig.drain()
            #expect(await worker.stop() == 0)
            #expect(try await rig.nodeList().map { $0["state"] } == ["up", "lost"], "who stops in an orderly way signs off")
            try await rig.expectPeace(acknowledged: [waiting, late])
        }
    }

    @Test func anEmbeddedStoreHasOneNodeThatDoesEverything() async throws {
        try await Rig.with(.init(startsGateway: false)) { rig in
            for role in ["intake", "worker"] {
                let result = try await rig.run([
                    "serve", "--config", rig.config, "--channels", rig.channels, "--data", rig.data, "--role", role,
                ])
                #expect(result.code == 3 && result.err.contains("--role all") && result.err.split(separator: "\n").count == 1, "\(result)")
            }
            try await rig.startGateway()
            let nodes = try await rig.nodeList()
            #expect(nodes.count == 1 && nodes.first?["state"] == "up" && nodes.first?["role"] == "all" && nodes.first?["name"] == "first")
        }
    }

    // MARK: Nodes that die

    @Test func aNodeThatIsKilledInTheMiddleIsTakenOverFrom() async throws {
        try await with { rig in
            _ = try await rig.startNode("second")
            var acknowledged: Set<String> = []
            for round in 0..<Chaos.repeats {
                let (phone, name) = try await Self.callUnderWay(rig, round, &acknowledged)
                await rig.killNode(name)
                try await Self.expectTakeover(rig, phone, round)
                try await rig.startAgain(name)
            }
            #expect(try await rig.bookings().count == Chaos.repeats)
            try await rig.expectPeace(acknowledged: acknowledged)
        }
    }

    @Test func whatANodeWritesLateIsRefused() async throws {
        try await with { rig in
            let second = try await rig.startNode("second")
            var acknowledged: Set<String> = []
            for round in 0..<Chaos.repeats {
                let (phone, name) = try await Self.callUnderWay(rig, round, &acknowledged)
                try rig.signal(SIGSTOP, to: name)
                let stopped = ContinuousClock.now
                do {
                    // While the stopped one is the sandbox's gateway its statuses wait; the reply itself does not.
                    try await Self.expectTakeover(rig, phone, round, within: Chaos.longestHold)
                    try await Task.sleep(until: stopped + Chaos.lease * 3)
                } catch {
                    try rig.signal(SIGCONT, to: name)
                    throw error
                }
                try rig.signal(SIGCONT, to: name)
                try await rig.drain()
                try await Task.sleep(for: .milliseconds(500))
                let answers = try await rig.replies(to: phone).compactMap { $0["text"]?.string }.filter { $0.contains("booked") }
                #expect(answers.count == 1, "one answer, in round \(round)")
            }
            #expect(try await rig.bookings().count == Chaos.repeats)
            #expect([rig.gatewayLog, second.log].contains { $0.contains("result refused") || $0.contains("lease lost") })
            try await rig.expectPeace(acknowledged: acknowledged)
        }
    }

    /// A confirmed booking whose call takes a while; the customer, and the node that makes the call.
    private static func callUnderWay(_ rig: Rig, _ round: Int, _ acknowledged: inout Set<String>) async throws -> (String, String) {
        let phone = Chaos.phone(round)
        _ = try await rig.ask(Chaos.booking(round), from: phone)
        try await rig.drain()
        let before = try await rig.arrived("/salon/bookings", method: "POST").count
        try await rig.fault(["path": "/salon/bookings", "method": "POST", "delay_ms": 1500, "times": 1])
        acknowledged.insert(try await rig.say("yes", from: phone))
        var name: String?
        try await eventually("the booking is under way, in round \(round)") {
            name = try await rig.holder(of: "action")
            return try await rig.arrived("/salon/bookings", method: "POST").count > before && name != nil
        }
        return (phone, try #require(name))
    }

    private static func expectTakeover(
        _ rig: Rig, _ phone: String, _ round: Int, within limit: Duration = Chaos.takeover
    ) async throws {
        try await eventually("another node tells the customer, in round \(round)", within: limit) {
            try await rig.replies(to: phone).last?["text"]?.string?.contains("booked") == true
        }
    }

    @Test func conversationsKeepTheirOrderWhileNodesDie() async throws {
        try await with { rig in
            let second = try await rig.startNode("second")
            try await rig.fault(["path": "/salon/bookings", "method": "GET", "delay_ms": 300, "times": 60])
            try await rig.fault(["path": "/salon/bookings", "method": "POST", "delay_ms": 600, "times": 30])
            let customers = (0..<100).map { number in
                var customer = Load.Customer.numbered(number, canaries: CrashTests.canaries)
                while customer.lines.count < Chaos.lines { customer.lines += customer.lines.suffix(2) }
                return customer
            }
            let load = Load(rig, patience: .milliseconds(300), urls: [rig.gatewayURL, second.url])
            let isOver = Counter()
            let dying = Task {
                var deaths = 0
                // Not cancelled: whoever was killed comes back.
                while isOver.current == 0 {
                    try await Task.sleep(for: .milliseconds(Int.random(in: 700...2500)))
                    let name = ["first", "second"].randomElement() ?? "first"
                    await rig.killNode(name)
                    try await rig.startAgain(name)
                    deaths += 1
                }
                return deaths
            }
            try await load.run(customers)
            _ = isOver.next()
            #expect(try await dying.value > 0)
            #expect(load.acknowledged.count == customers.reduce(0) { $0 + $1.lines.count })
            // Webhooks are acknowledged faster than turns are taken, and the more customers say the more is left at the end.
            try await rig.drain(within: .seconds(max(120, load.acknowledged.count / 10)))
            try await rig.expectPeace(acknowledged: load.acknowledged, canaries: CrashTests.canaries)
        }
    }

    // MARK: An upgrade

    @Test func aNodeThatStopsHandsItsWorkOverAtOnce() async throws {
        try await with(nobodyDies: true) { rig in
            _ = try await rig.startNode("second")
            try await rig.fault(["path": "/salon/bookings", "delay_ms": 400, "times": 100])
            let customers = (0..<40).map { Load.Customer.numbered($0, canaries: CrashTests.canaries) }
            let load = Load(rig, urls: [rig.gatewayURL, rig.nodes[0].url])
            let talking = Task { try await load.run(customers) }
            for (name, wanted) in [("first", 20), ("second", 60)] {
                try await eventually("the talk goes on") { load.acknowledged.count >= wanted }
                if name == "first" { #expect(await rig.stopGateway() == 0) } else { #expect(await rig.nodes[0].stop() == 0) }
                try await rig.startAgain(name)
            }
            try await talking.value
            try await rig.expectPeace(acknowledged: load.acknowledged, canaries: CrashTests.canaries)
            #expect(try await rig.count("SELECT count(*) FROM attempts WHERE outcome = 'unknown'") == 0, "nothing had to be guessed")
            #expect(try await rig.bookings().count == customers.filter(\.books).count)
        }
    }

    // MARK: Making the tables

    @Test func theTablesAreMadeByACommandOfTheirOwner() async throws {
        let servers = try await SharedServers.common()
        let empty = try await servers.postgres.makeEmptyDatabase()
        try await Rig.with(Rig.Options(startsGateway: false)) { rig in
            let serve = ["serve", "--config", rig.config, "--channels", rig.channels, "--data", rig.data, "--port", "\(rig.gatewayPort)"]
            let store = ["SWITCHBOARD_STORE": empty.gateway, "SWITCHBOARD_BUS": ""]
            let early = try await rig.run(serve, store)
            #expect(early.code == 3 && early.err.contains("switchboard migrate"), "\(early)")
            #expect(!(early.out + early.err).contains("secret"), "a password was told: \(early)")
            #expect(try await rig.run(["migrate", "--store", empty.owner]).code == 0)
            #expect(try await rig.run(["migrate", "--store", empty.owner]).code == 0)
            for role in [empty.owner, empty.administrator] {
                let wrong = try await rig.run(serve, ["SWITCHBOARD_STORE": role, "SWITCHBOARD_BUS": ""])
                #expect(wrong.code == 3 && wrong.err.split(separator: "\n").count >= 1, "\(wrong)")
            }
            try await rig.startGateway(store)
            #expect(try await rig.ask("when are you open").contains("open"))
            #expect(await rig.stopGateway() == 0)
            #expect(!rig.gatewayLog.contains("secret"))
        }
        try await servers.postgres.dropDatabase(empty)
    }
}
