import Conversation
import JSON
import Synchronization
import TestKit
import Testing

@testable import Models

@Suite struct ChatCompletionsTests {
    @Test func theRequestHasTheFieldsOfTheFormat() async throws {
        let world = try ModelWorld { _ in [Completion.step("{}")] }
        #expect(await world.model.complete(world.prompt("hi \"there\"", schema: ModelWorld.anySchema)).text == "{}")
        let request = try #require(world.server.requests.first)
        #expect((request.method, request.target) == ("POST", "/v1/chat/completions"))
        #expect(request.header("authorization") == "Bearer \(ModelWorld.key)")
        #expect(request.header("content-type") == "application/json")
        let body = try JSONValue(parsing: request.body)
        #expect(body["model"] == "tiny")
        #expect(body["temperature"] == 0.3)
        #expect(body["max_tokens"] == 200)
        #expect(body["messages"] == [["role": "system", "content": "Sort it."], ["role": "user", "content": "hi \"there\""]])
        #expect(
            body["response_format"] == [
                "type": "json_schema", "json_schema": ["name": "any", "strict": true, "schema": ["type": "object"]],
            ])
        #expect(Set(body.object?.keys.map { $0 } ?? []) == ["model", "temperature", "max_tokens", "messages", "response_format"])
    }

    @Test func freeTextHasNoFormatAndStillABound() async throws {
        let world = try ModelWorld { _ in [Completion.step("Hello!")] }
        #expect(await world.model.complete(world.prompt(function: .response)).text == "Hello!")
        let body = try JSONValue(parsing: try #require(world.server.requests.first).body)
        #expect(body["response_format"] == nil && body["temperature"] == nil)
        #expect((body["max_tokens"]?.integer ?? 0) > 0)
    }

    @Test func theUsageThatTheEndpointReportsIsRecordedWithItsPrice() async throws {
        let world = try ModelWorld { _ in [Completion.step("{}")] }
        _ = await world.model.complete(world.prompt())
        let usage = try #require(world.ledger.records.first)
        #expect((usage.inputTokens, usage.outputTokens, usage.isEstimated) == (40, 7, false))
        #expect(usage.price == ModelPrice(inputPerMillion: 1, outputPerMillion: 2, currency: "USD"))
        #expect((usage.function, usage.model, usage.failure, usage.subject) == (.intent, "tiny", nil, ModelWorld.subject))
        #expect(world.ledger.open == 0)
    }

    @Test func usageCountsAlsoWhenTheContentIsUseless() async throws {
        let world = try ModelWorld { _ in [.answer(200, Completion.body(.null, refusal: "I can't."))] }
        #expect(await world.model.complete(world.prompt()).failure?.kind == .refused)
        let usage = try #require(world.ledger.records.first)
        #expect((usage.inputTokens, usage.outputTokens, usage.failure) == (40, 7, .refused))
    }

    @Test func withoutAWordAboutUsageItIsEstimated() async throws {
        let world = try ModelWorld { _ in [.answer(200, Completion.body("a few words of answer", usage: nil))] }
        #expect(await world.model.complete(world.prompt(function: .response)).text == "a few words of answer")
        let usage = try #require(world.ledger.records.first)
        #expect(usage.isEstimated && usage.inputTokens > 0 && usage.outputTokens > 0)
    }

    @Test(arguments: [
        (Completion.body(.null), ModelFailure.Kind.unreadable), (Completion.body(""), .unreadable), (Completion.body("  \n"), .unreadable),
        (Completion.body(.null, refusal: "no"), .refused), (Completion.body("half", finish: "content_filter"), .refused),
        (Completion.body("half a sen", finish: "length"), .unreadable),
        (Completion.body([["type": "refusal", "refusal": "no"]]), .refused),
        (Completion.body(["text": "x"]), .unreadable), (Completion.body(17), .unreadable), (Completion.body([]), .unreadable),
        (Completion.body([1, 2, [3]]), .unreadable), ("{}", .unreadable), ("[]", .unreadable), ("null", .unreadable), ("", .unreadable),
        ("{\"choices\":[]}", .unreadable), ("{\"choices\":{}}", .unreadable), ("{\"choices\":[null]}", .unreadable),
        ("{\"choices\":[{\"message\":\"text\"}]}", .unreadable), ("{\"choices\":[{\"message\":{}}]}", .unreadable),
        ("<!doctype html><html><body>Sign in</body></html>", .unreadable), ("{\"choices\":[{\"message\":{\"content\":\"x", .unreadable),
    ])
    func anAnswerWithoutUsableTextSaysWhy(_ body: String, _ kind: ModelFailure.Kind) async throws {
        let world = try ModelWorld { _ in [.answer(200, body)] }
        #expect(await world.model.complete(world.prompt(function: .response)).failure?.kind == kind)
        #expect(world.server.requests.count == 1)
        #expect(world.ledger.open == 0)
    }

    @Test func textInPartsIsOneText() async throws {
        let body = Completion.body([["type": "text", "text": "Good "], ["type": "text", "text": "day"], ["type": "image"]])
        let world = try ModelWorld { _ in [.answer(200, body)] }
        #expect(await world.model.complete(world.prompt()).text == "Good day")
    }

    @Test func cutJSONIsLeftToItsReader() async throws {
        let world = try ModelWorld { _ in [.answer(200, Completion.body("{\"commands\":[", finish: "length"))] }
        #expect(await world.model.complete(world.prompt(schema: ModelWorld.anySchema)).text == "{\"commands\":[")
    }

    @Test func hostileCountsOfTokensAreCut() async throws {
        for usage: JSONValue in [["prompt_tokens": 1e300, "completion_tokens": -5], ["prompt_tokens": "many", "completion_tokens": 2]] {
            let world = try ModelWorld { _ in [.answer(200, Completion.body("x", usage: usage))] }
            _ = await world.model.complete(world.prompt(function: .response))
            let noted = try #require(world.ledger.records.first)
            #expect((0...10_000_000).contains(noted.inputTokens) && noted.outputTokens >= 0)
        }
    }

    @Test func moreThanItsMostBytesIsTooLarge() async throws {
        let world = try ModelWorld { _ in [.answer(body: Array(repeating: UInt8(ascii: "x"), count: 10_000_000))] }
        #expect(await world.model.complete(world.prompt()).failure?.kind == .tooLarge)
    }

    @Test(arguments: [400, 401, 403, 404, 422])
    func aRejectedRequestIsNotSentAgain(_ status: Int) async throws {
        let body =
            "{\"error\":{\"message\":\"Incorrect API key provided: \(ModelWorld.key)\",\"type\":\"invalid_request_error\",\"code\":\"invalid_api_key\"}}"
        let world = try ModelWorld { _ in [.answer(status, body)] }
        let failure = try #require(await world.model.complete(world.prompt("secret words")).failure)
        #expect(failure.kind == .rejected)
        #expect(failure.detail == "status \(status), invalid_api_key")
        #expect(world.server.requests.count == 1)
    }

    @Test func anErrorThatIsOverOnTheSecondCallIsNoError() async throws {
        for (status, first) in [(429, 1), (503, 1), (500, 1)] {
            let calls = Mutex(0)
            let world = try ModelWorld { _ in
                let number = calls.withLock {
                    $0 += 1; return $0
                }
                return number == first ? [.answer(status, headers: [("Retry-After", "0")], "{}")] : [Completion.step("fine")]
            }
            #expect(await world.model.complete(world.prompt()).text == "fine")
            #expect(world.server.requests.count == 2)
            #expect(world.ledger.records.map { $0.failure == nil } == [false, true])
            #expect(world.ledger.open == 0)
        }
    }

    @Test func neverMoreThanTwoCalls() async throws {
        let world = try ModelWorld { _ in [.answer(500, "oops")] }
        #expect(await world.model.complete(world.prompt()).failure?.kind == .unavailable)
        #expect(world.server.requests.count == 2)
    }

    @Test func aWaitBeyondTheDeadlineIsNotWaited() async throws {
        let clock = ControlledClock()
        let world = try ModelWorld(clock: clock) { _ in [.answer(429, headers: [("Retry-After", "90")], "{}")] }
        let failure = try #require(await world.model.complete(world.prompt()).failure)
        #expect((failure.kind, failure.retryAfter) == (.rateLimited, .seconds(90)))
        #expect(world.server.requests.count == 1)
    }

    @Test func aWaitInsideTheDeadlineIsWaited() async throws {
        let clock = ControlledClock()
        let world = try ModelWorld(clock: clock) { request in
            request.place == 1 ? [.answer(429, headers: [("Retry-After", "4")], "{}")] : [Completion.step("fine")]
        }
        async let result = world.model.complete(world.prompt())
        while clock.sleepers == 0 { await Task.yield() }
        clock.advance(by: .seconds(4))
        #expect(await result.text == "fine")
    }

    @Test func aServerThatSaysNothingIsGivenUpInTime() async throws {
        let world = try ModelWorld(timeout: .milliseconds(300)) { _ in [.fallSilent] }
        let started = ContinuousClock.now
        #expect(await world.model.complete(world.prompt()).failure?.kind == .timeout)
        #expect(ContinuousClock.now - started < .seconds(45))
        #expect(world.server.requests.count == 1)
        #expect(world.ledger.open == 0)
    }

    @Test func theDeadlineIsShorterThanTheTimeout() async throws {
        let world = try ModelWorld(timeout: .seconds(60)) { _ in
            [.send("HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{\"cho"), .fallSilent]
        }
        let started = ContinuousClock.now
        #expect(await world.model.complete(world.prompt(within: .milliseconds(400))).failure?.kind == .timeout)
        #expect(ContinuousClock.now - started < .seconds(45))
    }

    @Test func aDeadlineThatHasPassedAsksNobody() async throws {
        let world = try ModelWorld { _ in [Completion.step("x")] }
        #expect(await world.model.complete(world.prompt(within: .seconds(-1))).failure?.kind == .timeout)
        #expect(world.server.requests.isEmpty)
    }

    @Test func nobodyListeningIsUnavailable() async throws {
        let world = try ModelWorld { _ in [] }
        world.server.stop()
        await world.server.until { $0.isClosed }
        #expect(await world.model.complete(world.prompt()).failure?.kind == .unavailable)
    }

    @Test func overTheBudgetNobodyIsAsked() async throws {
        let world = try ModelWorld(dailyTokens: 100) { _ in [Completion.step("x")] }
        #expect(await world.model.complete(world.prompt()).failure?.kind == .overBudget)
        #expect(world.server.requests.isEmpty)
        let record = try #require(world.ledger.records.first)
        #expect(record.failure == .overBudget && record.inputTokens + record.outputTokens == 0 && world.ledger.open == 0)
    }

    @Test func aFunctionWithoutAModelIsNotServed() async throws {
        let world = try ModelWorld { _ in [Completion.step("x")] }
        #expect(!world.model.serves(.summary) && world.model.serves(.intent))
        #expect(await world.model.complete(world.prompt(function: .summary)).failure?.kind == .notConfigured)
        #expect(world.server.requests.isEmpty)
    }

    @Test func callsBeyondTheLimitWaitInLine() async throws {
        let gate = ScriptedGate()
        let most = Mutex((now: 0, most: 0))
        let world = try ModelWorld(maxConcurrent: 2) { _ in
            most.withLock {
                $0.now += 1; $0.most = max($0.most, $0.now)
            }
            return [.wait(gate), .call { most.withLock { $0.now -= 1 } }, Completion.step("x")]
        }
        let results = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<7 { group.addTask { await world.model.complete(world.prompt()).text == "x" } }
            await world.server.until { $0.requests.count == 2 }
            gate.open()
            return await group.reduce(into: [Bool]()) { $0.append($1) }
        }
        #expect(results == Array(repeating: true, count: 7))
        #expect(most.withLock { $0.most } == 2)
    }

    @Test func whoWaitsInLineBeyondTheDeadlineIsTurnedAway() async throws {
        let clock = ControlledClock()
        let gate = ScriptedGate()
        let world = try ModelWorld(clock: clock, maxConcurrent: 1) { _ in [.wait(gate), Completion.step("x")] }
        async let first = world.model.complete(world.prompt(within: .seconds(60)))
        await world.server.until { $0.requests.count == 1 }
        async let second = world.model.complete(world.prompt(within: .seconds(5)))
        while clock.sleepers == 0 { await Task.yield() }
        clock.advance(by: .seconds(5))
        #expect(await second.failure?.kind == .busy)
        gate.open()
        #expect(await first.text == "x")
        #expect(await world.model.complete(world.prompt()).text == "x")
    }

    @Test func noFailureRepeatsKeyOrWords() async throws {
        let bodies = [
            "secret words", "{\"error\":{\"code\":\"\(ModelWorld.key)\"}}", "{\"error\":\"secret words\"}",
            Completion.body(.null, refusal: "secret words"),
        ]
        for (status, body) in [200, 400, 429, 500].flatMap({ status in bodies.map { (status, $0) } }) {
            let world = try ModelWorld { _ in [.answer(status, body)] }
            let told = "\(try #require(await world.model.complete(world.prompt("secret words", within: .milliseconds(600))).failure))"
            #expect(!told.contains("secret") && !told.contains(ModelWorld.key), "\(told)")
        }
    }
}
