import Conversation
import Foundation
import Hummingbird
import Logging
import NIOCore
import ServiceLifecycle

/// Answers the commands `dead-letters` and `quarantine` over a socket that only the owner of the data directory can open.
struct ControlServer: Service {
    let path: String
    let desks: DeskRoutes
    let logger: Logger

    func run() async throws {
        try? FileManager.default.removeItem(atPath: path)
        let router = Router()
        for method in [HTTPRequest.Method.get, .post, .delete] {
            router.on("**", method: method) { request, _ in
                var query: [String: String] = [:]
                for (name, value) in request.uri.queryParameters { query[String(name)] = String(value) }
                let answer = await ControlDesk(desks: desks).answer(method: request.method.rawValue, path: request.uri.path, query: query)
                return Response(answer, requestID: UniqueID(high: 0, low: 0))
            }
        }
        // When another service cannot start, this one is cancelled and would call that an error of its own.
        var quiet = logger
        quiet.logLevel = .critical
        let app = Application(
            router: router, configuration: .init(address: .unixDomainSocket(path: path)),
            onServerRunning: { _ in chmod(path, 0o600) }, logger: quiet)
        try await app.run()
    }
}

/// What the commands may ask, whether over the socket or on a store they opened themselves.
struct ControlDesk: Sendable {
    let desks: DeskRoutes

    func answer(method: String, path: String, query: [String: String]) async -> ChannelResponse {
        do {
            return try await dispatch(method, path.split(separator: "/").map(String.init), query)
        } catch let error as APIError {
            return .problem(error.status, error.title)
        } catch {
            return .problem(503, "The store cannot answer", detail: "\(error)")
        }
    }

    private func pauseOrResume(_ word: String?, _ brands: [BrandID]) async throws -> ChannelResponse {
        guard brands.count == 1, let brand = brands.first, desks.allBrands.contains(brand) else {
            throw APIError(404, "There is no such brand")
        }
        switch word {
        case "pause": return try await desks.pause(brand)
        case "resume": return try await desks.resume(brand)
        default: throw APIError.notFound
        }
    }

    private func dispatch(_ method: String, _ parts: [String], _ query: [String: String]) async throws -> ChannelResponse {
        let brands = try query["brand"].map { name in
            guard let brand = BrandID(validating: name) else { throw APIError(400, "\(name) is no brand id") }
            return [brand]
        }
        let chosen = brands ?? desks.allBrands
        guard let limit = Int(query["limit"] ?? "100"), (1...200).contains(limit) else {
            throw APIError(400, "limit is a number from 1 to 200")
        }
        let after = query["after"].flatMap { UniqueID($0) }
        let id = parts.count > 1 ? UniqueID(parts[1]) : nil
        if parts.first == "bus" { return try await bus(method, parts.dropFirst().first, query) }
        switch (method, parts.first, id, parts.dropFirst(2).first) {
        case ("GET", "dead-letters", nil, nil): return try await desks.listDeadLetters(brands: chosen, after: after, limit: limit)
        case ("GET", "dead-letters", .some(let id), nil): return try await desks.showDeadLetter(id, brands: chosen)
        case ("POST", "dead-letters", .some(let id), "redrive"): return try await desks.redrive(id, brands: chosen)
        case ("DELETE", "dead-letters", .some(let id), nil): return try await desks.discard(id, brands: chosen)
        case ("GET", "quarantine", nil, nil): return try await desks.listQuarantine(brands: chosen, after: after, limit: limit)
        case ("GET", "quarantine", .some(let id), nil): return try await desks.showQuarantine(id, brands: chosen)
        case ("POST", "quarantine", .some(let id), "replay"): return try await desks.replay(id, brands: chosen)
        case ("GET", "queue", nil, nil): return try await desks.listBrands(chosen)
        case ("POST", "queue", nil, nil): return try await pauseOrResume(parts.last, chosen)
        default: throw APIError.notFound
        }
    }

    private func bus(_ method: String, _ what: String?, _ query: [String: String]) async throws -> ChannelResponse {
        if method == "GET", what == nil { return desks.brandsWithEvents() }
        guard let brand = query["brand"].flatMap({ BrandID(validating: $0) }), let last = query["last"].flatMap({ UniqueID($0) }) else {
            throw APIError(400, "brand and last are needed")
        }
        switch (method, what) {
        case ("GET", "waiting"): return try await desks.waitingEvents(brand, last: last)
        case ("POST", "replay"):
            guard let first = query["first"].flatMap({ UniqueID($0) }) else { throw APIError(400, "first is needed") }
            return try await desks.replayEvents(brand, first: first, last: last)
        default: throw APIError.notFound
        }
    }
}
