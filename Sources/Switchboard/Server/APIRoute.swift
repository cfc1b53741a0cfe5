import Conversation
import Storage

/// Who may call a route. A route cannot be mounted without one of these.
enum Access: Sendable, Hashable {
    case anyone
    /// The channel itself tells callers apart; the text says how.
    case channel(String)
    case operatorKey
    /// A brand's key of this role or a higher one.
    case brand(Role)
    /// The same, or the token of a visitor, who then sees only what is the visitor's own.
    case brandOrVisitor(Role)

    var name: String {
        switch self {
        case .anyone: "anyone"
        case .channel(let how): "channel:\(how)"
        case .operatorKey: "operator"
        case .brand(let role): "brand:\(role.rawValue)"
        case .brandOrVisitor(let role): "brand:\(role.rawValue)+visitor"
        }
    }
}

enum Caller: Sendable, Hashable {
    case anonymous
    case operatorKey
    case brand(BrandID, Role)
    case visitor(Visitor)
}

struct APIRequest: Sendable {
    var parameters: [String: String]
    var query: [String: String]
    var headers: @Sendable (String) -> [String]
    var body: [UInt8]
    var caller: Caller
    /// Who connected, or on whose behalf a trusted proxy did; nil when the connection is gone already.
    var remoteAddress: String?

    /// The brand of the key or token; only routes with `Access.brand` or `Access.brandOrVisitor` have one.
    func brand() throws -> BrandID {
        switch caller {
        case .brand(let brand, _): return brand
        case .visitor(let visitor): return visitor.brand
        case .anonymous, .operatorKey: throw APIError(500, "A route without a brand asked for one")
        }
    }

    /// Whether the caller is a customer, who sees less than the brand.
    var isVisitor: Bool { if case .visitor = caller { true } else { false } }

    /// Whether the caller may see that session's conversation: a brand all of its own, a visitor only the visitor's.
    func maySee(_ session: SessionRecord) -> Bool {
        switch caller {
        case .brand: true
        case .visitor(let visitor): session.user == visitor.user && session.instance == visitor.instance
        case .anonymous, .operatorKey: false
        }
    }

    /// The id in the path. Anything else than an id names nothing that exists.
    func id(_ name: String = "id") throws -> UniqueID {
        guard let id = parameters[name].flatMap({ UniqueID($0) }) else { throw APIError.notFound }
        return id
    }

    /// `?limit=` (1 to 200, 50 when absent) and `?after=`.
    func page() throws -> (limit: Int, after: UniqueID?) {
        let limit = try limit()
        let after = try query["after"].map { text in
            guard let id = UniqueID(text) else { throw APIError(400, "after is the id of the last item of the page before") }
            return id
        }
        return (limit, after)
    }

    /// `?limit=` (1 to 200, 50 when absent).
    func limit() throws -> Int {
        guard let text = query["limit"] else { return 50 }
        guard let limit = Int(text), (1...200).contains(limit) else { throw APIError(400, "limit is a number from 1 to 200") }
        return limit
    }
}

struct APIRoute: Sendable {
    var method: String
    var path: String
    var access: Access
    var summary: String
    var maxBodyBytes = 0
    /// Whether a connection that calls this may also hold a stream for hours.
    var isBesideStreams = false
    var handle: @Sendable (APIRequest) async throws -> ChannelResponse
}

/// An error with its answer.
struct APIError: Error {
    let status: Int
    let title: String
    /// What stands beside status and title, such as `code` and `errors` (RFC 9457: extension members).
    var members: [String: JSONValue] = [:]
    var headers: [String: String] = [:]

    init(_ status: Int, _ title: String) {
        self.status = status
        self.title = title
    }

    static let notFound = APIError(404, "There is no such thing")

    var response: ChannelResponse {
        var answer = ChannelResponse.problem(status, title, headers: headers)
        guard !members.isEmpty else { return answer }
        let own: [String: JSONValue] = ["type": "about:blank", "title": .string(title), "status": .integer(Int64(status))]
        answer.body = CanonicalJSON.bytes(.object(own.merging(members) { first, _ in first }))
        return answer
    }
}

extension ChannelResponse {
    static func json(_ value: JSONValue, status: Int = 200) -> ChannelResponse {
        ChannelResponse(status: status, body: CanonicalJSON.bytes(value))
    }
    static func text(_ text: String, contentType: String = "text/plain; charset=utf-8") -> ChannelResponse {
        ChannelResponse(status: 200, contentType: contentType, body: Array(text.utf8))
    }
}
