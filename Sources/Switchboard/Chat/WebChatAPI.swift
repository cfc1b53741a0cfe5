import Conversation
import Foundation
import JSON

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// Why the web channel did not do what was asked.
enum ChatFailure: Error, CustomStringConvertible, Equatable {
    /// No answer at all.
    case unreachable(String)
    /// An answer that is a no.
    case refused(status: Int, String)
    /// The session's token counts no longer.
    case expired
    /// Full or restarting: worth another try, after so many seconds when it said so.
    case busy(after: Double?)

    /// Whether who asks may not, whatever is tried again.
    var isForbidden: Bool {
        switch self {
        case .refused(let status, _): status == 403
        case .unreachable, .expired, .busy: false
        }
    }

    var description: String {
        switch self {
        case .unreachable(let why): why
        case .refused(let status, let why): "refused (\(status)): \(why)"
        case .expired: "the session has expired"
        case .busy: "the gateway is busy"
        }
    }
}

/// The web channel's requests, as a native app makes them.
struct WebChatAPI: Sendable {
    /// What the gateway hands out for a visit.
    struct Session: Sendable {
        var token: String
        var resumeSecret: String
    }

    /// `http://host:port`, without a trailing slash.
    let base: String
    let instance: InstanceID
    let appKey: String?

    /// Opens a session, or renews one with its resume secret. Throws `ChatFailure`.
    func open(resuming secret: String?) async throws -> Session {
        var body: [String: JSONValue] = ["time_zone": .string(TimeZone.current.identifier)]
        body["locale"] = Self.locale(Configuration.environment).map(JSONValue.string)
        body["app_key"] = appKey.map(JSONValue.string)
        body["resume_secret"] = secret.map(JSONValue.string)
        let answer = try await send(request("POST", "sessions", body: .object(body)))
        guard let token = answer["token"]?.string else {
            throw ChatFailure.refused(status: 201, "the answer holds no token; is this the web channel's address?")
        }
        return Session(token: token, resumeSecret: answer["resume_secret"]?.string ?? secret ?? "")
    }

    /// The terminal's language as the web writes it, such as `en-GB`; nil when the environment names none.
    static func locale(_ environment: [String: String]) -> String? {
        let name = ["LC_ALL", "LC_MESSAGES", "LANG"].lazy.compactMap { environment[$0] }.first { !$0.isEmpty } ?? ""
        guard let match = name.firstMatch(of: /^([a-z]{2,3})(?:_([A-Z]{2}))?(?:\.|@|$)/) else { return nil }
        return match.2.map { "\(match.1)-\($0)" } ?? String(match.1)
    }

    /// Sends a line. The same `id` again is the same message. Throws `ChatFailure`.
    func say(_ line: ChatTranscript.Line, id: String, token: String) async throws {
        var body: [String: JSONValue] = ["request_id": .string(id)]
        switch line {
        case .text(let text): body["text"] = .string(text)
        case .reply(let id): body["reply"] = ["id": .string(id)]
        }
        _ = try await send(request("POST", "messages", body: .object(body), token: token))
    }

    /// The last 100 messages, oldest first. Throws `ChatFailure`.
    func messages(token: String) async throws -> [JSONValue] {
        try await send(request("GET", "messages?limit=100", token: token))["messages"]?.array ?? []
    }

    /// The request for the event stream; `lastEventID` empty begins anew.
    func events(after lastEventID: String, token: String) throws -> URLRequest {
        var request = try request("GET", "events", token: token)
        request.setValue("text/event-stream", forHTTPHeaderField: "Accept")
        if !lastEventID.isEmpty { request.setValue(lastEventID, forHTTPHeaderField: "Last-Event-ID") }
        // Longer than any pause between heart-beats.
        request.timeoutInterval = 60
        return request
    }

    private func request(_ method: String, _ path: String, body: JSONValue? = nil, token: String? = nil) throws -> URLRequest {
        guard let url = URL(string: "\(base)/web/\(instance)/\(path)") else { throw ChatFailure.unreachable("\(base) is no address") }
        var request = URLRequest(url: url)
        request.httpMethod = method
        request.timeoutInterval = 30
        if let token { request.setValue("Bearer \(token)", forHTTPHeaderField: "Authorization") }
        if let body {
            request.httpBody = Data(CanonicalJSON.bytes(body))
            request.setValue("application/json", forHTTPHeaderField: "Content-Type")
        }
        return request
    }

    private func send(_ request: URLRequest) async throws -> JSONValue {
        let (data, response): (Data, URLResponse)
        do {
            (data, response) = try await URLSession.shared.data(for: request)
        } catch let error as URLError {
            throw ChatFailure.unreachable("cannot reach \(base): \(error.localizedDescription)")
        }
        // What is no JSON explains nothing; the status still does.
        let body = (try? JSONValue(parsing: Array(data))) ?? .null
        if let failure = Self.failure(response, body) { throw failure }
        return body
    }

    /// Nil for a 2xx.
    static func failure(_ response: URLResponse, _ body: JSONValue) -> ChatFailure? {
        guard let http = response as? HTTPURLResponse else { return .unreachable("the answer is not HTTP") }
        return failure(
            status: http.statusCode, retryAfter: http.value(forHTTPHeaderField: "Retry-After"), path: http.url?.path ?? "", body)
    }

    static func failure(status: Int, retryAfter: String?, path: String, _ body: JSONValue) -> ChatFailure? {
        switch status {
        case 200..<300: return nil
        case 401 where !path.hasSuffix("/sessions"): return .expired
        case 429, 503: return .busy(after: retryAfter.flatMap(Double.init))
        default:
            let words = [body["title"]?.string, body["detail"]?.string].compactMap { $0 }.joined(separator: ": ")
            return .refused(status: status, words.isEmpty ? "no reason given" : words)
        }
    }
}
