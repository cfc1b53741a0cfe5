import Conversation
import Synchronization

/// Whether the gateway accepts: false before the store is open and once a shutdown has begun.
final class Readiness: Sendable {
    private let ready = Mutex(false)
    var isReady: Bool {
        get { ready.withLock { $0 } }
        set { ready.withLock { $0 = newValue } }
    }
}

enum HealthRoutes {
    static func make(readiness: Readiness, metrics: PrometheusMetrics) -> [APIRoute] {
        [
            APIRoute(method: "GET", path: "/healthz", access: .anyone, summary: "The process lives") { _ in .json(["status": "ok"]) },
            APIRoute(method: "GET", path: "/readyz", access: .anyone, summary: "Intake accepts") { _ in
                readiness.isReady ? .json(["status": "ready"]) : .problem(503, "Not ready", headers: ["Retry-After": "1"])
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
            "openapi": "3.1.0", "info": ["title": "Switchboard", "version": "0.1.0"], "paths": .object(paths),
            "components": ["securitySchemes": ["key": ["type": "http", "scheme": "bearer"]]],
        ]
    }
}
