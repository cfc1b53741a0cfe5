#if Sandbox
    import Conversation
    import Foundation
    import Hummingbird
    import Logging
    import NIOCore
    import Synchronization

    /// Whole turns, from the webhook to the reply that the channel accepted.
    struct TurnBench {
        let bench: BenchGateway
        let responder: InstantResponder
        let port: Int
        let count: Int
        let connections: Int

        func run() async throws -> JSONValue {
            // A store that outlives the benchmark knows the ids of the run before.
            let run = UUID().uuidString.prefix(8)
            let requests = (0..<count).map { number in
                bench.webhooks.request(
                    path: "/webhooks/whatsapp/\(bench.webhooks.app)", sender: number, id: "turn-\(run)-\(number)", text: "show my bookings")
            }
            let load = LoadGenerator(port: port, connections: connections)
            let started = ContinuousClock.now
            let posted = try await load.run(requests)
            let acknowledged = ContinuousClock.now - started
            while responder.replies < count, ContinuousClock.now - started < .seconds(300) { try await Task.sleep(for: .milliseconds(5)) }
            let elapsed = (ContinuousClock.now - started).seconds
            try await load.close()
            return [
                "bench": "turn", "store": .string(bench.storeKind), "turns": .integer(Int64(count)),
                "acknowledged": .integer(Int64(posted.good)),
                "replies": .integer(Int64(responder.replies)), "brand_calls": .integer(Int64(responder.brandCalls)),
                "turns_per_s": .number((Double(responder.replies) / elapsed).rounded()),
                "acknowledged_after_s": .number((acknowledged.seconds * 1000).rounded() / 1000),
                "all_after_s": .number((elapsed * 1000).rounded() / 1000),
                "cores": .integer(Int64(ProcessInfo.processInfo.activeProcessorCount)),
            ]
        }
    }

    /// The other side of a benchmark: answers what a brand and the Graph API would, at once.
    final class InstantResponder: Sendable {
        let port: Int
        private let counts: Counts
        private let task: Task<Void, any Error>

        private final class Counts: Sendable {
            let replies = Atomic<Int>(0)
            let brandCalls = Atomic<Int>(0)
        }

        var replies: Int { counts.replies.load(ordering: .relaxed) }
        var brandCalls: Int { counts.brandCalls.load(ordering: .relaxed) }

        private init(port: Int, counts: Counts, task: Task<Void, any Error>) {
            (self.port, self.counts, self.task) = (port, counts, task)
        }

        static func start() async throws -> InstantResponder {
            let counts = Counts()
            // A channel gives an id once, and a store that outlives the benchmark knows those of the run before.
            let run = UUID().uuidString.prefix(8)
            let (ports, port) = AsyncStream<Int>.makeStream(bufferingPolicy: .bufferingNewest(1))
            let router = Router()
            router.post("/graph/{number}/messages") { request, _ in
                for try await _ in request.body {}
                let number = counts.replies.add(1, ordering: .relaxed).newValue
                return answer(["messaging_product": "whatsapp", "messages": [["id": .string("wamid.out-\(run)-\(number)")]]])
            }
            router.get("/salon/**") { _, _ in
                counts.brandCalls.add(1, ordering: .relaxed)
                return answer(["bookings": [], "services": [], "hours": [:]])
            }
            var quiet = Logger(label: "bench")
            quiet.logLevel = .warning
            let app = Application(
                router: router, configuration: .init(address: .hostname("127.0.0.1", port: 0)),
                onServerRunning: { port.yield($0.localAddress?.port ?? 0) }, logger: quiet)
            // Lives until `stop`: the benchmark's own scope ends earlier than its gateway.
            let task = Task { try await app.run() }
            for await number in ports { return InstantResponder(port: number, counts: counts, task: task) }
            throw StartProblem("the benchmark's responder did not start")
        }

        func stop() async throws {
            task.cancel()
            _ = await task.result
        }

        private static func answer(_ value: JSONValue) -> Response {
            Response(
                status: .ok, headers: [.contentType: "application/json"],
                body: ResponseBody(byteBuffer: ByteBuffer(bytes: CanonicalJSON.bytes(value))))
        }
    }
#endif
