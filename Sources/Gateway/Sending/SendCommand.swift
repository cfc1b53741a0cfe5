package import Conversation

/// A message that a brand's own program or people have sent outside a turn, as the body of `POST /v1/messages` and of a command on the bus
/// says it.
package struct SendCommand: Sendable, Hashable {
    package enum Recipient: Sendable, Hashable {
        case user(UserID)
        /// As the instance's channel knows the customer.
        case identifier(Identifier)
    }

    package enum Category: String, Sendable, CaseIterable {
        case service
        /// Goes only to customers who have not opted out.
        case marketing
    }

    /// Largest body that is read, in bytes, whichever way it comes.
    package static let maxBodyBytes = 65_536

    package var instance: InstanceID
    package var recipient: Recipient
    /// Options without an id of their own have an empty one; they get one when the message is stored.
    package var content: OutboundContent
    package var category: Category

    package init(instance: InstanceID, recipient: Recipient, content: OutboundContent, category: Category = .service) {
        self.instance = instance
        self.recipient = recipient
        self.content = content
        self.category = category
    }

    /// Reads a body strictly. Throws `InvalidCommand` with everything that is wrong with it.
    package init(json: JSONValue) throws(InvalidCommand) {
        var reader = SendCommandReader()
        let command = reader.command(json)
        guard reader.problems.isEmpty, let command else { throw InvalidCommand(problems: reader.problems) }
        self = command
    }
}

/// A body that says nothing which could be sent.
package struct InvalidCommand: Error, Sendable, Hashable, CustomStringConvertible {
    package struct Problem: Sendable, Hashable {
        /// A JSON Pointer (RFC 6901) into the body.
        package var pointer: String
        package var message: String
    }

    package var problems: [Problem]

    package var description: String { problems.map { "\($0.pointer) \($0.message)".trimmed }.joined(separator: "; ") }
}

extension String {
    fileprivate var trimmed: String { String(drop { $0 == " " }) }
}
