import Conversation
import Foundation
import Testing

/// Three hundred outputs of a model that is broken in every way we could think of. Nobody waits longer than the deadline for an answer, the
/// model gets one chance to mend what it said, and nothing is done.
@Suite(.serialized) struct ModelBrokenTests {
    private enum Way {
        case says(String)
        case order([String: JSONValue])
        case fault([String: JSONValue])
    }

    private static let deep = String(repeating: "[", count: 5_000)
    private static let valid = Rig.commands([Rig.command("start", action: "list_bookings")])
    private static let ways: [(name: String, way: Way)] = [
        ("prose", .says("Sure! The customer would like to book a haircut for tomorrow.")),
        ("an empty fence", .says("```json\n```")), ("a cut object", .says(String(valid.dropLast(25)))),
        ("commands that are text", .says(#"{"commands": "start book_service", "deviation": "none"}"#)),
        ("wrong types", .says(#"{"commands": [{"command": 5, "candidates": "book_service", "slots": [], "text": null}], "deviation": 3}"#)),
        ("unknown commands", .says(#"{"commands": [{"command": "sudo", "candidates": [], "slots": {}, "text": "a", "confidence": 1}]}"#)),
        ("unknown actions", .says(Rig.commands([Rig.command("start", action: "delete_everything")]))),
        (
            "extra keys",
            .says(#"{"commands": [], "deviation": "none", "tool_calls": [{"name": "book_service"}], "url": "http://127.0.0.1/"}"#)
        ),
        ("another object", .says(#"{"intent": "book_service"}"#)), ("a list", .says("[1, 2, 3]")), ("null", .says("null")),
        ("white space", .says(" \n\t ")), ("nothing", .says("")), ("deep nesting", .says(deep)),
        ("control characters", .says("{\"commands\": [\u{0}\u{1}\u{202E}]}")),
        ("ten megabytes", .order(["content": "0123456789", "repeat": 1_000_000])),
        ("a refusal", .order(["refusal": "I cannot help with that."])),
        ("a filter", .order(["content": "a", "finish_reason": "content_filter"])),
        ("429", .fault(["status": 429, "retry_after": 30])), ("500", .fault(["status": 500])), ("a hang", .fault(["delay_ms": 60_000])),
        ("a stall", .fault(["trickle_ms": 30_000])), ("garbage", .fault(["garbage": true])), ("a reset", .fault(["drop": "after"])),
        ("an endless body", .fault(["body_bytes": "endless"])),
    ]
    private static let customers = 12

    @Test func nothingComesOfABrokenAnswerButAReplyInTime() async throws {
        #expect(Self.ways.count * Self.customers >= 300)
        try await Rig.with(.withModel(timeout: 1, deadline: 3, pause: 0)) { rig in
            try await rig.startGatewayWithModel()
            let process = try #require(rig.gateway)
            for (number, (name, way)) in Self.ways.enumerated() {
                try await rig.clearFaults()
                try await rig.model(["mode": "normal"])
                switch way {
                case .says(let content): try await rig.modelSays(content)
                case .order(let order):
                    try await rig.model(order.merging(["mode": "say", "for": .string(ModelCalls.commands), "times": 1_000_000]) { $1 })
                case .fault(let fault): try await rig.fault(fault.merging(["path": "/llm"]) { $1 })
                }
                let batch = (0..<Self.customers).map { index in
                    (phone: "1555\(2_000_000 + number * 100 + index)", text: "flurble grommet \(number)x\(index) wibble")
                }
                // The deadline, and what a busy machine takes for a dozen turns besides.
                let longest = try await rig.askAll(batch, within: .seconds(90))
                #expect(longest < .seconds(60), "\(name): \(longest)")
                let calls = try await rig.modelCalls()
                for customer in batch {
                    let own = calls.about(customer.text)
                    #expect(!own.isEmpty, "\(name): the model was not asked")
                    #expect(own.count(where: ModelCalls.isRepair) <= 1, "\(name): more than one repair")
                    let replies = try await rig.texts(to: customer.phone)
                    #expect(replies.count == 1 && replies.first?.contains("not sure") == true, "\(name): \(replies)")
                }
                #expect(process.isRunning, "\(name)")
            }
            #expect(try await rig.arrived("/salon", method: "POST").isEmpty)
            #expect(try await rig.arrived("/jobs").isEmpty)
            #expect(try await rig.bookings().isEmpty)
        }
    }

    /// A model that hangs costs a few customers their time; all others are answered at once.
    @Test func aModelThatHangsIsLeftAlone() async throws {
        try await Rig.with(.withModel(timeout: 1, deadline: 3)) { rig in
            try await rig.startGatewayWithModel()
            try await rig.fault(["path": "/llm", "delay_ms": 60_000])
            for number in 0..<5 {
                _ = try await rig.askAll(
                    [(phone: "155530\(10_000 + number)", text: "flurble grommet \(number) wibble")], within: patience)
            }
            let before = try await rig.modelCalls().commands.count
            let batch = (0..<20).map { (phone: "155540\(10_000 + $0)", text: "flurble grommet late \($0) wibble") }
            _ = try await rig.askAll(batch, within: patience)
            #expect(try await rig.modelCalls().commands.count == before, "nobody waits for it")
            let usage = try await rig.get(rig.gatewayURL + "/v1/usage", key: rig.adminKey("salon")).json
            let counted = try #require(usage["calls"]?.integer)
            #expect(counted <= 10, "what was not called is no call: \(usage)")
            let metrics = try await rig.get(rig.gatewayURL + "/metrics", key: rig.operatorKey).text
            #expect(metrics.contains("outcome=\"paused\""))
        }
    }
}
