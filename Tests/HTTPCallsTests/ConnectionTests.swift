import Conversation
import HTTPCalls
import TestKit
import Testing

@Suite(.timeLimit(.minutes(1)))
struct ConnectionTests {
    @Test func connectionIsReusedWithinAPool() async throws {
        let world = try World { _ in [.answer(200, "{}")] }
        for _ in 0..<5 { _ = try await world.post("/", "{}").answer() }
        #expect(world.server.log.accepted == 1)
        #expect(world.server.requests.map(\.place) == [1, 2, 3, 4, 5])
    }

    @Test func poolsNeverShareAConnection() async throws {
        let world = try World { _ in [.answer(200, "{}")] }
        for pool in ["salon", "jobs", "salon", "jobs"] { _ = try await world.post("/", "{}", pool: pool).answer() }
        #expect(world.server.log.accepted == 2)
        #expect(world.server.requests.map(\.connection) == [1, 2, 1, 2])
    }

    @Test func requestOnADeadReusedConnectionIsNotSentTwice() async throws {
        let world = try World { $0.place == 1 ? [.answer(200, "{}")] : [.close] }
        _ = try await world.post("/", "first").answer()
        let failure = try await world.post("/", "second").failure()
        #expect(failure.kind == .secondPass)
        #expect(failure.mayHaveBeenSent)
        await world.server.until { $0.ended == $0.accepted }
        #expect(world.server.requests.map(\.text) == ["first", "second"])
    }

    @Test func requestOnAReusedConnectionThatIsBrokenOffIsNotSentTwice() async throws {
        let world = try World { $0.place == 1 ? [.answer(200, "{}")] : [.reset] }
        _ = try await world.post("/", "first").answer()
        let failure = try await world.post("/", "second").failure()
        #expect([.secondPass, .reset].contains(failure.kind))
        #expect(failure.mayHaveBeenSent)
        #expect(world.server.requests.map(\.text) == ["first", "second"])
    }

    @Test func secondPassIsNotMadeOverAnotherIdleConnectionEither() async throws {
        let gate = ScriptedGate()
        let world = try World {
            $0.text == "die" ? [.close] : $0.text == "both" ? [.wait(gate), .answer(200, "{}")] : [.answer(200, "{}")]
        }
        async let one = world.post("/", "both")
        async let two = world.post("/", "both")
        await world.server.until { $0.requests.count == 2 }
        gate.open()
        _ = try await (one.answer(), two.answer())
        #expect(world.server.log.accepted == 2)
        #expect(try await world.post("/", "die").failure().kind == .secondPass)
        #expect(world.server.requests.count { $0.text == "die" } == 1)
    }

    @Test func idleConnectionThatTheServerClosedIsReplacedSilently() async throws {
        let world = try World { _ in [.answer(200, "{}"), .close] }
        _ = try await world.post("/", "first").answer()
        await world.server.until { $0.ended == 1 }
        _ = try await world.post("/", "second").answer()
        #expect(world.server.requests.map(\.text) == ["first", "second"])
    }

    private static let planted = "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nplanted"

    @Test func bytesBeyondAnAnswerAreNotTheNextAnswer() async throws {
        let world = try World { request in
            [request.text == "first" ? .send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok" + Self.planted) : .answer(200, "mine")]
        }
        #expect(try await world.post("/", "first").answer().body == Array("ok".utf8))
        #expect(try await world.post("/", "second").answer().body == Array("mine".utf8))
        #expect(world.server.log.accepted == 2)
    }

    /// An answer to nothing, in a packet of its own, after the transfer before it has ended.
    @Test(arguments: [1, 3]) func bytesThatComeOnAnIdleConnectionAreNotTheNextAnswer(packets: Int) async throws {
        let gate = ScriptedGate()
        let (planted, plant) = AsyncStream.makeStream(of: Void.self)
        let world = try World { request in
            guard request.text == "first" else { return [.answer(200, "mine")] }
            let packets = Array(repeating: ScriptedStep.send(Self.planted), count: packets)
            return [.answer(200, "ok"), .wait(gate)] + packets + [.call { plant.yield() }]
        }
        #expect(try await world.post("/", "first").answer().body == Array("ok".utf8))
        gate.open()
        var arrivals = planted.makeAsyncIterator()
        _ = await arrivals.next()
        for text in ["second", "third"] {
            #expect(try await world.post("/", text).answer().body == Array("mine".utf8))
        }
        #expect(world.server.requests.map(\.text) == ["first", "second", "third"])
        // The spoilt connection is left, and the one in its place is kept.
        #expect(world.server.requests.map(\.connection) == [1, 2, 2])
    }

    @Test func severalSpoiltConnectionsCostOneMoreStartAtMost() async throws {
        let (both, gate) = (ScriptedGate(), ScriptedGate())
        let (planted, plant) = AsyncStream.makeStream(of: Void.self)
        let world = try World { request in
            guard request.text == "both" else { return [.answer(200, "mine")] }
            return [.wait(both), .answer(200, "ok"), .wait(gate), .send(Self.planted), .call { plant.yield() }]
        }
        async let one = world.post("/", "both")
        async let two = world.post("/", "both")
        await world.server.until { $0.requests.count == 2 }
        both.open()
        _ = try await (one.answer(), two.answer())
        gate.open()
        var arrivals = planted.makeAsyncIterator()
        for _ in 1...2 { _ = await arrivals.next() }
        for _ in 1...3 {
            #expect(try await world.post("/", "after").answer().body == Array("mine".utf8))
        }
        #expect(world.server.requests.count { $0.text == "after" } == 3)
        #expect(world.server.requests.filter { $0.text == "after" }.allSatisfy { $0.connection > 2 })
    }

    @Test func resetBeforeAnswerMayHaveBeenSent() async throws {
        let world = try World { _ in [.reset] }
        let failure = try await world.post("/", "{}").failure()
        #expect(failure.kind == .reset)
        #expect(failure.mayHaveBeenSent)
    }

    @Test func closeBeforeAnswerMayHaveBeenSent() async throws {
        let world = try World { _ in [.close] }
        let failure = try await world.post("/", "{}").failure()
        #expect(failure.kind == .reset)
        #expect(failure.mayHaveBeenSent)
    }

    @Test func refusedConnectionWasNotSent() async throws {
        let world = try World { _ in [.answer()] }
        var call = try world.request("POST")
        let spare = try ScriptedServer { _ in [] }
        spare.stop()
        await spare.until(\.isClosed)
        call.url = spare.url()
        call.allowPrivateAddresses = [try AddressRule(parsing: "127.0.0.1")]
        let failure = try await world.client.call(call).failure()
        #expect(failure.kind == .connect)
        #expect(!failure.mayHaveBeenSent)
    }

    @Test func unknownNameWasNotSent() async throws {
        let world = try World { _ in [.answer()] }
        var call = try world.request("POST")
        call.url = "http://no-such-host.invalid/"
        let failure = try await world.client.call(call).failure()
        #expect(failure.kind == .resolve)
        #expect(!failure.mayHaveBeenSent)
    }

    @Test func brokenTLSHandshakeWasNotSent() async throws {
        let world = try World(greeting: [.send("this is no TLS\r\n\r\n"), .fallSilent]) { _ in [] }
        var call = try world.request("POST")
        call.url = "https://127.0.0.1:\(world.server.port)/"
        let failure = try await world.client.call(call).failure()
        #expect(failure.kind == .tls)
        #expect(!failure.mayHaveBeenSent)
        #expect(world.server.requests.isEmpty)
    }
}
