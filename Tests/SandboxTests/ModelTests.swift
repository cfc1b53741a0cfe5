import Conversation
import Testing

@testable import Sandbox

@Suite struct ModelTests {
    static let chat: JSONValue = ["model": "gpt-4o-mini", "messages": [["role": "user", "content": "I'm here at 5pm."]]]

    /// What must be refused, with the field that is named.
    static let refused: [(why: String, body: JSONValue, parameter: String?)] = [
        ("no model", ["messages": [["role": "user", "content": "a"]]], "model"),
        ("no messages", ["model": "m"], "messages"),
        ("an empty list of messages", ["model": "m", "messages": []], "messages"),
        ("an unknown field", with("colour", "blue"), "colour"),
        (
            "an unknown field of a message", ["model": "m", "messages": [["role": "user", "content": "a", "mood": "x"]]], "messages[0].mood"
        ),
        ("an unknown role", ["model": "m", "messages": [["role": "robot", "content": "a"]]], "messages[0].role"),
        ("a number as content", ["model": "m", "messages": [["role": "user", "content": 5]]], "messages[0].content"),
        ("a temperature over 2", with("temperature", 2.5), "temperature"),
        ("no tokens at all", with("max_tokens", 0), "max_tokens"),
        ("streaming", with("stream", true), "stream"),
        ("several answers", with("n", 2), "n"),
        ("an unknown format", with("response_format", ["type": "yaml"]), "response_format.type"),
        ("JSON without saying so", with("response_format", ["type": "json_object"]), "messages"),
        ("a schema without a name", format(["schema": ["type": "object"]]), "response_format.json_schema.name"),
        ("a schema that is no object", format(["name": "a", "schema": ["type": "array"]]), "response_format"),
        (
            "a strict schema that lets others in", format(["name": "a", "strict": true, "schema": ["type": "object", "properties": [:]]]),
            "response_format"
        ),
        (
            "a strict schema with a member that may be missing",
            format([
                "name": "a", "strict": true,
                "schema": ["type": "object", "additionalProperties": false, "properties": ["b": ["type": "string"]], "required": []],
            ]), "response_format"
        ),
    ]

    private static func with(_ key: String, _ value: JSONValue) -> JSONValue {
        var body = chat
        body[key] = value
        return body
    }

    private static func format(_ schema: JSONValue) -> JSONValue {
        with("response_format", ["type": "json_schema", "json_schema": schema])
    }

    private static func completion(_ rig: Rig, _ body: JSONValue = chat) async throws -> HTTPAnswer {
        try await rig.call("POST", "/llm/v1/chat/completions", body)
    }

    private static func content(_ answer: HTTPAnswer) -> String? { answer.json.at(pointer: "/choices/0/message/content")?.string }

    @Test func whatTheFormDoesNotKnowIsRefusedInItsForm() async throws {
        try await Rig.run { rig in
            for (why, body, parameter) in Self.refused {
                let answer = try await Self.completion(rig, body)
                #expect(answer.status == 400, "\(why)")
                #expect(answer.json.at(pointer: "/error/type") == "invalid_request_error", "\(why)")
                #expect(answer.json.at(pointer: "/error/param")?.string == parameter, "\(why): \(answer.json.plainText)")
                #expect(answer.json.at(pointer: "/error/message")?.string?.isEmpty == false, "\(why)")
            }
            #expect(try await rig.call("GET", "/_sandbox/llm").json["calls"] == 0)
        }
    }

    @Test func theKeyIsAskedForWhereThereIsOne() async throws {
        try await Rig.run { rig in
            let answer = try await Self.completion(rig)
            #expect(answer.status == 200)
        }
        try await Rig.run(environment: ["LLM_KEY": "key-of-the-model"]) { rig in
            for token in [nil, "another-key"] {
                let answer = try await rig.call("POST", "/llm/v1/chat/completions", Self.chat, token: token)
                #expect(answer.status == 401)
            }
            let answer = try await rig.call("POST", "/llm/v1/chat/completions", Self.chat, token: "key-of-the-model")
            #expect(answer.status == 200)
        }
    }

