import Conversation
import HTTPCalls
import Synchronization
import TestKit
import Testing

/// A call that waited so long that its caller may have lost the right to make it.
@Suite(.timeLimit(.minutes(1)))
struct LateCallTests {
    @Test func aCallWhoseCallerLostItsRightWhileItWaitedIsNotSent() async throws {
        let gate = ScriptedGate()
        let world = try World { $0.text == "first" ? [.wait(gate), .answer(200, "{}")] : [.answer(200, "{}")] }
        let isOurs = Mutex(true)
        var call = try world.request("POST")
        call.maxConcurrent = 1
        call.body = Array("first".utf8)
        let (client, first) = (world.client, call)
        call.body = Array("second".utf8)
        let second = call
        let before = Task { await client.call(first) }
        await world.server.until { $0.requests.count == 1 }
        let (asked, ask) = AsyncStream.makeStream(of: Void.self)
        let late = Task {
            await OutwardCalls.$mayBegin.withValue({
                ask.yield()
                return isOurs.withLock { $0 }
            }) { await client.call(second) }
        }
        isOurs.withLock { $0 = false }
        gate.open()
        #expect(try await before.value.answer().status == 200)
        let failure = try await late.value.failure()
        #expect(failure.kind == .cancelled && !failure.mayHaveBeenSent)
        var questions = asked.makeAsyncIterator()
        await questions.next()
        #expect(world.server.requests.map(\.text) == ["first"])
        // The place is free again, and nobody else is bound.
        #expect(try await client.call(second).answer().status == 200)
    }

    @Test func aCallThatMayBeginIsMade() async throws {
        let world = try World { _ in [.answer(200, "{}")] }
        let call = try world.request("GET")
        let status = try await OutwardCalls.$mayBegin.withValue({ true }) {
            try await withThrowingTaskGroup(of: Int.self) { group in
                group.addTask { try await world.client.call(call).answer().status }
                return try await group.next()
            }
        }
        #expect(status == 200)
    }
}
