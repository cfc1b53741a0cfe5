import Conversation
import HTTPCalls
import TestKit
import Testing

@Suite(.timeLimit(.minutes(1)))
struct TimingTests {
    @Test func silentServerTimesOutAndMayHaveBeenSent() async throws {
        let world = try World { _ in [.fallSilent] }
        var call = try world.request("POST")
        call.timeout = .milliseconds(150)
        let start = ContinuousClock.now
        let failure = try await world.client.call(call).failure()
        #expect(failure.kind == .timeout)
        #expect(failure.mayHaveBeenSent)
        #expect(ContinuousClock.now - start >= .milliseconds(140))
        await world.server.until { $0.ended == 1 }
    }

    @Test func bodyThatTricklesInTimesOut() async throws {
        let drip = (0..<1000).flatMap { _ in [ScriptedStep.send("a"), .pause(.milliseconds(20))] }
        let world = try World { _ in [.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")] + drip }
        var call = try world.request("GET")
        call.timeout = .milliseconds(200)
        #expect(try await world.client.call(call).failure().kind == .timeout)
    }

    @Test(arguments: [Duration.zero, .seconds(-1), .nanoseconds(1)])
    func callWithoutTimeIsNotSent(timeout: Duration) async throws {
        let world = try World { _ in [.answer()] }
        var call = try world.request("POST")
        call.timeout = timeout
        let failure = try await world.client.call(call).failure()
        #expect(failure.kind == .timeout)
        #expect(!failure.mayHaveBeenSent)
        #expect(world.server.log.accepted == 0)
    }

    @Test func silenceDuringTheHandshakeWasNotSent() async throws {
        let world = try World(greeting: [.fallSilent]) { _ in [] }
        var call = try world.request("POST")
        call.url = "https://127.0.0.1:\(world.server.port)/"
        call.timeout = .milliseconds(150)
        let failure = try await world.client.call(call).failure()
        #expect(failure.kind == .timeout)
        #expect(!failure.mayHaveBeenSent)
    }

    @Test func waitingForATurnCountsTowardsTheTimeout() async throws {
        let world = try World { _ in [.fallSilent] }
        var first = try world.request("POST", "/first")
        first.maxConcurrent = 1
        var second = try world.request("POST", "/second")
        second.maxConcurrent = 1
        second.timeout = .milliseconds(150)
        let (client, hanging) = (world.client, first)
        let task = Task { await client.call(hanging) }
        await world.server.until { $0.requests.count == 1 }
        let failure = try await world.client.call(second).failure()
        #expect(failure.kind == .timeout)
        #expect(!failure.mayHaveBeenSent)
        task.cancel()
        _ = await task.value
        #expect(world.server.requests.map(\.target) == ["/first"])
    }

    @Test func cancelAbortsARunningTransferAndSaysItMayHaveBeenSent() async throws {
        let world = try World { _ in [.fallSilent] }
        let task = Task { try await world.post("/", "{}") }
        await world.server.until { $0.requests.count == 1 }
        task.cancel()
        let failure = try await task.value.failure()
        #expect(failure.kind == .cancelled)
        #expect(failure.mayHaveBeenSent)
        await world.server.until { $0.ended == 1 }
    }

    @Test func cancelBeforeTheTurnCameWasNotSent() async throws {
        let world = try World { _ in [.fallSilent] }
        var call = try world.request("POST")
        call.maxConcurrent = 1
        let (client, request) = (world.client, call)
        let first = Task { await client.call(request) }
        await world.server.until { $0.requests.count == 1 }
        let second = Task { await client.call(request) }
        second.cancel()
        let failure = try await second.value.failure()
        #expect(failure.kind == .cancelled)
        #expect(!failure.mayHaveBeenSent)
        first.cancel()
        #expect(try await first.value.failure().mayHaveBeenSent)
        #expect(world.server.requests.count == 1)
    }

    @Test func taskCancelledBeforehandMakesNoCall() async throws {
        let world = try World { _ in [.answer()] }
        let gate = AsyncStream<Void>.makeStream()
        let task = Task {
            for await _ in gate.stream {}
            return try await world.post("/", "{}")
        }
        task.cancel()
        gate.continuation.finish()
        let failure = try await task.value.failure()
        #expect(failure.kind == .cancelled)
        #expect(!failure.mayHaveBeenSent)
        #expect(world.server.log.accepted == 0)
    }

    @Test func shutdownEndsWhatRunsAndWaitsAndRefusesWhatComes() async throws {
        let world = try World { _ in [.fallSilent] }
        var call = try world.request("POST")
        call.maxConcurrent = 1
        let (client, request) = (world.client, call)
        let first = Task { await client.call(request) }
        await world.server.until { $0.requests.count == 1 }
        let second = Task { await client.call(request) }
        await client.shutdown()
        let failures = try await [first.value.failure(), second.value.failure(), client.call(call).failure()]
        #expect(failures.map(\.kind) == [.cancelled, .cancelled, .cancelled])
        #expect(failures.map(\.mayHaveBeenSent) == [true, false, false])
        await client.shutdown()
        await world.server.until { $0.ended == 1 }
    }
}
