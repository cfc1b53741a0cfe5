package import Conversation

/// Why a message is not sent; nothing of it is stored.
package struct SendRefusal: Sendable, Hashable {
    package enum Kind: Sendable, Hashable {
        /// The brand has no such user or instance.
        case unknown
        /// The conversation is not in a state in which this may be sent.
        case conflict
        /// The brand's own policies hold it back.
        case forbidden
        /// Too many; may be sent later.
        case limited
        /// Another message went under this key before.
        case reused
    }

    package var kind: Kind
    /// For programs, such as `window_closed`.
    package var code: String
    /// For people.
    package var message: String
    package var retryAfter: Duration?

    init(_ kind: Kind, _ code: String, _ message: String, retryAfter: Duration? = nil) {
        self.kind = kind
        self.code = code
        self.message = message
        self.retryAfter = retryAfter
    }

    static let unknownInstance = SendRefusal(.unknown, "unknown_instance", "there is no such instance")
    static let unknownUser = SendRefusal(.unknown, "unknown_user", "there is no such user")
    static let noRecipient = SendRefusal(.conflict, "no_recipient", "the user is not known at this instance's channel")
    static let cannotSend = SendRefusal(.conflict, "no_channel", "the instance's channel cannot send")
    static let keyReused = SendRefusal(.reused, "key_reused", "its Idempotency-Key came with another request before")

    static func handover(_ id: HandoverID) -> SendRefusal {
        SendRefusal(.conflict, "handover_open", "people have the conversation: answer in handover \(id), or send when it is closed")
    }

    /// What the channel does not let through.
    init(_ error: ChannelError) { self.init(.conflict, error.code, error.message) }
}

/// A message that is stored and on its way.
package struct SendReceipt: Sendable, Hashable {
    /// One for each part that the channel carries, in order; never empty.
    package var messages: [MessageID]
    package var session: SessionID
    package var user: UserID

    /// What the caller is told, and told again when the same request comes again.
    package var json: JSONValue {
        let ids = messages.map { JSONValue.string($0.description) }
        return [
            "message_id": ids.first ?? .null, "message_ids": .array(ids), "session_id": .string(session.description),
            "user_id": .string(user.description),
        ]
    }
}
