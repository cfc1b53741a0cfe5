import Conversation
import Foundation
import TestKit
import Testing

/// PostgreSQL and NATS come and go under load. The one is where everything is: without it nothing is acknowledged. The other only saves time.
@Suite(.serialized, .once(because: "these nodes share a PostgreSQL and a NATS in every run")) struct ServerLossTests {
    private func customers(_ count: Int, _ round: Int = 0) -> [Load.Customer] {
        (0..<count).map { Load.Customer.numbered(round * count + $0, canaries: CrashTests.canaries) }
    }

    @Test func whileTheStoreIsAwayNothingIsAcknowledgedAndAfterwardsNothingIsLost() async throws {
        try await SharedServers.with { servers in
            try await Rig.with(Chaos.options(servers)) { rig in
                let second = try await rig.startNode("second")
                let processes = [try #require(rig.gateway), try #require(second.process)]
                let load = Load(rig, patience: .milliseconds(400), urls: [rig.gatewayURL, second.url])
                let talking = Task {
                    var round = 0
                    let end = ContinuousClock.now + .seconds(Chaos.seconds)
                    while ContinuousClock.now < end || round == 0 {
                        try await load.run(customers(40, round))
                        try await rig.forgetRequests()
                        round += 1
                    }
                }
                let end = ContinuousClock.now + .seconds(Chaos.seconds)
                var restarts = 0
                while ContinuousClock.now < end || restarts < min(Chaos.repeats, 3) {
                    try await Task.sleep(for: .milliseconds(Int.random(in: Chaos.uptimes)))
                    try await servers.postgres.stop(isSudden: restarts % 2 == 1)
                    try await Task.sleep(for: .milliseconds(700))
                    try await servers.postgres.startAgain()
                    restarts += 1
                }
                try await talking.value
                #expect(load.statuses[503, default: 0] > 0, "\(load.statuses)")
                #expect(Set(load.statuses.keys) == [200, 503], "\(load.statuses)")
                let living = processes.count { $0.isRunning }
                #expect(living == 2, "they go on without a restart")
                try await rig.drain(within: .seconds(120))
                for url in [rig.gatewayURL, second.url] { #expect(try await rig.get(url + "/readyz").status == 200) }
                try await rig.expectPeace(acknowledged: load.acknowledged, canaries: CrashTests.canaries)
            }
        }
    }

    @Test func aNodeTurnsTrafficAwayOnlyWhenTheStoreStaysAway() async throws {
        try await SharedServers.with { servers in
            try await Rig.with(Chaos.options(servers)) { rig in
                let process = try #require(rig.gateway)
                _ = try await rig.ask("when are you open")
                try await servers.postgres.stop()
                let body = Rig.delivery([(account: Rig.salonNumber, value: ["messages": [Rig.textMessage("hello", from: "1555", id: "m")]])]
                )
                let began = ContinuousClock.now
                let refused = try await rig.webhook(body)
                #expect(refused.status == 503 && refused.header("Retry-After") != nil)
                #expect(ContinuousClock.now - began < .seconds(5))
                #expect(try await rig.get(rig.gatewayURL + "/healthz").status == 200)
                try await eventually("readiness ends") { try await rig.get(rig.gatewayURL + "/readyz").status == 503 }
                #expect(try await rig.get(rig.gatewayURL + "/readyz").text.contains("store cannot be reached"))
                try await servers.postgres.startAgain()
                try await eventually("readiness returns") {
                    try await rig.get(rig.gatewayURL + "/readyz").status == 200
                }
                let answer = try await rig.ask("what services do you offer")
                #expect(!answer.isEmpty && process.isRunning)
                try await rig.expectPeace()
            }
        }
    }

    @Test func whileTheBusIsAwayOnlyTimeIsLost() async throws {
        try await SharedServers.with { servers in
            var options = Chaos.options(servers)
            options.serve = ["--role", "intake"]
            try await Rig.with(options) { rig in
                _ = try await rig.startNode("worker", ["--role", "worker"])
                // Nobody tells the worker: its sweep finds what there is, for the turn and for the reply.
                servers.nats.stop()
                var waits: [Duration] = []
                for round in 0..<Chaos.repeats {
                    let asked = ContinuousClock.now
                    _ = try await rig.ask("when are you open", from: Chaos.phone(9000 + round))
                    waits.append(ContinuousClock.now - asked)
                }
                // Two sweeps of two seconds and the work; the machine may have been busy in one of the rounds.
                #expect(waits.sorted()[waits.count / 2] < .seconds(8), "\(waits)")
                try servers.nats.start()
                try await servers.nats.waitUntilReady()
                let load = Load(rig, patience: .milliseconds(400))
                let talking = Task { for round in 0..<2 { try await load.run(customers(40, round)) } }
                for round in 0..<Chaos.repeats {
                    try await Task.sleep(for: .milliseconds(Int.random(in: 500...2000)))
                    if round == Chaos.repeats - 1 { try await servers.nats.wipe() } else { try await servers.nats.restart() }
                }
                try await talking.value
                #expect(load.statuses.keys.sorted() == [200], "\(load.statuses)")
                try await rig.drain()
                try await eventually("every event was published", within: .seconds(60)) {
                    try await rig.count("SELECT count(*) FROM events WHERE published_at IS NULL") == 0
                }
                #expect(try await rig.count("SELECT count(*) FROM events") > 0)
                try await rig.expectPeace(acknowledged: load.acknowledged, canaries: CrashTests.canaries)
            }
        }
    }
}

extension Rig {
    /// Forgets the requests that the stand-ins keep for looking at; their effects and ledgers stay.
    fileprivate func forgetRequests() async throws { _ = try await send("DELETE", sandboxURL + "/_sandbox/requests") }
}