    @Test func theSameRequestIsAnsweredAndCountedTheSame() async throws {
        try await Rig.run { rig in
            let (first, second) = (try await Self.completion(rig).json, try await Self.completion(rig).json)
            #expect(first["choices"] == second["choices"] && first["usage"] == second["usage"])
            #expect(first["id"] != second["id"])
            #expect(first.at(pointer: "/choices/0/finish_reason") == "stop" && first["object"] == "chat.completion")
            // I ' m here at 5pm . are seven, each message adds four and the answer three.
            #expect(first["usage"] == ["prompt_tokens": 14, "completion_tokens": 6, "total_tokens": 20])
            let totals = try await rig.call("GET", "/_sandbox/llm").json
            #expect(totals["calls"] == 2 && totals["prompt_tokens"] == 28 && totals["completion_tokens"] == 12)
        }
    }

    @Test func rewordingKeepsNumbersAndNames() async throws {
        try await Rig.run { rig in
            let answer = try await Self.completion(rig)
            #expect(Self.content(answer) == "I am here at 5pm.")
        }
    }

    @Test func anAnswerThatIsTooLongIsCut() async throws {
        try await Rig.run { rig in
            let answer = try await Self.completion(rig, Self.with("max_tokens", 2)).json
            #expect(answer.at(pointer: "/choices/0/message/content") == "I am")
            #expect(answer.at(pointer: "/choices/0/finish_reason") == "length")
            #expect(answer.at(pointer: "/usage/completion_tokens") == 2)
        }
    }

