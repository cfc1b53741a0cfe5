import Conversation
import Foundation
import ServiceLifecycle

/// One request as a stand-in sees it, free of the server that carried it.
struct StandInRequest: Sendable {
    var method: String
    /// Still percent-encoded, without the query.
    var path: String
    var query: [String: String]
    /// Names in lower case.
    var headers: [String: String]
    var body: [UInt8]
    var plan = FaultPlan()

    /// The decoded parts of the path; empty ones are left out.
    var parts: [String] {
        path.split(separator: "/").map { String($0).removingPercentEncoding ?? String($0) }
    }

    /// Nil when the body is not JSON.
    var json: JSONValue? { JSONText.read(body) }

    var isWrite: Bool { ["POST", "PUT", "PATCH", "DELETE"].contains(method) }

    /// Called once by each stand-in, right before its effect: here a delay on demand passes, so that a caller who gave up still has its effect.
    /// Throws `CancellationError` when the sandbox stops meanwhile.
    func pause(clock: any WallClock) async throws {
        guard let delay = plan.fault?.delay else { return }
        try await cancelWhenGracefulShutdown { try await clock.sleep(until: clock.now + delay) }
    }
}

/// What a stand-in answers when nothing goes wrong.
struct StandInAnswer: Sendable, Equatable {
    struct Header: Sendable, Equatable {
        var name: String
        var value: String
    }

    /// A body that is too large to be held, or does not come at once.
    enum Filler: Sendable, Equatable {
        case bytes(Int)
        case endless
        /// The body's first half, and then one byte after each such wait.
        case trickle(Duration)
    }

    var status: Int
    var headers: [Header] = []
    var contentType = "application/json"
    var body: [UInt8]
    /// Says how the body is sent, or what in its place.
    var filler: Filler?

    static func json(_ status: Int, _ value: JSONValue) -> StandInAnswer {
        StandInAnswer(status: status, body: CanonicalJSON.bytes(value))
    }

    /// `application/problem+json` (RFC 9457), the form of errors of the sandbox's own routes.
    static func problem(_ status: Int, _ title: String, _ detail: String, pointer: String? = nil) -> StandInAnswer {
        var members: [String: JSONValue] = [
            "type": "about:blank", "title": .string(title), "status": .integer(Int64(status)), "detail": .string(detail),
        ]
        if let pointer { members["errors"] = [["pointer": .string(pointer), "message": .string(detail)]] }
        var answer = json(status, .object(members))
        answer.contentType = "application/problem+json"
        return answer
    }
}

/// A remote system that the sandbox plays.
protocol StandIn: Sendable {
    /// Told of each request first of all, before any fault applies. When it throws, the request is answered 500 and has no effect.
    func received(_ request: StandInRequest) async throws
    func answer(_ request: StandInRequest) async throws -> StandInAnswer
    /// What this system's answers with a bare error status look like.
    func errorBody(status: Int) -> JSONValue
}

enum JSONText {
    /// Nil when the bytes are not one JSON value.
    static func read(_ bytes: [UInt8]) -> JSONValue? {
        if bytes.isEmpty { return nil }
        return try? JSONDecoder().decode(JSONValue.self, from: Data(bytes))
    }
}
