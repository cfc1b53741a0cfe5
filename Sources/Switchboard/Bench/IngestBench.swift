#if Sandbox
    import Conversation
    import Foundation
    import Storage

    /// Signed webhooks against the null route, round by round.
    struct IngestBench {
        struct Result: Sendable {
            var storing: [Double]
            var null: [Double]
            /// Microseconds of processor time a request, both sides together.
            var storingCost: [Double] = []
            var nullCost: [Double] = []
            var accepted: Int
            var stored: Int
            var bodyBytes: Int
            var connections: Int

            /// The median of the rounds' own ratios: the two halves of a round are beside each other in time, so a machine that grows slower
            /// or faster between the rounds changes both.
            var ratio: Double { Self.median(zip(storing, null).map { $0 / $1 }) }

            static func median(_ values: [Double]) -> Double {
                let sorted = values.sorted()
                return sorted.isEmpty ? 0 : sorted[sorted.count / 2]
            }

            var json: JSONValue {
                [
                    "bench": "ingest", "ratio": .number((ratio * 1000).rounded() / 1000),
                    "stored_per_s": .number(Self.median(storing).rounded()),
                    "null_route_per_s": .number(Self.median(null).rounded()),
                    "stored_processor_us": .number((Self.median(storingCost) * 10).rounded() / 10),
                    "null_route_processor_us": .number((Self.median(nullCost) * 10).rounded() / 10),
                    "rounds_stored_per_s": .array(storing.map { .number($0.rounded()) }),
                    "rounds_null_per_s": .array(null.map { .number($0.rounded()) }), "accepted": .integer(Int64(accepted)),
                    "stored_rows": .integer(Int64(stored)), "body_bytes": .integer(Int64(bodyBytes)),
                    "connections": .integer(Int64(connections)),
                    "synchronous": "FULL", "turn_workers": "paused", "cores": .integer(Int64(ProcessInfo.processInfo.activeProcessorCount)),
                ]
            }
        }

        let bench: BenchGateway
        let port: Int
        let count: Int
        let connections: Int
        let senders: Int

        func run(rounds: Int) async throws -> Result {
            let load = LoadGenerator(port: port, connections: connections)
            var result = Result(storing: [], null: [], accepted: 0, stored: 0, bodyBytes: 0, connections: connections)
            for round in 0..<(rounds + 1) {
                let requests = requests(round, path: "/webhooks/whatsapp/\(bench.webhooks.app)")
                result.bodyBytes = requests[0].count - (requests[0].firstRange(of: Array("\r\n\r\n".utf8))?.upperBound ?? 0)
                let storing = try await load.run(requests)
                let null = try await load.run(self.requests(round, path: BenchGateway.nullPath))
                result.accepted += storing.good
                guard storing.bad == 0, null.bad == 0 else {
                    throw StartProblem("\(storing.bad + null.bad) requests were not answered 200")
                }
                // The first round warms up connections, caches and the store's file.
                guard round > 0 else { continue }
                result.storing.append(Double(storing.good) / storing.seconds)
                result.null.append(Double(null.good) / null.seconds)
                result.storingCost.append(storing.processorSeconds * 1_000_000 / Double(storing.good))
                result.nullCost.append(null.processorSeconds * 1_000_000 / Double(null.good))
            }
            result.stored = try await bench.gateway.store.brand(BrandID(rawValue: "salon")).read { try $0.countInbound() }
            try await load.close()
            return result
        }

        private func requests(_ round: Int, path: String) -> [[UInt8]] {
            (0..<count).map { number in
                bench.webhooks.request(
                    path: path, sender: (number &* 7919) % senders, id: "bench-\(round)-\(number)",
                    text:
                        "Hello, I would like to know whether the appointment that I made for a haircut next week can still be moved to the afternoon of the same day, or to any later day of that week; mornings have become difficult for me, and I would rather not cancel it. Thank you very much for your help!"
                )
            }
        }
    }
#endif
