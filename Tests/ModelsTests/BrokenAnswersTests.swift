import Conversation
import Synchronization
import TestKit
import Testing
import Understanding

@testable import Models

/// A model that is broken in every way we can think of, over a real connection: nobody waits longer than the deadline, nothing is done that
/// was not understood, and it is asked to mend its answer at most once.
@Suite struct BrokenAnswersTests {
    private static let actions = [
        ActionDefinition(
            canonicalName: "book_service", displayName: "Book a service", examples: ["book a haircut", "I need an appointment"],
            params: [ParameterDefinition(name: "service", entity: .text)], request: .init(method: "POST", path: "/bookings")),
        ActionDefinition(
            canonicalName: "cancel_booking", displayName: "Cancel a booking", examples: ["cancel my booking"],
            request: .init(method: "DELETE", path: "/bookings")),
    ]
    private static let words = "my fringe is a total disaster and there is this wedding coming"

    private static func hybrid(_ world: ModelWorld) throws -> (HybridClassifier, EmbeddedClassifier) {
        let embedded = try EmbeddedClassifier(actions: actions)
        let configuration = BrandConfiguration(
            id: ModelWorld.brand, name: "Blue Door Salon", api: BrandAPI(baseURL: "http://127.0.0.1:9"), actions: actions)
        return (HybridClassifier(embedded: embedded, model: world.model, configuration: configuration, clock: world.clock), embedded)
    }

    private static func request(_ clock: any WallClock, within: Duration) -> ClassificationRequest {
        ClassificationRequest(text: words, subject: ModelWorld.subject, deadline: clock.now + within)
    }

    @Test func answersThatCannotBeReadLeaveTheRulesToDecide() async throws {
        let texts = BrokenTexts.all
        #expect(texts.count >= 260)
        let current = Mutex("")
        let world = try ModelWorld(timeout: .seconds(60)) { _ in [Completion.step(current.withLock { $0 })] }
        let (classifier, embedded) = try Self.hybrid(world)
        let expected = embedded.detect(Self.request(world.clock, within: .seconds(60)))
        var asked = 0
        for text in texts {
            current.withLock { $0 = text }
            let found = await classifier.classify(Self.request(world.clock, within: .seconds(60)))
            #expect(found == expected, "\(text.prefix(80))")
            let calls = world.server.requests.count - asked
            #expect((1...2).contains(calls), "\(calls) calls for \(text.prefix(80))")
            asked += calls
        }
        #expect(world.ledger.open == 0)
    }

    @Test func wholeBodiesThatAreNoAnswerAreAskedForOnce() async throws {
        let good = BrokenTexts.good
        let bodies = [
            "", "null", "[]", "{}", "true", "<html>504</html>", String(repeating: "[", count: 100_000), "{\"choices\":[{}]}",
            "{\"choices\":[{\"message\":{\"content\":{}}}]}", "{\"choices\":\"none\"}",
            "{\"choices\":[{\"message\":{\"content\":null,\"tool_calls\":[{}]}}]}",
            "{\"error\":{\"message\":\"overloaded\"}}", Completion.body(.string(good), finish: "content_filter"),
            Completion.body(.string(good), refusal: "I will not."), Completion.body(.null), "\u{0}\u{0}\u{0}",
            String(Completion.body(.string(good)).dropLast(40)),
        ]
        let current = Mutex("")
        let world = try ModelWorld(timeout: .seconds(60)) { _ in [.answer(200, current.withLock { $0 })] }
        let (classifier, embedded) = try Self.hybrid(world)
        for body in bodies {
            current.withLock { $0 = body }
            let before = world.server.requests.count
            let request = Self.request(world.clock, within: .seconds(60))
            #expect(await classifier.classify(request) == embedded.detect(request), "\(body.prefix(60))")
            #expect(world.server.requests.count == before + 1)
        }
    }

