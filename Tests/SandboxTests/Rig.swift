import Conversation
import Hummingbird
import Logging
import NIOCore
import Synchronization
import Testing

@testable import Sandbox

/// Time that stands still. A sleeper either moves it forward at once, or waits to be released.
final class StandingClock: WallClock {
    private struct State {
        var now: Timestamp
        var isHolding = false
        var sleepers: [CheckedContinuation<Void, Never>] = []
    }

    private let state: Mutex<State>
    /// Says that somebody has begun to wait.
    let sleeps = AsyncStream.makeStream(of: Duration.self, bufferingPolicy: .unbounded)

    init(_ text: String = "2026-11-20T15:00:00Z") { state = Mutex(State(now: Timestamp(text) ?? Timestamp(seconds: 0))) }

    var now: Timestamp { state.withLock { $0.now } }
    func hold() { state.withLock { $0.isHolding = true } }

    func release() {
        let sleepers = state.withLock { state in
            state.isHolding = false
            defer { state.sleepers = [] }
            return state.sleepers
        }
        for sleeper in sleepers { sleeper.resume() }
    }

    func sleep(until deadline: Timestamp) async throws {
        let wait = deadline - now
        await withCheckedContinuation { continuation in
            let goesOn = state.withLock { state in
                state.now = max(state.now, deadline)
                if state.isHolding { state.sleepers.append(continuation) }
                return !state.isHolding
            }
            sleeps.continuation.yield(wait)
            if goesOn { continuation.resume() }
        }
        try Task.checkCancellation()
    }
}

/// The machine's own clock, which says when somebody begins to wait.
struct AnnouncingClock: WallClock {
    let onSleep: @Sendable () -> Void
    var now: Timestamp { SystemClock().now }

    func sleep(until deadline: Timestamp) async throws {
        onSleep()
        try await SystemClock().sleep(until: deadline)
    }
}

/// A webhook as it reached the gateway.
struct ReceivedWebhook: Sendable {
    let path: String
    let signature: String?
    var headers: [String: String] = [:]
    let body: [UInt8]
    func header(_ name: String) -> String? { headers[name] }
    var json: JSONValue { JSONText.read(body) ?? .null }
    var message: JSONValue { json.at(pointer: "/entry/0/changes/0/value/messages/0") ?? .null }
    var status: JSONValue { json.at(pointer: "/entry/0/changes/0/value/statuses/0") ?? .null }
}

/// Plays the gateway: keeps what arrives, and answers with the ordered refusals first.
final class ReceivingGateway: HTTPResponder {
    typealias Context = BasicRequestContext

    private let refusals = Mutex(0)
    private let arrivals = AsyncStream.makeStream(of: ReceivedWebhook.self, bufferingPolicy: .unbounded)

    func refuse(next count: Int) { refusals.withLock { $0 = count } }

    func webhooks() -> AsyncStream<ReceivedWebhook>.Iterator { arrivals.stream.makeAsyncIterator() }

    func respond(to request: Request, context: BasicRequestContext) async throws -> Response {
        let body = try await request.body.collect(upTo: 1 << 20)
        let signature = request.headers.first { $0.name.canonicalName == "x-hub-signature-256" }?.value
        let refused = refusals.withLock { left in
            guard left > 0 else { return false }
            left -= 1
            return true
        }
        let headers = Dictionary(request.headers.map { ($0.name.canonicalName, $0.value) }) { first, _ in first }
        arrivals.continuation.yield(
            ReceivedWebhook(path: request.uri.path, signature: signature, headers: headers, body: Array(body.readableBytesView)))
        if refused { return Response(status: .serviceUnavailable) }
        return Response(status: .ok, body: ResponseBody(byteBuffer: ByteBuffer(string: #"{"accepted":1}"#)))
    }
}

/// A running sandbox, a gateway that receives its webhooks, and a way to call it.
struct Rig: Sendable {
    static let secrets = [
        "WHATSAPP_APP_SECRET": "an app secret for tests", "SALON_API_TOKEN": "salon-token", "JOBS_API_TOKEN": "jobs-token",
        "SALON_WHATSAPP_TOKEN": "salon-graph", "JOBS_WHATSAPP_TOKEN": "jobs-graph",
    ]

    let port: Int
    let gateway: ReceivingGateway
    let clock: StandingClock

    static func run(
        environment: [String: String] = secrets, stateDirectory: String? = nil,
        _ body: @escaping @Sendable (Rig) async throws -> Void
    ) async throws {
        let gateway = ReceivingGateway()
        let clock = StandingClock()
        var quiet = Logger(label: "test")
        quiet.logLevel = .critical
        let logger = quiet
        try await withThrowingTaskGroup(of: Void.self) { group in
            let ports = AsyncStream.makeStream(of: Int.self)
            var started = ports.stream.makeAsyncIterator()
            let application = Application(
                responder: gateway, configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: 0)),
                onServerRunning: { ports.continuation.yield($0.localAddress?.port ?? 0) }, logger: logger)
            group.addTask { try await OrderlyServer.run(application, logger: logger) }
            let gatewayPort = try #require(await started.next())
            let sandbox = SandboxServer(
                port: 0, gateway: "http://127.0.0.1:\(gatewayPort)", environment: environment, logger: logger,
                stateDirectory: stateDirectory, clock: clock, onStart: { ports.continuation.yield($0) })
            group.addTask { try await sandbox.run() }
            let port = try #require(await started.next())
            defer { group.cancelAll() }
            try await body(Rig(port: port, gateway: gateway, clock: clock))
            clock.release()
        }
    }

    func call(
        _ method: String, _ target: String, _ json: JSONValue? = nil, token: String? = nil, headers: [(name: String, value: String)] = [],
        largest: Int = 64 << 20
    ) async throws -> HTTPAnswer {
        var headers = headers
        if let token { headers.append(("Authorization", "Bearer \(token)")) }
        return try await LoopbackClient(largestAnswer: largest).send(
            method, port: port, target: target, headers: headers, body: json.map(CanonicalJSON.bytes) ?? [])
    }

    func salon(_ method: String, _ path: String, _ json: JSONValue? = nil, key: String? = nil) async throws -> HTTPAnswer {
        try await call(method, "/salon" + path, json, token: "salon-token", headers: key.map { [("Idempotency-Key", $0)] } ?? [])
    }

    func jobs(_ method: String, _ path: String, _ json: JSONValue? = nil) async throws -> HTTPAnswer {
        try await call(method, "/jobs" + path, json, token: "jobs-token")
    }

    func graph(_ json: JSONValue) async throws -> HTTPAnswer {
        try await call("POST", "/graph/v23.0/106540352242922/messages", json, token: "salon-graph")
    }

    func fault(_ json: JSONValue) async throws {
        let answer = try await call("POST", "/_sandbox/faults", json)
        try #require(answer.status == 201, "\(answer.json)")
    }

    func say(_ json: JSONValue) async throws -> HTTPAnswer { try await call("POST", "/_sandbox/say", json) }

    func bookingCount() async throws -> Int {
        try await call("GET", "/_sandbox/state").json.at(pointer: "/salon/bookings")?.array?.count ?? -1
    }
}

extension HTTPAnswer {
    var json: JSONValue { JSONText.read(body) ?? .null }
}

/// A Tuesday morning in the salon's time zone, in the future of the standing clock.
func booking(start: String = "2026-11-24T15:00:00Z", customer: String = "customer-1", service: String = "svc-haircut") -> JSONValue {
    ["service_id": .string(service), "start": .string(start), "customer": .string(customer), "contact_phone": "+15550100100"]
}
