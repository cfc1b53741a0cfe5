import Conversation
import JSON

/// A message of a visitor together with all that its request proved, so that it can be kept raw and read again.
struct WebEvent: Sendable, Hashable {
    var instance: InstanceID
    var user: UserID
    var identifier: Identifier
    /// The page's own id of the message: 1 to 64 of `A-Z a-z 0-9 _ -`.
    var requestID: String
    var content: Content
    var sentAt: Timestamp

    /// What is wrong with bytes that were not written by `raw`.
    struct Unreadable: Error, CustomStringConvertible {
        let description: String
    }

    init(visitor: Visitor, requestID: String, content: Content, sentAt: Timestamp) {
        instance = visitor.instance
        user = visitor.user
        identifier = visitor.identifier
        self.requestID = requestID
        self.content = content
        self.sentAt = sentAt
    }

    /// Throws `JSONError` or `Unreadable`.
    init(_ raw: [UInt8]) throws {
        let value = try JSONValue(parsing: raw)
        func text(_ key: String) throws -> String {
            guard let text = value[key]?.string else { throw Unreadable(description: "\(key) is missing") }
            return text
        }
        guard let instance = InstanceID(validating: try text("instance")), let user = UserID(try text("user")),
            let kind = Identifier.Kind(rawValue: try text("identifier_kind")), let content = value["content"].flatMap(Content.init(json:)),
            let sentAt = Timestamp(try text("sent_at"))
        else { throw Unreadable(description: "a message of the web with a field that means nothing") }
        self.instance = instance
        self.user = user
        identifier = Identifier(kind: kind, value: try text("identifier"))
        requestID = try text("request_id")
        self.content = content
        self.sentAt = sentAt
    }

    var raw: [UInt8] {
        CanonicalJSON.bytes([
            "instance": .string(instance.rawValue), "user": .string(user.description), "identifier_kind": .string(identifier.kind.rawValue),
            "identifier": .string(identifier.value), "request_id": .string(requestID), "content": content.json,
            "sent_at": .string(sentAt.description),
        ])
    }

    /// Carries the user, so that two visitors never share one and `signalReading` knows whom to tell.
    var providerID: String { "\(user).\(requestID)" }

    static func user(ofProviderID id: String) -> UserID? { id.split(separator: ".", maxSplits: 1).first.flatMap { UserID($0) } }

    var item: WebhookItem {
        let message = InboundMessage(
            providerID: providerID, sender: Sender(identifiers: [identifier]), content: content, sentAt: sentAt)
        return .message(message, WebChannel.address(of: instance), raw: { raw })
    }
}
