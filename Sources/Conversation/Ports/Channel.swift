/// A way in and out for messages. A channel verifies and normalizes what comes, renders and sends what goes, and knows nothing else.
package protocol Channel: Sendable {
    var descriptor: ChannelDescriptor { get }
    var capabilities: ChannelCapabilities { get }
    /// Routes that the server mounts.
    var routes: [ChannelRoute] { get }
    /// What was kept raw, read again: a whole delivery, or one event that came for `account`.
    func items(replaying body: [UInt8], app: String, account: String?) -> [WebhookItem]
    /// One conversation-level message as the parts this channel can carry, in order. Never empty.
    func render(_ content: OutboundContent) -> [OutboundContent]
    /// Refuses locally, with the reason, what the channel's rules forbid (such as WhatsApp's 24-hour window); nil when it may go.
    func refusal(of content: OutboundContent, lastInboundAt: Timestamp?, now: Timestamp) -> ChannelError?
    /// Sends one part.
    func send(_ message: OutboundPart, permit: SendPermit) async -> SendOutcome
    /// Read receipt and typing, best effort; does nothing where a channel has neither.
    func signalReading(providerMessageID: String, instance: InstanceConfiguration) async
}

/// What the configuration loader and the registry must know of a channel before it is made.
package struct ChannelDescriptor: Sendable {
    package var name: ChannelName
    package var appSettings: [SettingRule]
    package var instanceSettings: [SettingRule]
    /// Under which address events for an instance arrive; nil when the channel finds instances by id.
    package var address: @Sendable (InstanceConfiguration) -> InstanceAddress?

    package init(
        name: ChannelName, appSettings: [SettingRule], instanceSettings: [SettingRule],
        address: @escaping @Sendable (InstanceConfiguration) -> InstanceAddress?
    ) {
        self.name = name
        self.appSettings = appSettings
        self.instanceSettings = instanceSettings
        self.address = address
    }
}

package struct ChannelCapabilities: Sendable {
    package var maxTextLength: Int
    package var maxButtons: Int
    package var maxListRows: Int
    /// Whether the channel itself proves who writes.
    package var provesIdentity: Bool
    /// Whether a part may be sent again under its reference without anybody seeing it twice.
    package var isRepeatable: Bool
    /// Whether conversations of this channel keep a feed (`ConversationFeed`), to which the gateway adds what is written and done.
    package var keepsFeed: Bool

    package init(
        maxTextLength: Int, maxButtons: Int, maxListRows: Int, provesIdentity: Bool, isRepeatable: Bool = false, keepsFeed: Bool = false
    ) {
        self.isRepeatable = isRepeatable
        self.keepsFeed = keepsFeed
        self.maxTextLength = maxTextLength
        self.maxButtons = maxButtons
        self.maxListRows = maxListRows
        self.provesIdentity = provesIdentity
    }
}

/// A part on its way out. `reference` travels along where the channel has a field for it and comes back in statuses.
package struct OutboundPart: Sendable {
    package var reference: MessageID
    package var instance: InstanceConfiguration
    package var recipient: [Identifier]
    package var content: OutboundContent
    package var inReplyTo: String?

    package init(
        reference: MessageID, instance: InstanceConfiguration, recipient: [Identifier], content: OutboundContent, inReplyTo: String? = nil
    ) {
        self.reference = reference
        self.instance = instance
        self.recipient = recipient
        self.content = content
        self.inReplyTo = inReplyTo
    }
}

package struct ChannelError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What to do about it.
    package enum Reaction: String, Sendable, Codable {
        case retry, never
        case stopContact = "stop_contact"
        case pauseTemplate = "pause_template"
        case reauthorize
        case askForTemplate = "ask_for_template"
        case page
    }

    package var code: String
    package var message: String
    package var reaction: Reaction

    package init(code: String, message: String, reaction: Reaction) {
        self.code = code
        self.message = message
        self.reaction = reaction
    }
    package var description: String { "\(code): \(message)" }
}

package enum SendOutcome: Sendable {
    case sent(providerMessageID: String)
    /// Certainly not sent; trying again is sensible.
    case notSent(reason: String, retryAfter: Duration?)
    case refused(ChannelError)
    /// The platform may have it. Never resent blindly; a status or a person settles it.
    case unknown(reason: String)
}

/// The policy stage's leave to send. Only code that imports `@_spi(Policy)` can make one.
package struct SendPermit: Sendable {
    package let brand: BrandID
    package let message: MessageID

    @_spi(Policy) public init(brand: BrandID, message: MessageID) {
        self.brand = brand
        self.message = message
    }
}

/// A route of a channel, as a value.
package struct ChannelRoute: Sendable {
    package enum Method: String, Sendable { case get = "GET", post = "POST", options = "OPTIONS" }

    package var method: Method
    /// With `{name}` for parameters, such as `/webhooks/whatsapp/{app}`.
    package var path: String
    /// How callers are told apart, for documentation and the access tests: `signature`, `verify_token` …
    package var access: String
    package var maxBodyBytes: Int
    package var handle: @Sendable (ChannelRequest) async -> ChannelResponse

    package init(
        method: Method, path: String, access: String, maxBodyBytes: Int = 4_194_304,
        handle: @escaping @Sendable (ChannelRequest) async -> ChannelResponse
    ) {
        self.method = method
        self.path = path
        self.access = access
        self.maxBodyBytes = maxBodyBytes
        self.handle = handle
    }
}

package struct ChannelRequest: Sendable {
    package var parameters: [String: String]
    package var query: [String: String]
    /// Every value of a header, by lower-case name.
    package var headers: @Sendable (String) -> [String]
    package var body: [UInt8]
    /// The address that the request came from, as far as the server trusts what it was told; nil when unknown.
    package var remoteAddress: String?

    package init(
        parameters: [String: String], query: [String: String], headers: @escaping @Sendable (String) -> [String], body: [UInt8] = [],
        remoteAddress: String? = nil
    ) {
        self.remoteAddress = remoteAddress
        self.parameters = parameters
        self.query = query
        self.headers = headers
        self.body = body
    }
}

package struct ChannelResponse: Sendable {
    package var status: Int
    package var contentType: String
    package var headers: [String: String]
    package var body: [UInt8]
    /// Writes the body piece by piece, in place of `body`. It is cancelled when the caller leaves and when the server shuts down; what it
    /// throws ends the connection.
    package var stream: Stream?

    /// `write` returns when the piece was taken, so a slow reader slows the writer down.
    package typealias Stream = @Sendable (_ write: @escaping @Sendable ([UInt8]) async throws -> Void) async throws -> Void

    package init(
        status: Int, contentType: String = "application/json", headers: [String: String] = [:], body: [UInt8] = [], stream: Stream? = nil
    ) {
        self.stream = stream
        self.status = status
        self.contentType = contentType
        self.headers = headers
        self.body = body
    }

    /// `application/problem+json` (RFC 9457).
    package static func problem(_ status: Int, _ title: String, detail: String? = nil, headers: [String: String] = [:]) -> ChannelResponse {
        var fields: [String: JSONValue] = ["type": "about:blank", "title": .string(title), "status": .integer(Int64(status))]
        if let detail { fields["detail"] = .string(detail) }
        return ChannelResponse(
            status: status, contentType: "application/problem+json", headers: headers, body: CanonicalJSON.bytes(.object(fields)))
    }
}
