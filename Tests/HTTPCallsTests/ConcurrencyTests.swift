import Conversation
import HTTPCalls
import Synchronization
import TestKit
import Testing

@Suite(.timeLimit(.minutes(1)))
struct ConcurrencyTests {
    @Test func noMoreCallsThanThePoolAllowsRunAtOnce() async throws {
        let gate = ScriptedGate()
        let world = try World { _ in [.wait(gate), .answer(200, "{}")] }
        var call = try world.request("POST")
        call.maxConcurrent = 3
        let (client, request) = (world.client, call)
        let statuses = await withTaskGroup(of: HTTPResult.self) { group in
            for _ in 0..<12 { group.addTask { await client.call(request) } }
            await world.server.until { $0.requests.count == 3 }
            // Another pool is not held up by this one, and by its answer the fourth call would have arrived if it had been let go.
            var other = request
            other.pool = "jobs"
            other.url = world.server.url("/other")
            let free = Task { [other] in await client.call(other) }
            await world.server.until { $0.requests.contains { $0.target == "/other" } }
            #expect(world.server.requests.count == 4)
            gate.open()
            _ = await free.value
            return await group.reduce(into: []) { $0.append($1.status) }
        }
        #expect(statuses == Array(repeating: 200, count: 12))
        #expect(world.server.log.accepted == 4)
    }

    @Test func hostThatHangsLeavesRoomForThePoolsOtherHosts() async throws {
        let client = try CurlClient(settings: .init(maxConcurrentPerHost: 2))
        let hanging = try World(client: client) { _ in [.fallSilent] }
        let healthy = try World(client: client) { _ in [.answer(200, "{}")] }
        var call = try hanging.request("POST")
        call.maxConcurrent = 4
        let request = call
        let stuck = (0..<6).map { _ in Task { await client.call(request) } }
        await hanging.server.until { $0.requests.count == 2 }
        for _ in 0..<10 { _ = try await healthy.post("/", "{}").answer() }
        #expect(hanging.server.requests.count == 2)
        for task in stuck { task.cancel() }
        for task in stuck { #expect(try await task.value.failure().kind == .cancelled) }
    }

    @Test func twoHundredCallsAtOnceEachGetTheirOwnAnswer() async throws {
        let world = try World { [.answer(200, body: $0.body)] }
        let wrong = try await withThrowingTaskGroup(of: Bool.self) { group in
            for number in 0..<200 {
                group.addTask {
                    let body = "call \(number) " + String(repeating: "x", count: number * 20)
                    var call = try world.request("POST", pool: "pool \(number % 4)")
                    call.body = Array(body.utf8)
                    return try await world.client.call(call).answer().body != Array(body.utf8)
                }
            }
            return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(wrong == 0)
        #expect(world.server.requests.count == 200)
    }

    @Test func cancellingAtRandomMomentsLosesNoCall() async throws {
        let world = try World { _ in [.answer(200, "{}")] }
        let ended = try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 0..<300 {
                group.addTask {
                    let task = Task { try await world.post("/", "\(number)") }
                    for _ in 0..<(number % 7) { await Task.yield() }
                    task.cancel()
                    return try await task.value.status
                }
            }
            return try await group.reduce(into: [Int: Int]()) { $0[$1, default: 0] += 1 }
        }
        #expect(ended.values.reduce(0, +) == 300)
        #expect(Set(ended.keys).isSubset(of: [0, 200]))
        #expect(try await world.post("/", "{}").answer().status == 200)
    }
}

extension HTTPResult {
    /// Zero for a failure.
    fileprivate var status: Int {
        switch self {
        case .answer(let answer): answer.status
        case .failed: 0
        }
    }
}
