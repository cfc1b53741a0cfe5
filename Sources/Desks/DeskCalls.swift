import Conversation
import HTTPCalls
import JSON

/// The calls of one desk, and what may be believed of each.
///
/// A call that only looks has no outcome that matters to the ticket system: whatever goes wrong with it is *not done*, so that asking again
/// is the answer, unless the desk said no. A call that changes something is *unknown* as soon as bytes may have left and no clear word came.
struct DeskCalls: Sendable {
    let configuration: DeskConfiguration
    let http: any HTTPClient
    let clock: any WallClock

    /// What a status means at this desk where it is not what it usually means.
    typealias Meaning = @Sendable (HTTPAnswer) -> DeskError.Outcome?

    /// A request as a driver describes it.
    struct Request: Sendable {
        var method: String
        /// What follows the root of the API: `/tickets/7`; empty for the root itself.
        var path: String
        var query: [(name: String, value: String)] = []
        var headers: [(name: String, value: String)] = []
        var body: [UInt8]?
        /// Whether 404 and 410 mean that the ticket is gone, rather than that the address is wrong.
        var isAboutTicket = false
        /// Most bytes of the answer that are read.
        var maxAnswer = 1_048_576
        var meaning: Meaning = { _ in nil }
        /// For a POST that asks and changes nothing.
        var isQuestion = false

        var changesNothing: Bool { isQuestion || method == "GET" }

        static func get(_ path: String, _ query: [(name: String, value: String)] = [], isAboutTicket: Bool = false) -> Request {
            Request(method: "GET", path: path, query: query, isAboutTicket: isAboutTicket)
        }

        static func json(_ method: String, _ path: String, _ body: JSONValue, isAboutTicket: Bool = false) -> Request {
            Request(
                method: method, path: path, headers: [("Content-Type", "application/json")], body: CanonicalJSON.bytes(body),
                isAboutTicket: isAboutTicket)
        }
    }

    /// The answer of a call that succeeded (2xx).
    func answer(to request: Request) async throws(DeskError) -> HTTPAnswer {
        let result = await http.call(call(request))
        switch result {
        case .failed(let failure): throw error(of: failure, request)
        case .answer(let answer) where (200...299).contains(answer.status): return answer
        case .answer(let answer): throw error(of: answer, request)
        }
    }

    /// The JSON of a call that succeeded. A success whose text cannot be read leaves open what happened.
    func json(_ request: Request) async throws(DeskError) -> JSONView {
        let answer = try await answer(to: request)
        do {
            return try JSONDocument.parse(answer.body).root
        } catch {
            throw unreadable(request, "\(error)")
        }
    }

    /// For an answer that is JSON, but not what the desk's documentation says.
    func unreadable(_ request: Request, _ what: String) -> DeskError {
        DeskError(request.changesNothing ? .notDone : .unknown, "\(request.method) \(request.path): an answer that cannot be read: \(what)")
    }

    private func call(_ request: Request) -> HTTPCall {
        var url = configuration.baseURL + request.path
        if !request.query.isEmpty { url += "?" + PercentEncoding.query(request.query) }
        return HTTPCall(
            method: request.method, url: url, headers: [("Accept", "application/json")] + request.headers, body: request.body,
            timeout: configuration.timeout, maxResponseBytes: request.maxAnswer, pool: "desk-\(configuration.id)",
            maxConcurrent: configuration.maxConcurrent, allowPrivateAddresses: configuration.allowPrivateAddresses)
    }

    private func error(of failure: HTTPFailure, _ request: Request) -> DeskError {
        let detail = "\(request.method) \(request.path): \(failure.kind.rawValue): \(failure.detail)"
        switch failure.kind {
        case .invalidRequest, .forbiddenAddress: return DeskError(.refused, detail)
        case .resolve, .connect, .tls, .timeout, .tooLarge, .reset, .secondPass, .cancelled, .protocolError, .breakerOpen:
            return DeskError(failure.mayHaveBeenSent && !request.changesNothing ? .unknown : .notDone, detail)
        }
    }

    private func error(of answer: HTTPAnswer, _ request: Request) -> DeskError {
        DeskError(
            request.meaning(answer) ?? outcome(of: answer.status, request),
            // What it said may quote what it was sent, which is a customer's.
            "\(request.method) \(request.path): status \(answer.status) with \(answer.body.count) bytes",
            retryAfter: RetryAfter.read(answer, now: clock.now))
    }

    private func outcome(of status: Int, _ request: Request) -> DeskError.Outcome {
        switch status {
        case 404, 410: request.isAboutTicket ? .gone : .refused
        // The other side gave up before it had the whole request, or would not begin.
        case 408, 425, 429: .notDone
        case 400...499: .refused
        // A redirect is not followed; whoever only looked can be told that the address is wrong.
        case 300...399: request.changesNothing ? .refused : .unknown
        default: request.changesNothing ? .notDone : .unknown
        }
    }
}
