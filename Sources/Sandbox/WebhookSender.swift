import Conversation
import Logging
import ServiceLifecycle
import Synchronization

/// What the gateway said to a webhook.
struct GatewayAnswer: Sendable {
    /// 0 when there was no answer.
    var status: Int
    var body: JSONValue

    static func unanswered(_ reason: String) -> GatewayAnswer { GatewayAnswer(status: 0, body: .string(reason)) }
}

/// Signs webhooks and posts them to the gateway as the platform does: again and again until it answers 200.
final class WebhookSender: Sendable {
    private struct Job {
        let bodies: [JSONValue]
        let generation: Int
    }

    private struct State {
        var gateway: LoopbackAddress
        /// Grows with each reset; jobs of an older generation are given up.
        var generation = 0
    }

    private static let firstPause: Duration = .milliseconds(50)
    private static let longestPause: Duration = .seconds(2)

    private let state: Mutex<State>
    private let secret: [UInt8]?
    private let ledger: Ledger?
    private let clock: any WallClock
    private let logger: Logger
    private let client = LoopbackClient()
    // Unbounded: a status must not get lost, and their number is bounded by the sends the gateway itself makes.
    private let jobs = AsyncStream.makeStream(of: Job.self, bufferingPolicy: .unbounded)

    init(gateway: LoopbackAddress, secret: [UInt8]?, ledger: Ledger?, clock: any WallClock, logger: Logger) {
        state = Mutex(State(gateway: gateway))
        self.secret = secret
        self.ledger = ledger
        self.clock = clock
        self.logger = logger
    }

    var gateway: LoopbackAddress {
        get { state.withLock { $0.gateway } }
        set { state.withLock { $0.gateway = newValue } }
    }

    /// Forgets what is still waiting to be posted.
    func reset() { state.withLock { $0.generation += 1 } }

    /// Posts the bodies one after the other in the background, each until it is acknowledged.
    func enqueue(_ bodies: [JSONValue]) {
        jobs.continuation.yield(Job(bodies: bodies, generation: state.withLock { $0.generation }))
    }

    /// Works off what is enqueued, until it is cancelled.
    func run() async {
        await withDiscardingTaskGroup { group in
            for await job in jobs.stream {
                group.addTask { await self.work(job) }
            }
        }
    }

    private func work(_ job: Job) async {
        for body in job.bodies {
            do {
                _ = try await postUntilAccepted(body, generation: job.generation)
            } catch {
                logger.debug("webhooks given up", metadata: ["reason": "\(error)"])
                return
            }
        }
    }

    /// Throws `CancellationError` when the sandbox stops or is reset in between.
    func postUntilAccepted(_ body: JSONValue) async throws -> GatewayAnswer {
        try await postUntilAccepted(body, generation: state.withLock { $0.generation })
    }

    private func postUntilAccepted(_ body: JSONValue, generation: Int) async throws -> GatewayAnswer {
        var pause = Self.firstPause
        var isFirst = true
        while state.withLock({ $0.generation }) == generation {
            let answer = await post(body)
            if answer.status == 200 { return answer }
            // Said once for each webhook: a gateway that is down for a minute is no reason to fill the log.
            if isFirst { logger.warning("a webhook was not accepted and is repeated", metadata: ["status": "\(answer.status)"]) }
            isFirst = false
            let deadline = clock.now + pause
            try await cancelWhenGracefulShutdown { try await self.clock.sleep(until: deadline) }
            pause = min(pause * 2, Self.longestPause)
        }
        throw CancellationError()
    }

    /// Posts once.
    func post(_ body: JSONValue, signed: Bool = true) async -> GatewayAnswer {
        await post(bytes: CanonicalJSON.bytes(body), items: MetaWebhook.items(in: body), signed: signed)
    }

    /// Posts these very bytes once.
    func post(bytes: [UInt8], items: [AcknowledgedItem], signed: Bool) async -> GatewayAnswer {
        var headers = [(name: "Content-Type", value: "application/json"), (name: "User-Agent", value: "switchboard-sandbox")]
        if signed, let secret { headers.append(("X-Hub-Signature-256", Signatures.meta(body: bytes, secret: secret))) }
        let gateway = gateway
        do {
            let answer = try await cancelWhenGracefulShutdown { [client, headers] in
                try await client.send(
                    "POST", port: gateway.port, target: gateway.path + SandboxInstance.webhookPath, headers: headers, body: bytes)
            }
            if answer.status == 200 { try await ledger?.recordAcknowledged(items, at: clock.now) }
            return GatewayAnswer(
                status: answer.status, body: JSONText.read(answer.body) ?? .string(String(decoding: answer.body, as: UTF8.self)))
        } catch {
            logger.debug("a webhook was not answered", metadata: ["gateway": "\(gateway)", "error": "\(error)"])
            return .unanswered("\(gateway) did not answer: \(error)")
        }
    }
}
