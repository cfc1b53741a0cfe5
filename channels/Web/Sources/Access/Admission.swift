import Conversation

/// A browser's or an app's request that may go on: to a running instance, and from an allowed origin or from none.
struct Admission: Sendable {
    let request: ChannelRequest
    let instance: InstanceConfiguration
    /// As it came; nil when the request named none.
    let origin: String?
}

extension WebChannel {
    /// Lets the work answer when instance and origin are in order, and puts on its answer what browsers need to see.
    func admit(
        _ request: ChannelRequest, _ work: (Admission) async throws(Refusal) -> ChannelResponse
    ) async -> ChannelResponse {
        guard let instance = instance(named: request.parameters["instance"]) else {
            return Self.answer(.problem(404, "There is no such instance"), to: nil)
        }
        let origin: String?
        switch OriginRules(rules: instance.settings.texts("origins")).verdict(on: request.headers("origin")) {
        case .refused: return Self.answer(.problem(403, "Pages of this origin may not talk to this instance"), to: nil)
        case .absent: origin = nil
        case .allowed(let header): origin = header
        }
        do throws(Refusal) {
            return Self.answer(try await work(Admission(request: request, instance: instance, origin: origin)), to: origin)
        } catch {
            return Self.answer(error.response, to: origin)
        }
    }

    /// Nothing of this may be kept by a cache, and only the page that asked may read it.
    private static func answer(_ response: ChannelResponse, to origin: String?) -> ChannelResponse {
        var response = response
        response.headers["Vary"] = "Origin"
        response.headers["Cache-Control"] = "no-store"
        response.headers["X-Content-Type-Options"] = "nosniff"
        if let origin {
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Expose-Headers"] = "retry-after, x-request-id"
        }
        return response
    }

    /// Answers a browser that asks whether its page may ask. No credentials: there are no cookies.
    func preflight(_ request: ChannelRequest) async -> ChannelResponse {
        await admit(request) { (admission) throws(Refusal) in
            guard admission.origin != nil else { throw Refusal(403, "A preflight request names its origin") }
            return ChannelResponse(
                status: 204,
                headers: [
                    "Access-Control-Allow-Methods": "GET, POST",
                    "Access-Control-Allow-Headers": "authorization, content-type, last-event-id",
                    "Access-Control-Max-Age": "600",
                ])
        }
    }

    /// Whose token the request carries. Throws a 401, or a 503 when it cannot be looked up.
    func visitor(_ admission: Admission) async throws(Refusal) -> (visitor: Visitor, token: String) {
        guard let token = Self.bearer(admission.request.headers("authorization")) else { throw .unauthorized }
        let found = try await Self.stored { try await visitors.visitor(token: token, at: admission.instance) }
        guard let found, found.instance == admission.instance.id else { throw .unauthorized }
        return (found, token)
    }

    /// RFC 6750, 2.1. A token in a URL would stand in logs, so it counts in the header alone.
    private static func bearer(_ headers: [String]) -> String? {
        guard headers.count == 1, let header = headers.first else { return nil }
        let parts = header.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
        let token = String(parts[1])
        return token.utf8.count <= 512 && token.consists(ofLettersDigitsAnd: "-_.~+/=") ? token : nil
    }

    /// What the gateway's stores say; when they cannot, a 503.
    static func stored<Value: Sendable>(_ work: () async throws -> Value) async throws(Refusal) -> Value {
        do {
            return try await work()
        } catch {
            // The cause is logged where it happened; the caller needs to know only that trying again makes sense.
            throw .unavailable
        }
    }

    /// Throws a 429 when the caller has used up what it has. An unknown address is not limited: it may be everybody's.
    func limit(_ kind: RequestLimits.Kind, _ caller: RequestLimits.Caller?, _ admission: Admission, perMinute: Int) throws(Refusal) {
        guard let caller, let wait = limits.wait(kind, caller, at: admission.instance.id, perMinute: perMinute) else { return }
        throw .tooMany(kind == .opens ? "sessions" : kind == .messages ? "messages" : "requests", wait: wait)
    }
}

extension Admission {
    var address: RequestLimits.Caller? { request.remoteAddress.map { .address(CallerAddress.key($0)) } }

    /// Of one visitor. Behind one address there may be an office: it may send a hundred times as many.
    var messagesPerMinute: Int { instance.settings.integer("messages_per_minute") ?? 30 }
    /// New sessions from one address.
    var opensPerMinute: Int { instance.settings.integer("opens_per_minute") ?? 120 }

    static let addressFactor = 100
    /// Histories and streams that a visitor may ask for, for each message it may send.
    static let readFactor = 10
}