    @Test(arguments: [
        [ScriptedStep.fallSilent], [.close], [.reset], [.send("HTTP/1.1 200 OK\r\n"), .fallSilent], [.send("nonsense\r\n\r\n")],
        [.send("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"choi"), .fallSilent],
        [.send("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"choi"), .close],
        [.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), .sendForever(Array("4\r\n    \r\n".utf8))],
        [.answer(body: Array(repeating: UInt8(ascii: "{"), count: 10_000_000))], [.answer(429, "{}")],
        [.answer(429, headers: [("Retry-After", "60")], "{}")],
        [.answer(500, "{}")], [.answer(502, "<html>")], [.answer(503, headers: [("Retry-After", "0")])],
        [.answer(301, headers: [("Location", "http://127.0.0.1:1/")])],
        [.answer(401, "{}")], [.answer(404)], [.answer(204)],
    ])
    func aBrokenServerCostsNoMoreThanTheDeadline(_ steps: [ScriptedStep]) async throws {
        let world = try ModelWorld { _ in steps }
        let (classifier, embedded) = try Self.hybrid(world)
        let request = Self.request(world.clock, within: .milliseconds(900))
        let started = ContinuousClock.now
        #expect(await classifier.classify(request) == embedded.detect(request))
        #expect(ContinuousClock.now - started < .seconds(45))
        #expect(world.server.requests.count <= 2)
        #expect(world.ledger.open == 0)
    }

    @Test func aMendedAnswerCounts() async throws {
        let calls = Mutex(0)
        let world = try ModelWorld(timeout: .seconds(60)) { _ in
            let number = calls.withLock {
                $0 += 1; return $0
            }
            return [Completion.step(number == 1 ? "Sure! Booking now." : BrokenTexts.good)]
        }
        let (classifier, _) = try Self.hybrid(world)
        let found = await classifier.classify(Self.request(world.clock, within: .seconds(60)))
        #expect(found.map(\.candidates) == [["book_service"]])
        try #require(world.server.requests.count == 2)
        #expect(world.server.requests[1].text.contains("could not be used"))
        #expect(world.ledger.records.map(\.inputTokens) == [40, 40])
    }

    @Test func withoutABudgetNobodyIsAsked() async throws {
        let world = try ModelWorld { _ in [Completion.step(BrokenTexts.good)] }
        world.ledger.refuse()
        let (classifier, embedded) = try Self.hybrid(world)
        let request = Self.request(world.clock, within: .seconds(60))
        #expect(await classifier.classify(request) == embedded.detect(request))
        #expect(world.server.requests.isEmpty)
    }
}

/// Texts of which nothing may come.
enum BrokenTexts {
    static let good = CanonicalJSON.text([
        "commands": [
            [
                "command": "start", "candidates": [["name": "book_service", "confidence": 0.9]], "confidence": 0.9,
                "slots": ["service": "fringe"], "signal": nil, "text": "",
            ]
        ],
        "deviation": "none",
    ])

    static var all: [String] { truncated + prose + wrongTypes + unknown + huge }

    /// Cut at every few bytes.
    private static var truncated: [String] {
        stride(from: 1, to: good.utf8.count, by: 2).map { String(decoding: good.utf8.prefix($0), as: UTF8.self) }
    }

    private static var prose: [String] {
        let sentences = [
            "I think you want to book.", "{\"comands\":[]}", "Sure!", "```json\n```", "```\n{\n```", "<json>{}</json>",
            "commands: start book_service", "{'commands': []}", "\"{}\"", "🙂",
        ]
        return sentences + sentences.map { "Answer: \($0)\n" } + sentences.map { $0 + String(repeating: " {", count: 50) }
            + sentences.map { "{\($0)}" }
    }

    private static var wrongTypes: [String] {
        let values: [JSONValue] = [nil, true, 0, 1.5, "start", [], [:], [[]], [["command"]], [nil], [1, "start", [:]]]
        var texts: [String] = []
        for value in values {
            texts.append(CanonicalJSON.text(value))
            texts.append(CanonicalJSON.text(["commands": value, "deviation": value]))
            texts.append(CanonicalJSON.text(["commands": [["command": value, "candidates": value, "confidence": value]]]))
            texts.append(
                CanonicalJSON.text([
                    "commands": [["command": "start", "candidates": value, "slots": value, "text": value]], "deviation": "none",
                ]))
            texts.append(
                CanonicalJSON.text(["commands": [["command": "start", "candidates": [["name": value, "confidence": 1]], "confidence": 1]]]))
            texts.append(CanonicalJSON.text(["commands": [["command": "answer", "signal": value, "confidence": 1]], "extra": value]))
        }
        return texts
    }

    private static var unknown: [String] {
        [
            "fly_to_moon", "admin", "book-service-now", "BOOK", "", " ", "book_service2", "cancel booking all", "\u{0}", "book_sèrvice",
            "list", "cancel_booking; admin",
        ]
        .flatMap { name in
            ["start", "begin", "START", "correct", "cancel", "answer"].map { command in
                CanonicalJSON.text([
                    "commands": [
                        [
                            "command": .string(command), "candidates": [["name": .string(name), "confidence": 1]], "confidence": 1,
                            "signal": "yes",
                        ]
                    ], "deviation": "abort",
                ])
            }
        }
    }

    private static var huge: [String] {
        [
            String(repeating: "a", count: 200_000), String(repeating: "{\"commands\":[", count: 15_000),
            String(repeating: "[", count: 200_000), good + String(repeating: " ", count: 300_000),
        ]
    }
}
