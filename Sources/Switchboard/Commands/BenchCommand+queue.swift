#if Sandbox
    import ArgumentParser
    import Conversation
    import Foundation
    import Storage

    extension BenchCommand {
        struct Queue: AsyncParsableCommand {
            static let configuration = CommandConfiguration(
                abstract: "No-op tasks through the durable queue, beside other people's queues; and its operations beside 1,000,000 tasks.",
                discussion: """
                    With --python the script runs the same number of no-op jobs through huey (SQLite), dramatiq (Redis, needs --redis) and \
                    procrastinate (PostgreSQL, needs --peer-postgres), on the same machine right after ours. \
                    Tests/EndToEnd/queue-bench.sh starts the servers and runs this.
                    """)

            @Option(help: "Tasks of a run.") var tasks = 30_000
            @Option(help: "Tasks put in, and lanes worked on, at once.") var width = 256
            @Option(help: "Rounds; the best counts.") var rounds = 3
            @Option(parsing: .upToNextOption, help: "Waiting tasks beside which operations are measured.") var sizes = [1000, 1_000_000]
            @Option(help: "A PostgreSQL database, made ready with `switchboard migrate`.") var postgres: String?
            @Option(help: "A Python with huey, and with dramatiq and procrastinate when they are asked for.") var python: String?
            @Option(help: "The script for it.") var script = "Tests/EndToEnd/python/queue_bench.py"
            @Option(help: "redis://…, for dramatiq.") var redis: String?
            @Option(help: "postgresql://… of an empty database, for procrastinate.") var peerPostgres: String?

            func run() async throws {
                _ = try Observability.start(level: "error")
                var result: [String: JSONValue] = [
                    "bench": "queue", "cores": .integer(Int64(ProcessInfo.processInfo.activeProcessorCount)),
                ]
                result["sqlite"] = try await sqlite()
                if let postgres { result["postgresql"] = try await shared(postgres) }
                if let python {
                    let peers = try QueueBenchPeers(python: python, script: script, jobs: tasks / 3, redis: redis, postgres: peerPostgres)
                        .run()
                    result["peers"] = .object(peers)
                    result["ratios"] = ratios(result, peers)
                }
                Terminal.say(PrettyJSON.text(.object(result)))
            }

            private func sqlite() async throws -> JSONValue {
                let folder = NSTemporaryDirectory() + "switchboard-bench-\(UUID().uuidString)"
                try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
                defer { try? FileManager.default.removeItem(atPath: folder) }
                let database = try SQLiteDatabase(path: folder + "/queue.sqlite")
                let result = try await measure(database)
                await database.close()
                return result
            }

            private func shared(_ url: String) async throws -> JSONValue {
                let database = try await PostgreSQLDatabase(url: url)
                let result = try await measure(database)
                await database.close()
                return result
            }

            private func measure(_ database: any Database) async throws -> JSONValue {
                let bench = QueueBench(database: database, tasks: tasks, width: width)
                var best: JSONValue = .null
                for _ in 0..<max(1, rounds) {
                    let round = try await bench.throughput()
                    if (round["per_s"]?.double ?? 0) > (best["per_s"]?.double ?? 0) { best = round }
                }
                guard case .object(var fields) = best else { return best }
                if !sizes.isEmpty {
                    fields["waiting"] = .array(sizes.sorted().map { .integer(Int64($0)) })
                    fields["medians"] = try await bench.medians(at: sizes.sorted())
                }
                return .object(fields)
            }

            /// Ours to theirs, whole way and work alone.
            private func ratios(_ ours: [String: JSONValue], _ peers: [String: JSONValue]) -> JSONValue {
                var ratios: [String: JSONValue] = [:]
                for (name, peer) in peers {
                    for store in ["sqlite", "postgresql"] {
                        for measure in ["per_s", "work_per_s"] {
                            guard let own = ours[store]?[measure]?.double, let other = peer[measure]?.double, other > 0 else { continue }
                            ratios["\(store) / \(name), \(measure)"] = .number((own / other * 100).rounded() / 100)
                        }
                    }
                }
                return .object(ratios)
            }
        }
    }
#endif
