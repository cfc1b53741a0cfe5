import Conversation
import Synchronization

/// Whether the gateway accepts: false before the store is open, once a shutdown has begun, and, on a node that shares the installation's
/// store with others, while that store has not taken a write for eight seconds. A balancer then asks another node, which may reach it. A
/// shorter absence is told to each request (503), and so is that of a store of some brands only: the other brands go on here.
final class Readiness: Sendable {
    private struct State {
        var isOpen = false
        var answeredAt: ContinuousClock.Instant?
    }

    /// Longer than a sign of life and its repetition take.
    static let patience = Duration.seconds(8)
    private let state = Mutex(State())

    var isOpen: Bool {
        get { state.withLock { $0.isOpen } }
        set { state.withLock { $0.isOpen = newValue } }
    }

    /// The shared store took a write. Whoever never calls this is not judged by it.
    func storeAnswered(at now: ContinuousClock.Instant = .now) { state.withLock { $0.answeredAt = now } }

    /// Nil when ready, else why not.
    func obstacle(at now: ContinuousClock.Instant = .now) -> String? {
        state.withLock { state in
            if !state.isOpen { return "Not ready" }
            guard let answeredAt = state.answeredAt, now - answeredAt > Self.patience else { return nil }
            return "The store cannot be reached"
        }
    }
}

enum HealthRoutes {
    static func make(readiness: Readiness, metrics: PrometheusMetrics) -> [APIRoute] {
        [
            APIRoute(method: "GET", path: "/healthz", access: .anyone, summary: "The process lives") { _ in .json(["status": "ok"]) },
            APIRoute(method: "GET", path: "/readyz", access: .anyone, summary: "Intake accepts") { _ in
                guard let obstacle = readiness.obstacle() else { return .json(["status": "ready"]) }
                return .problem(503, obstacle, headers: ["Retry-After": "1"])
            },
            APIRoute(method: "GET", path: "/metrics", access: .operatorKey, summary: "Prometheus metrics") { _ in
                .text(metrics.text, contentType: "text/plain; version=0.0.4; charset=utf-8")
            },
        ]
    }
}

/// A description of every route, made from the routes themselves.
enum OpenAPIRoute {
    static func make(_ routes: [APIRoute]) -> APIRoute {
        var own = APIRoute(method: "GET", path: "/openapi.json", access: .anyone, summary: "This description") { _ in .json(.null) }
        let document = CanonicalJSON.bytes(document(routes + [own]))
        own.handle = { _ in ChannelResponse(status: 200, body: document) }
        return own
    }

    private static func document(_ routes: [APIRoute]) -> JSONValue {
        var paths: [String: JSONValue] = [:]
        for route in routes {
            var operation: [String: JSONValue] = [
                "summary": .string(route.summary), "x-access": .string(route.access.name),
                "responses": ["default": ["description": "JSON, or application/problem+json (RFC 9457)"]],
            ]
            let names = route.path.split(separator: "/").filter { $0.hasPrefix("{") }.map { String($0.dropFirst().dropLast()) }
            operation["parameters"] = .array(
                names.map { ["name": .string($0), "in": "path", "required": true, "schema": ["type": "string"]] })
            switch route.access {
            case .operatorKey, .brand, .brandOrVisitor: operation["security"] = [["key": []]]
            case .anyone, .channel: break
            }
            var item = paths[route.path]?.object ?? [:]
            item[route.method.lowercased()] = .object(operation)
            paths[route.path] = .object(item)
        }
        return [
            "openapi": "3.1.0", "info": ["title": "Switchboard", "version": .string(Version.current)], "paths": .object(paths),
            "components": ["securitySchemes": ["key": ["type": "http", "scheme": "bearer"]]],
        ]
    }
}