    @Test func anySchemaIsFilled() async throws {
        let schema: JSONValue = [
            "type": "object", "additionalProperties": false, "required": ["summary", "topics", "mood", "count", "done"],
            "properties": [
                "summary": ["type": "string"], "topics": ["type": "array", "items": ["type": "string"], "maxItems": 2],
                "mood": ["type": "string", "enum": ["calm", "angry"]], "count": ["type": "integer", "minimum": 3],
                "done": ["type": ["boolean", "null"]],
            ],
        ]
        var body = Self.format(["name": "summary", "strict": true, "schema": schema])
        body["messages"] = [
            ["role": "system", "content": "Sum it up."], ["role": "user", "content": "A haircut please"],
            ["role": "assistant", "content": "Your haircut is booked"],
        ]
        let request = body
        try await Rig.run { rig in
            let answer = try await Self.completion(rig, request)
            let text = try #require(Self.content(answer))
            let filled = try #require(JSONText.read(Array(text.utf8)))
            #expect(
                filled == [
                    "summary": "A haircut please Your haircut is booked", "topics": ["haircut", "booked"], "mood": "calm", "count": 3,
                    "done": false,
                ])
        }
    }

    @Test func whatIsOrderedIsSaidWordForWordToWhomItIsFor() async throws {
        try await Rig.run { rig in
            #expect(try await rig.call("POST", "/_sandbox/llm", ["mode": "say", "contents": ["{", ""]]).status == 200)
            #expect(
                try await rig.call("POST", "/_sandbox/llm", ["mode": "say", "content": "xy", "repeat": 3, "for": "other"]).status == 200)
            #expect(try await rig.call("POST", "/_sandbox/llm", ["mode": "say", "refusal": "No.", "times": 2]).status == 200)
            #expect(try await Self.content(Self.completion(rig)) == "{")
            #expect(try await Self.content(Self.completion(rig)) == "")
            for _ in 0..<2 {
                let refusal = try await Self.completion(rig).json
                #expect(refusal.at(pointer: "/choices/0/message/refusal") == "No.")
                #expect(refusal.at(pointer: "/choices/0/message/content") == .null)
            }
            #expect(try await Self.content(Self.completion(rig)) == "I am here at 5pm.")
            let schema = Self.format(["name": "other", "schema": ["type": "object"]])
            #expect(try await Self.content(Self.completion(rig, schema)) == "xyxyxy")
            #expect(try await Self.content(Self.completion(rig, schema)) == "{}")
            #expect(try await rig.call("POST", "/_sandbox/llm", ["mode": "say"]).status == 400)
        }
    }

    @Test func theReportedUsageCanBeOrdered() async throws {
        try await Rig.run { rig in
            _ = try await rig.call("POST", "/_sandbox/llm", ["mode": "usage", "prompt_tokens": 1000, "completion_tokens": 7])
            #expect(try await Self.completion(rig).json["usage"] == ["prompt_tokens": 1000, "completion_tokens": 7, "total_tokens": 1007])
            _ = try await rig.call("POST", "/_sandbox/llm", ["mode": "normal"])
            #expect(try await Self.completion(rig).json.at(pointer: "/usage/total_tokens") == 20)
            #expect(try await rig.call("DELETE", "/_sandbox/llm").json["calls"] == 0)
        }
    }

    @Test func faultsTakeTheFormOfTheEndpoint() async throws {
        try await Rig.run { rig in
            try await rig.fault(["path": "/llm", "retry_after": 7, "times": 1])
            let busy = try await Self.completion(rig)
            #expect(busy.status == 429 && busy.header("retry-after") == "7")
            #expect(busy.json.at(pointer: "/error/code") == "rate_limit_exceeded")
            try await rig.fault(["path": "/llm", "status": 500, "times": 1])
            #expect(try await Self.completion(rig).json.at(pointer: "/error/type") == "server_error")
            #expect(try await rig.call("GET", "/_sandbox/llm").json["calls"] == 0)
        }
    }

    @Test func aBodyThatStallsBeginsAndThenTrickles() async throws {
        try await Rig.run { rig in
            try await rig.fault(["path": "/llm", "trickle_ms": 200, "times": 1])
            let client = LoopbackClient(timeout: .milliseconds(300))
            await #expect(throws: LoopbackClient.Failure.noAnswer) {
                _ = try await client.send(
                    "POST", port: rig.port, target: "/llm/v1/chat/completions", body: CanonicalJSON.bytes(Self.chat))
            }
            #expect(try await Self.completion(rig).status == 200)
        }
    }

    // MARK: Understanding

    /// A request as the gateway's prompt for commands has it, with an open question or none.
    private static func commands(_ text: String, question: JSONValue? = nil) -> JSONValue {
        let actions: JSONValue = [
            [
                "name": "book_service", "title": "Book a service", "does": "Book an appointment", "slots": ["service": "choice"],
                "said_like": ["book a haircut tomorrow at 5pm", "I need an appointment"],
            ], ["name": "cancel_booking", "title": "Cancel a booking", "said_like": ["cancel my booking", "I can't make it"]],
        ]
        let situation: JSONValue = question.map { ["open_question": $0] } ?? [:]
        let system = "Sort it.\n\nACTIONS\n\(CanonicalJSON.text(actions))\n\nSITUATION\n\(CanonicalJSON.text(situation))"
        func object(_ properties: [String: JSONValue]) -> JSONValue {
            [
                "type": "object", "additionalProperties": false, "properties": .object(properties),
                "required": .array(properties.keys.sorted().map(JSONValue.string)),
            ]
        }
        let command = object([
            "command": ["type": "string", "enum": ["start", "answer", "correct", "cancel", "clarify", "help", "human", "greeting"]],
            "candidates": [
                "type": "array",
                "items": object([
                    "name": ["type": "string", "enum": ["book_service", "cancel_booking"]], "confidence": ["type": "number"],
                ]),
            ], "slots": object(["service": ["type": ["string", "null"]]]), "signal": ["type": ["string", "null"]],
            "text": ["type": "string"], "confidence": ["type": "number"],
        ])
        let schema = object([
            "commands": ["type": "array", "items": command], "deviation": ["type": "string", "enum": ["none", "abort"]],
        ])
        var body = format(["name": "customer_commands", "strict": true, "schema": schema])
        body["messages"] = [
            ["role": "system", "content": .string(system)],
            ["role": "user", "content": .string("<customer_message>\n\(text)\n</customer_message>")],
        ]
        return body
    }

    private static func understood(_ rig: Rig, _ text: String, question: JSONValue? = nil) async throws -> [JSONValue] {
        let answer = try await completion(rig, commands(text, question: question))
        let content = try #require(Self.content(answer), "\(answer.json.plainText)")
        let json = try #require(JSONText.read(Array(content.utf8)))
        #expect(json["deviation"]?.string != nil)
        return json["commands"]?.array ?? []
    }

    @Test func wishesAreUnderstoodByTheExamplesInThePrompt() async throws {
        try await Rig.run { rig in
            let booking = try await Self.understood(rig, "could you book me a haircut please")
            #expect(booking.count == 1 && booking.first?["command"] == "start")
            #expect(booking.first?.at(pointer: "/candidates/0/name") == "book_service")
            #expect(booking.first?["slots"] == ["service": .null] && booking.first?["signal"] == .null)
            let cancelling = try await Self.understood(rig, "please cancel that booking of mine")
            #expect(cancelling.first?.at(pointer: "/candidates/0/name") == "cancel_booking")
            let person = try await Self.understood(rig, "let me talk to a human")
            #expect(person.first?["command"] == "human")
            let nothing = try await Self.understood(rig, "xyzzy plugh")
            #expect(nothing.first?["command"] == "clarify" && nothing.first?["candidates"] == [])
            let sameAgain = try await Self.understood(rig, "xyzzy plugh")
            #expect(sameAgain == nothing)
        }
    }

    @Test func answersAreUnderstoodByTheOpenQuestion() async throws {
        let question: JSONValue = [
            "about": "book_service.confirm", "kind": "confirmation", "signals": ["yes", "no"],
            "meanings": ["yes": ["yes", "sure"], "no": ["no", "rather not"]],
        ]
        try await Rig.run { rig in
            let yes = try await Self.understood(rig, "sure", question: question)
            #expect(yes.first?["command"] == "answer" && yes.first?["signal"] == "yes")
            let no = try await Self.understood(rig, "rather not", question: question)
            #expect(no.first?["signal"] == "no")
        }
    }

    @Test func embeddingsOfLikeTextsLieNearEachOther() async throws {
        try await Rig.run { rig in
            let request: JSONValue = [
                "model": "text-embedding-3-small", "input": ["book a haircut", "booking a haircut", "the sea is cold"], "dimensions": 512,
            ]
            let answer = try await rig.call("POST", "/llm/v1/embeddings", request)
            #expect(answer.status == 200)
            let vectors = (answer.json["data"]?.array ?? []).map { ($0["embedding"]?.array ?? []).compactMap(\.double) }
            #expect(vectors.map(\.count) == [512, 512, 512])
            func likeness(_ left: Int, _ right: Int) -> Double { zip(vectors[left], vectors[right]).reduce(0) { $0 + $1.0 * $1.1 } }
            #expect(abs(likeness(0, 0) - 1) < 0.001)
            #expect(likeness(0, 1) > likeness(0, 2) + 0.2)
            #expect(answer.json["usage"] == ["prompt_tokens": 10, "total_tokens": 10])
            let refused = try await rig.call("POST", "/llm/v1/embeddings", ["model": "m", "input": ""])
            #expect(refused.status == 400)
            #expect(try await rig.call("GET", "/llm/v1/models").json.at(pointer: "/data/0/object") == "model")
            #expect(try await rig.call("GET", "/llm/v1/other").status == 404)
        }
    }
}
