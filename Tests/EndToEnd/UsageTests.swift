import Conversation
import Foundation
import Testing

/// What the model used, counted by the gateway and by the stand-in that was asked, and what happens when the day's tokens are used up.
@Suite(.serialized) struct UsageTests {
    private static let phone = "15550001111"

    /// A rig whose salon asks the sandbox's model, with further edits of its brand.
    private func with(_ edits: [(from: String, to: String)] = [], _ body: (Rig) async throws -> Void) async throws {
        try await Rig.with(.init(startsGateway: false)) { rig in
            let llm = "base_url: \"\(rig.sandboxURL)/llm/v1\""
            try rig.apply((file: "brands/salon/brand.yaml", from: "base_url: \"${LLM_URL:-}\"", to: llm))
            for edit in edits { try rig.apply((file: "brands/salon/brand.yaml", from: edit.from, to: edit.to)) }
            try await rig.startGateway()
            try await body(rig)
        }
    }

    private struct Counted: Equatable {
        var calls: Int64
        var input: Int64
        var output: Int64
    }

    /// What the stand-in reported, over all calls.
    private func reported(_ rig: Rig) async throws -> Counted {
        let llm = try await rig.get(rig.sandboxURL + "/_sandbox/llm").json
        return Counted(
            calls: try #require(llm["calls"]?.integer), input: try #require(llm["prompt_tokens"]?.integer),
            output: try #require(llm["completion_tokens"]?.integer))
    }

    private func usage(_ rig: Rig, _ query: String = "") async throws -> JSONValue {
        let answer = try await rig.get(rig.gatewayURL + "/v1/usage" + query, key: rig.adminKey("salon"))
        try #require(answer.status == 200, "\(answer.text)")
        return answer.json
    }

    private func counted(_ usage: JSONValue) throws -> Counted {
        Counted(
            calls: try #require(usage["calls"]?.integer), input: try #require(usage["input_tokens"]?.integer),
            output: try #require(usage["output_tokens"]?.integer))
    }

    /// Waits until nothing is being asked any more; what both sides then agree on.
    private func settled(_ rig: Rig) async throws -> Counted {
        var last = Counted(calls: -1, input: 0, output: 0)
        try await eventually("the stand-in's counts are the gateway's, and stay so", within: .seconds(40)) {
            let (theirs, ours) = (try await self.reported(rig), try self.counted(try await self.usage(rig)))
            defer { last = theirs }
            // Cold work begins two seconds after a turn.
            guard theirs == ours, theirs == last else { return false }
            try await Task.sleep(for: .seconds(3))
            return try await self.reported(rig) == theirs
        }
        return last
    }

    /// Talk that the model is asked about: for the words of the replies, if for nothing else.
    private func talk(_ rig: Rig) async throws {
        try await rig.ask("hello there")
        try await rig.ask("which services do you have, and could you sort something out for my hair some day")
        try await rig.ask("what are your opening hours?")
    }

    /// Thousands of a billionth of the currency, as our prices make whole ones.
    private func nanos(_ usage: JSONValue) throws -> Int64 {
        let text = try #require(usage["cost"]?["USD"]?.string)
        let parts = text.split(separator: ".")
        try #require(parts.count == 2 && parts[1].count >= 2 && parts[1].count <= 9, "\(text)")
        let places = parts[1] + String(repeating: "0", count: 9 - parts[1].count)
        return try #require(Int64(parts[0])) * 1_000_000_000 + (try #require(Int64(places)))
    }

    @Test func whatTheModelReportsAddsUpThoughThePriceChangesInBetween() async throws {
        try await wholeDayAhead()
        try await with { rig in
            try await talk(rig)
            let before = try await settled(rig)
            try #require(before.calls > 0)
            #expect(await rig.stopGateway() == 0)
            try rig.apply(
                (
                    file: "brands/salon/brand.yaml", from: "input_per_million: 0.15, output_per_million: 0.60",
                    to: "input_per_million: 0.30, output_per_million: 1.20"
                ))
            try await rig.startGateway()
            try await talk(rig)
            let all = try await settled(rig)
            try #require(all.calls > before.calls)

            let total = try await usage(rig)
            let expected =
                150 * before.input + 600 * before.output + 300 * (all.input - before.input) + 1200 * (all.output - before.output)
            #expect(try nanos(total) == expected)
            #expect(total["unpriced_calls"] == 0 && total["failed_calls"] == 0 && total["estimated_calls"] == 0)
            #expect(total["today"]?["tokens"]?.integer == all.input + all.output && total["today"]?["daily_tokens"] == .null)

            for grouping in ["day", "session", "model", "function", "instance"] {
                var (sum, cost, after) = (Counted(calls: 0, input: 0, output: 0), Int64(0), String?.none)
                repeat {
                    let page = try await usage(rig, "?by=\(grouping)&limit=1" + (after.map { "&after=\($0)" } ?? ""))
                    for group in try #require(page["groups"]?.array) {
                        let part = try counted(group)
                        sum = Counted(calls: sum.calls + part.calls, input: sum.input + part.input, output: sum.output + part.output)
                        cost += try nanos(group)
                        #expect(group[grouping]?.string != nil)
                    }
                    after = page["next"]?.string
                } while after != nil
                #expect(sum == all && cost == expected, "by \(grouping)")
            }

            let session = try #require(try await rig.sessions(of: Self.phone).first)
            let shown = try await rig.get(rig.gatewayURL + "/v1/sessions/\(session)", key: rig.adminKey("salon")).json
            #expect(try counted(try #require(shown["usage"])) == all && (try nanos(try #require(shown["usage"]))) == expected)
            #expect(shown["summary"]?["text"]?.string?.isEmpty == false && shown["summary"]?["last_message_at"]?.string != nil)
            let other = try await rig.get(rig.gatewayURL + "/v1/usage", key: rig.adminKey("jobs")).json
            #expect(other["calls"] == 0 && other["cost"] == [:])
            let metrics = try await rig.get(rig.gatewayURL + "/metrics", key: rig.operatorKey).text
            #expect(metrics.contains("switchboard_model_tokens_total{brand=\"salon\",model=\"gpt-4o-mini\""))
            #expect(metrics.contains("switchboard_model_cost_total{brand=\"salon\",currency=\"USD\"}"))
        }
    }

    @Test func whenTheDaysTokensAreUsedUpTheNextTurnIsAnsweredWithoutTheModel() async throws {
        try await wholeDayAhead()
        try await with([(from: "  timeout_s: 8\n", to: "  timeout_s: 8\n  daily_tokens: 25100\n")]) { rig in
            let order: JSONValue = ["mode": "usage", "prompt_tokens": 12_000, "completion_tokens": 500]
            #expect(try await rig.post(rig.sandboxURL + "/_sandbox/llm", order).status < 300)
            try await rig.ask("book a haircut")
            try await eventually("the budget is used up") {
                if try await self.reported(rig).calls >= 2 { return true }
                try await rig.ask("hello there")
                return false
            }
            let spent = try await settled(rig)
            #expect(spent.calls == 2, "of 25,100 tokens 100 are left, which is enough for no call")
            // The conversation goes on, and so does a restart.
            for _ in 0..<2 {
                let reply = try await rig.ask("what are your opening hours?")
                #expect(!reply.isEmpty)
                #expect(try await reported(rig) == spent)
                let today = try #require(try await usage(rig)["today"])
                #expect(today["tokens"]?.integer == 25_000 && today["daily_tokens"] == 25_100)
                #expect(today["remaining_tokens"]?.integer == 100)
                await rig.stopGateway()
                try await rig.startGateway()
            }
        }
    }

    @Test func whatCannotBeAnsweredIsRefusedWithTheReason() async throws {
        try await Rig.with { rig in
            let key = rig.adminKey("salon")
            for (query, reason) in [
                ("?from=yesterday", "from is a date"), ("?to=2026-02-30", "to is a date"), ("?from=2026-13-01T00:00:00Z", "from is a date"),
                ("?from=2026-11-02&to=2026-11-01", "before"), ("?from=2020-01-01&to=2026-01-01", "400 days"), ("?by=user", "by is one of"),
                ("?by=day&limit=0", "limit"), ("?by=day&after=soon", "after"), ("?after=2026-11-01", "after needs by"),
            ] {
                let answer = try await rig.get(rig.gatewayURL + "/v1/usage" + query, key: key)
                #expect(answer.status == 400 && answer.json["title"]?.string?.contains(reason) == true, "\(query): \(answer.text)")
                #expect(answer.header("content-type")?.contains("application/problem+json") == true)
            }
            #expect(try await rig.get(rig.gatewayURL + "/v1/usage").status == 401)
            #expect(try await rig.get(rig.gatewayURL + "/v1/usage", key: rig.operatorKey).status == 403)
            let empty = try await usage(rig, "?from=2026-01-01&to=2026-01-31&by=model")
            #expect(empty["calls"] == 0 && empty["groups"] == [] && empty["next"] == .null)
            #expect(empty["from"] == "2026-01-01T00:00:00.000Z" && empty["to"] == "2026-02-01T00:00:00.000Z")
        }
    }
}
