import Conversation
import TestKit
import Testing

@testable import Models

@Suite struct EndpointBreakerTests {
    private let start = Timestamp(seconds: 1_800_000_000)
    private let down = ModelFailure(.unavailable, "503")

    private func broken(_ failure: ModelFailure, times: Int = EndpointBreaker.most) -> EndpointBreaker {
        var breaker = EndpointBreaker()
        for _ in 0..<times {
            _ = breaker.refuses(at: start)
            breaker.ended(failure, allowed: .seconds(8), at: start)
        }
        return breaker
    }

    @Test func afterFiveFailuresNobodyIsAskedForAWhileAndThenOne() {
        var breaker = broken(down, times: EndpointBreaker.most - 1)
        #expect(breaker.refuses(at: start) == nil)
        breaker.ended(down, allowed: .seconds(8), at: start)
        #expect(breaker.refuses(at: start) == .seconds(30))
        let later = start + .seconds(30)
        #expect(breaker.rests(at: later) == nil)
        #expect(breaker.refuses(at: later) == nil, "one probes")
        #expect(breaker.refuses(at: later) == .zero, "and nobody else")
        breaker.ended(down, allowed: .seconds(8), at: later)
        #expect(breaker.refuses(at: later + .seconds(29)) == .seconds(1), "in vain: the same again")
        #expect(breaker.refuses(at: later + .seconds(30)) == nil)
        breaker.ended(nil, allowed: .seconds(8), at: later + .seconds(31))
        for _ in 0..<3 { #expect(breaker.refuses(at: later + .seconds(31)) == nil) }
    }

    @Test func whatTheEndpointWishesIsKeptWithinAnHour() {
        var breaker = broken(ModelFailure(.rateLimited, "429", retryAfter: .seconds(90)), times: 1)
        #expect(breaker.refuses(at: start) == .seconds(90))
        breaker = broken(ModelFailure(.rateLimited, "429", retryAfter: .seconds(90_000)), times: 1)
        #expect(breaker.refuses(at: start) == .seconds(3_600))
        breaker = broken(ModelFailure(.rateLimited, "429", retryAfter: .seconds(1)), times: 1)
        #expect(breaker.refuses(at: start) == nil, "a call waits itself for so little")
    }

    @Test(arguments: [ModelFailure.Kind.refused, .unreadable, .tooLarge, .rejected]) func whoAnswersIsThere(_ kind: ModelFailure.Kind) {
        var breaker = broken(ModelFailure(kind, "x"), times: 20)
        #expect(breaker.refuses(at: start) == nil)
    }

    @Test func aCallWithoutTimeProvesNothing() {
        var breaker = EndpointBreaker()
        for _ in 0..<20 { breaker.ended(ModelFailure(.timeout, "x"), allowed: .milliseconds(300), at: start) }
        #expect(breaker.refuses(at: start) == nil)
    }

    @Test func aPauseOfNothingIsNone() {
        var breaker = EndpointBreaker(pause: .zero)
        for _ in 0..<20 { breaker.ended(ModelFailure(.rateLimited, "429", retryAfter: .seconds(90)), allowed: .seconds(8), at: start) }
        #expect(breaker.refuses(at: start) == nil)
    }

    @Test func aProbeThatWasNotMadeOrNeverEndsKeepsNobodyAway() {
        var breaker = broken(down)
        let later = start + .seconds(30)
        #expect(breaker.refuses(at: later) == nil)
        breaker.gaveUp()
        #expect(breaker.refuses(at: later) == nil)
        #expect(breaker.refuses(at: later + EndpointBreaker.longestProbe) == nil)
    }

    @Test func aModelThatFailsIsAskedFiveTimesAndThenOnceAfterAPause() async throws {
        let clock = ControlledClock()
        let world = try ModelWorld(clock: clock) { _ in [.answer(503, "{}")] }
        // Two attempts a call, of which the fifth is the last that counts.
        for _ in 0..<3 { _ = await Self.complete(world, clock) }
        #expect(world.server.requests.count == EndpointBreaker.most)
        let failure = try #require(await Self.complete(world, clock).failure)
        #expect(failure.kind == .paused && world.server.requests.count == EndpointBreaker.most)
        #expect(world.ledger.records.last?.failure == .paused && world.ledger.open == 0, "it is on record")
        clock.advance(by: .seconds(31))
        _ = await Self.complete(world, clock)
        #expect(world.server.requests.count == EndpointBreaker.most + 1)
    }

    /// However slow the machine is, the call's own waits take no time.
    private static func complete(_ world: ModelWorld, _ clock: ControlledClock) async -> ModelResult {
        let passing = Task {
            while !Task.isCancelled {
                if clock.sleepers > 0 { clock.advance(by: .milliseconds(250)) }
                await Task.yield()
            }
        }
        defer { passing.cancel() }
        return await world.model.complete(world.prompt())
    }
}
