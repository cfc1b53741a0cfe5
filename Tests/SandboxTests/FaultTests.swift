import Conversation
import Foundation
import Logging
import Testing

@testable import Sandbox

@Suite(.timeLimit(.minutes(1))) struct FaultTests {
    @Test func aConnectionDroppedBeforeHasNoEffectAndNoAnswer() async throws {
        try await Rig.run { rig in
            try await rig.fault(["path": "/salon/bookings", "drop": "before", "times": 1])
            await #expect(throws: LoopbackClient.Failure.noAnswer) { try await rig.salon("POST", "/bookings", booking(), key: "k1") }
            #expect(try await rig.bookingCount() == 0)
            #expect(try await rig.salon("POST", "/bookings", booking(), key: "k1").header("idempotency-replayed") == nil)
            #expect(try await rig.bookingCount() == 1)
        }
    }

    @Test func aConnectionDroppedAfterHasItsEffectOnce() async throws {
        try await Rig.run { rig in
            try await rig.fault(["path": "/salon/bookings", "drop": "after", "times": 1])
            await #expect(throws: LoopbackClient.Failure.noAnswer) { try await rig.salon("POST", "/bookings", booking(), key: "k1") }
            #expect(try await rig.bookingCount() == 1)
            let retry = try await rig.salon("POST", "/bookings", booking(), key: "k1")
            #expect(retry.status == 201 && retry.header("idempotency-replayed") == "true")
            #expect(try await rig.bookingCount() == 1)
            let seen = try await rig.call("GET", "/_sandbox/requests?path=/salon/bookings").json["requests"]?.array ?? []
            #expect(seen.map { $0["status"] } == [.null, 201])
            #expect(Set(seen.map { $0["body"] }).count == 1)
        }
    }

    @Test func aGraphSendDroppedAfterIsStillReported() async throws {
        try await Rig.run { rig in
            try await rig.fault(["path": "/graph/", "drop": "after", "times": 1])
            var webhooks = rig.gateway.webhooks()
            await #expect(throws: LoopbackClient.Failure.noAnswer) {
                try await rig.graph([
                    "messaging_product": "whatsapp", "to": "15550100100", "type": "text", "text": ["body": "Hello"],
                    "biz_opaque_callback_data": "ref",
                ])
            }
            #expect(try #require(await webhooks.next()).status["biz_opaque_callback_data"] == "ref")
        }
    }

    @Test func aStatusComesInsteadOfTheEffectUnlessAskedForOtherwise() async throws {
        try await Rig.run { rig in
            try await rig.fault(["path": "/salon/bookings", "status": 503, "times": 2])
            for _ in 0..<2 {
                let answer = try await rig.salon("POST", "/bookings", booking(), key: "k1")
                #expect(answer.status == 503)
            }
            #expect(try await rig.bookingCount() == 0)
            try await rig.fault(["path": "/salon/bookings", "status": 500, "effect": true, "times": 1])
            #expect(try await rig.salon("POST", "/bookings", booking(), key: "k1").status == 500)
            #expect(try await rig.bookingCount() == 1)
        }
    }

    @Test func faultsApplyInTheirOrderAndOnlyWhereTheyShould() async throws {
        try await Rig.run { rig in
            try await rig.fault(["path": "/salon", "status": 500, "method": "post", "times": 1])
            try await rig.fault(["path": "/salon", "retry_after": 7, "method": "post", "times": 1])
            #expect(try await rig.salon("GET", "/catalog").status == 200)
            #expect(try await rig.salon("POST", "/bookings", booking()).status == 500)
            let limited = try await rig.salon("POST", "/bookings", booking())
            #expect(limited.status == 429 && limited.header("retry-after") == "7")
            #expect(try await rig.salon("POST", "/bookings", booking()).status == 201)
            #expect(try await rig.call("GET", "/_sandbox/faults").json == ["faults": []])
        }
    }

    @Test func faultsEndWhenTheyAreDeleted() async throws {
        try await Rig.run { rig in
            try await rig.fault(["path": "/salon/catalog", "status": 500])
            try await rig.fault(["path": "/jobs", "status": 500])
            _ = try await rig.call("DELETE", "/_sandbox/faults?path=/salon/catalog")
            #expect(try await rig.salon("GET", "/catalog").status == 200)
            #expect(try await rig.jobs("GET", "/openings").status == 500)
            _ = try await rig.call("DELETE", "/_sandbox/faults")
            #expect(try await rig.jobs("GET", "/openings").status == 200)
        }
    }

    @Test func aCallerWhoGivesUpDuringADelayStillHasTheEffect() async throws {
        try await Rig.run { rig in
            try await rig.fault(["path": "/salon/bookings", "delay_ms": 60_000, "times": 1])
            rig.clock.hold()
            var sleeps = rig.clock.sleeps.stream.makeAsyncIterator()
            let caller = Task { try await rig.salon("POST", "/bookings", booking(), key: "k1") }
            _ = await sleeps.next()
            caller.cancel()
            await #expect(throws: (any Error).self) { try await caller.value }
            rig.clock.release()
            while try await rig.bookingCount() == 0 { await Task.yield() }
            let retry = try await rig.salon("POST", "/bookings", booking(), key: "k1")
            #expect(retry.header("idempotency-replayed") == "true")
        }
    }

    @Test func stoppingDoesNotWaitForADelay() async throws {
        let ports = AsyncStream.makeStream(of: Int.self)
        let arrivals = AsyncStream.makeStream(of: Void.self)
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let clock = AnnouncingClock { arrivals.continuation.yield() }
        let server = SandboxServer(
            port: 0, gateway: "http://127.0.0.1:1", environment: [:], logger: logger, clock: clock,
            onStart: { ports.continuation.yield($0) })
        let running = Task { try await server.run() }
        var started = ports.stream.makeAsyncIterator()
        var sleeping = arrivals.stream.makeAsyncIterator()
        let port = try #require(await started.next())
        let fault: JSONValue = ["path": "/salon", "delay_ms": 3_600_000]
        _ = try await LoopbackClient().send("POST", port: port, target: "/_sandbox/faults", body: CanonicalJSON.bytes(fault))
        let caller = Task { try await LoopbackClient().send("GET", port: port, target: "/salon/catalog") }
        await sleeping.next()
        running.cancel()
        try await running.value
        await #expect(throws: LoopbackClient.Failure.noAnswer) { try await caller.value }
    }

    @Test func garbageIsNoJSONAndComesAfterTheEffect() async throws {
        try await Rig.run { rig in
            try await rig.fault(["path": "/salon/bookings", "garbage": true, "times": 1])
            let answer = try await rig.salon("POST", "/bookings", booking())
            #expect(answer.status == 200 && !answer.body.isEmpty && JSONText.read(answer.body) == nil)
            #expect(try await rig.bookingCount() == 1)
        }
    }

    @Test func bodiesAndHeadersAreAsLargeAsAskedFor() async throws {
        try await Rig.run { rig in
            try await rig.fault(["path": "/salon/catalog", "body_bytes": 300_000, "times": 1])
            #expect(try await rig.salon("GET", "/catalog").body.count == 300_000)
            try await rig.fault(["path": "/salon/catalog", "header_bytes": 20_000, "times": 1])
            let padded = try await rig.salon("GET", "/catalog")
            let size = padded.headers.filter { $0.name.hasPrefix("x-padding") }.map { $0.name.count + $0.value.count + 4 }.reduce(0, +)
            #expect(size == 20_000)
            #expect(padded.json["services"] != nil)
        }
    }

    @Test func anEndlessBodyEndsWhenTheCallerGoesAway() async throws {
        try await Rig.run { rig in
            try await rig.fault(["path": "/salon/catalog", "body_bytes": "endless", "times": 1])
            await #expect(throws: LoopbackClient.Failure.tooLarge) {
                try await rig.call("GET", "/salon/catalog", token: "salon-token", largest: 1 << 20)
            }
            #expect(try await rig.salon("GET", "/catalog").json["services"] != nil)
        }
    }

    @Test(arguments: [1, 2, 258, 259, 260, 1_000_000]) func aGzipBombUnpacksToItsSize(count: Int) throws {
        let packed = FileManager.default.temporaryDirectory.appendingPathComponent("bomb-\(UUID().uuidString).gz")
        defer { try? FileManager.default.removeItem(at: packed) }
        try Data(GzipBomb.bytes(unpackingTo: count)).write(to: packed)
        let gzip = Process()
        let output = Pipe()
        gzip.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        gzip.arguments = ["gzip", "-dc", packed.path]
        gzip.standardOutput = output
        try gzip.run()
        let unpacked = output.fileHandleForReading.readDataToEndOfFile()
        gzip.waitUntilExit()
        #expect(gzip.terminationStatus == 0)
        #expect(unpacked.count == count)
    }

    @Test func aBombIsAnnouncedAsGzipAndSmallOnTheWire() async throws {
        try await Rig.run { rig in
            try await rig.fault(["path": "/salon/catalog", "gzip_bytes": 10_000_000, "times": 1])
            let answer = try await rig.salon("GET", "/catalog")
            #expect(answer.header("content-encoding") == "gzip")
            #expect(answer.body.count < 100_000 && answer.body.prefix(2) == [0x1F, 0x8B])
        }
    }

    @Test func aRedirectPointsWhereItWasTold() async throws {
        try await Rig.run { rig in
            try await rig.fault(["path": "/salon", "redirect": "http://127.0.0.1:1/else", "status": 307, "times": 1])
            let answer = try await rig.salon("POST", "/bookings", booking())
            #expect(answer.status == 307 && answer.header("location") == "http://127.0.0.1:1/else")
            #expect(try await rig.bookingCount() == 0)
        }
    }

    @Test(
        arguments: [
            [:], ["path": "/salon"], ["path": "salon", "status": 500], ["path": "/salon", "status": 99],
            ["path": "/salon", "drop": "maybe"],
            ["path": "/salon", "delay_ms": -1], ["path": "/salon", "body_bytes": "lots"], ["path": "/salon", "statsu": 500],
            ["path": "/salon", "status": 500, "times": 0],
        ] as [JSONValue])
    func aFaultThatMakesNoSenseIsRefused(body: JSONValue) async throws {
        try await Rig.run { rig in
            let answer = try await rig.call("POST", "/_sandbox/faults", body)
            #expect(answer.status == 400)
            #expect(answer.header("content-type") == "application/problem+json")
            #expect(answer.json["errors"]?.array?.isEmpty == false)
            #expect(try await rig.salon("GET", "/catalog").status == 200)
        }
    }
}
