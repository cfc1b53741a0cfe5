import Conversation

/// Ends the handling of a request with the answer that it gets.
struct Refusal: Error {
    let response: ChannelResponse

    init(_ status: Int, _ title: String, detail: String? = nil, headers: [String: String] = [:]) {
        response = .problem(status, title, detail: detail, headers: headers)
    }

    /// A body that is JSON and not what is taken, with every place that is wrong (RFC 9457, `errors`).
    init(invalid problems: [BodyProblem]) {
        let errors = problems.map { problem -> JSONValue in ["pointer": .string(problem.pointer), "message": .string(problem.message)] }
        let body: JSONValue = ["type": "about:blank", "title": "The body is not valid", "status": 422, "errors": .array(errors)]
        response = ChannelResponse(status: 422, contentType: "application/problem+json", body: CanonicalJSON.bytes(body))
    }

    /// Whoever is told so comes again; the cause is logged where it happened.
    static let unavailable = Refusal(503, "The gateway cannot do this right now", headers: ["Retry-After": "1"])
    static let unauthorized = Refusal(
        401, "The token is missing, wrong or expired", headers: ["WWW-Authenticate": "Bearer"])

    static func tooMany(_ what: String, wait: Duration) -> Refusal {
        let seconds = max(1, (wait.milliseconds + 999) / 1000)
        return Refusal(429, "Too many \(what)", headers: ["Retry-After": String(seconds)])
    }
}

/// What is wrong at one place of a body.
struct BodyProblem: Sendable, Hashable {
    /// A JSON Pointer (RFC 6901); empty for the whole body.
    var pointer: String
    var message: String
}
