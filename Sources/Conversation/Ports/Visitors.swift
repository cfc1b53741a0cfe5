/// People who come to a channel that has to make their identities itself, such as a web page.
package protocol Visitors: Sendable {
    /// Lets somebody in: finds or makes the user and the running session, and hands out a token. A resume secret that opens nothing (made
    /// up, expired, of another instance) makes a new guest. Throws when it could not be stored.
    func open(_ request: VisitRequest, at instance: InstanceConfiguration) async throws -> Visit
    /// Whose token this is at that instance; nil when there is none or it has expired.
    func visitor(token: String, at instance: InstanceConfiguration) async throws -> Visitor?
}

/// Who comes, as far as the channel proved it.
package struct VisitRequest: Sendable {
    package enum Proof: Sendable {
        /// With the secret of an earlier visit, or none.
        case guest(resumeSecret: String?)
        /// Named by a token that the brand signed.
        case signedIn(Sender)
    }

    package var proof: Proof
    /// BCP 47.
    package var locale: String?
    /// IANA.
    package var timeZone: String?

    package init(proof: Proof, locale: String? = nil, timeZone: String? = nil) {
        self.proof = proof
        self.locale = locale
        self.timeZone = timeZone
    }
}

/// What a visitor is handed.
package struct Visit: Sendable {
    /// 256 random bits, base64url; only its hash is stored.
    package var token: String
    /// A guest's way back, as strong as the token; nil for who signed in.
    package var resumeSecret: String?
    package var expiresAt: Timestamp
    package var user: User
    package var session: SessionID

    package init(token: String, resumeSecret: String?, expiresAt: Timestamp, user: User, session: SessionID) {
        self.token = token
        self.resumeSecret = resumeSecret
        self.expiresAt = expiresAt
        self.user = user
        self.session = session
    }
}

/// Somebody whose token was good.
package struct Visitor: Sendable, Hashable {
    package var brand: BrandID
    package var instance: InstanceID
    package var user: UserID
    /// Under which the intake finds the user again.
    package var identifier: Identifier

    package init(brand: BrandID, instance: InstanceID, user: UserID, identifier: Identifier) {
        self.brand = brand
        self.instance = instance
        self.user = user
        self.identifier = identifier
    }
}

/// What a conversation (a user at an instance) shows, numbered from 1 without gaps. The gateway adds to it in the transactions that make
/// things true; a channel only reads.
package protocol ConversationFeed: Sendable {
    /// Events with a higher number, oldest first. When some of them are no longer kept, `isComplete` is false and the reader must load the
    /// messages anew.
    func events(of visitor: Visitor, after sequence: Int64, limit: Int) async throws -> FeedPage
    /// The number of the newest event, 0 when there is none.
    func newest(of visitor: Visitor) async throws -> Int64
    /// Calls `ring` until the subscription is given up: with `changed` at least once after every event added from now on; several may be
    /// one call. `ring` is called by whoever made the news, so it must return at once.
    func subscribe(to visitor: Visitor, ring: @escaping @Sendable (FeedSignal) -> Void) -> FeedSubscription
    /// Tells who is looking that somebody writes; best effort, not kept.
    func typing(instance: InstanceConfiguration, user: UserID)
    /// Messages of both directions of every session, oldest first: those after `after`, or the last ones when it is nil.
    func messages(of visitor: Visitor, after: MessageID?, limit: Int) async throws -> [FeedMessage]
}

package enum FeedSignal: Sendable, Hashable {
    case changed
    case typing
}

/// Somebody who looks at a feed. It ends with `cancel`, or when nobody holds it any more.
package final class FeedSubscription: Sendable {
    private let end: @Sendable () -> Void

    /// `end` may be called more than once.
    package init(end: @escaping @Sendable () -> Void) { self.end = end }
    deinit { end() }

    package func cancel() { end() }
}

package struct FeedPage: Sendable {
    package var events: [FeedEvent]
    package var isComplete: Bool

    package init(events: [FeedEvent], isComplete: Bool) {
        self.events = events
        self.isComplete = isComplete
    }
}

package struct FeedEvent: Sendable, Hashable {
    package enum Kind: String, Sendable, Codable, CaseIterable {
        /// `FeedMessage.json`.
        case message
        /// `StreamingUpdate.json`.
        case update
        /// `{"state": "open" | "closed"}`.
        case handover
    }

    package var sequence: Int64
    package var kind: Kind
    package var body: JSONValue

    package init(sequence: Int64, kind: Kind, body: JSONValue) {
        self.sequence = sequence
        self.kind = kind
        self.body = body
    }
}

package struct FeedMessage: Sendable, Hashable {
    package var id: MessageID
    package var isInbound: Bool
    /// `Content.json` or `OutboundContent.json`.
    package var content: JSONValue
    package var at: Timestamp

    package init(id: MessageID, isInbound: Bool, content: JSONValue, at: Timestamp) {
        self.id = id
        self.isInbound = isInbound
        self.content = content
        self.at = at
    }

    package var json: JSONValue {
        [
            "id": .string(id.description), "direction": isInbound ? "in" : "out", "content": content,
            "at": .string(at.description),
        ]
    }
}

/// Reads tokens that somebody else signed (RFC 7519), for channels, which do not link a crypto library themselves.
package protocol TokenReader: Sendable {
    /// The claims of a token whose signature and times are good. Throws `TokenError`.
    func claims(of token: String, rules: TokenRules) async throws -> JSONValue
}

/// What a token must fulfil. `exp` is always required.
package struct TokenRules: Sendable {
    package enum Key: Sendable {
        /// At least 32 bytes (RFC 7518).
        case hs256(Secret)
        /// A public key as PEM.
        case rs256(String)
        case es256(String)
    }

    /// Also says the one algorithm that is taken.
    package var key: Key
    package var audience: String
    package var issuer: String?

    package init(key: Key, audience: String, issuer: String? = nil) {
        self.key = key
        self.audience = audience
        self.issuer = issuer
    }
}

package enum TokenError: Error, Sendable, Hashable {
    case malformed
    case wrongSignature
    case wrongAlgorithm
    case expired
    case notYetValid
    case wrongAudience
    case wrongIssuer
    /// The configured key cannot be used.
    case unusableKey(String)
}
