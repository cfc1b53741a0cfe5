import Conversation
import JSON

/// An error answer of the Graph API, as far as it can be read.
struct GraphError {
    let status: Int
    let body: JSONView
    /// Meta's code; nil when the answer has none.
    let code: Int?
    private let retryAfterHeader: String?

    init(_ answer: HTTPAnswer) {
        status = answer.status
        retryAfterHeader = answer.header("retry-after")
        do {
            body = try JSONDocument.parse(answer.body).root
        } catch {
            // A body that is no JSON says nothing; the status alone decides then.
            body = .missing
        }
        code = body["error"]["code"].int
    }

    /// The code under which operators find it.
    var name: String { code.map(String.init) ?? "http_\(status)" }

    /// For operators: Meta's message and details. Holds no text of the customer.
    var text: String {
        let error = body["error"]
        let words = [error["message"].string, error["error_data"]["details"].string].compactMap(\.self)
        return "HTTP \(status)" + (code.map { ", code \($0)" } ?? "") + (words.isEmpty ? "" : ": " + words.joined(separator: " – "))
    }

    var isRateLimit: Bool { code.map { Self.rateLimits[$0] != nil } ?? false }

    var reaction: ChannelError.Reaction { code.map(Self.reaction) ?? (status == 401 ? .reauthorize : .never) }

    /// What the answer says, else what the exceeded limit suggests.
    var retryAfter: Duration? {
        if let seconds = retryAfterHeader.flatMap({ Int64($0) }), seconds >= 0 { return .seconds(min(seconds, 86_400)) }
        return code.flatMap { Self.rateLimits[$0] }
    }

    /// Codes that say "too much": nothing was sent. Each with the wait that its limit suggests: calls of an app, a user or an account per
    /// hour; messages per second of a number; one message per 6 seconds to one customer; messages held back because many were blocked.
    private static let rateLimits: [Int: Duration] = [
        4: .seconds(60), 17: .seconds(60), 613: .seconds(60), 80_007: .seconds(60), 130_429: .seconds(1), 131_056: .seconds(6),
        131_048: .seconds(3600), 133_016: .seconds(3600),
    ]

    /// What to do about a code of Meta's, in an answer or in a failed status.
    static func reaction(to code: Int) -> ChannelError.Reaction {
        if rateLimits[code] != nil { return .retry }
        switch code {
        // Trouble on Meta's side, or an account that is being moved.
        case 1, 2, 131_000, 131_016, 131_057: return .retry
        // More than 24 hours since the customer wrote.
        case 131_047: return .askForTemplate
        // The customer stopped marketing messages.
        case 131_050: return .stopContact
        // A template paused for its quality, or disabled for good.
        case 132_015, 132_016: return .pauseTemplate
        // Token gone, or without the permission.
        case 0, 3, 10, 102, 104, 190, 200...299, 131_005: return .reauthorize
        // Account restricted or locked, payment missing, number or name not set up: nobody's messages go out until a person acts.
        case 368, 131_031, 131_037, 131_042, 131_045, 133_010: return .page
        // Undeliverable, held back by Meta, a user id that this message may not go to, malformed: the same message can never go.
        default: return .never
        }
    }
}
