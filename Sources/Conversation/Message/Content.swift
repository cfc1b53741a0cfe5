/// What a message says, whatever channel it came by.
package enum Content: Sendable, Hashable {
    case text(String)
    case media(Media)
    case location(Location)
    case contacts([JSONValue])
    case reaction(Reaction)
    case reply(InteractiveReply)
    case order(JSONValue)
    case system(SystemNotice)
    /// A type we do not know, or know and cannot show; the raw JSON is kept.
    case unsupported(kind: String, raw: String)

    /// The text to understand, if the message has any.
    package var text: String? {
        switch self {
        case .text(let text): text
        case .media(let media): media.caption
        case .reply(let reply): reply.title
        case .location, .contacts, .reaction, .order, .system, .unsupported: nil
        }
    }

    /// The stable name under which the kind is stored and shown.
    package var kind: String {
        switch self {
        case .text: "text"
        case .media(let media): media.kind.rawValue
        case .location: "location"
        case .contacts: "contacts"
        case .reaction: "reaction"
        case .reply: "reply"
        case .order: "order"
        case .system: "system"
        case .unsupported: "unsupported"
        }
    }
}

package struct Media: Sendable, Hashable, Codable {
    package enum Kind: String, Sendable, Codable, CaseIterable { case image, video, audio, voice, document, sticker }

    package var kind: Kind
    /// The provider's id, good for days, not for ever.
    package var id: String?
    package var url: String?
    package var mimeType: String?
    package var sha256: String?
    package var caption: String?
    package var filename: String?

    package init(
        kind: Kind, id: String? = nil, url: String? = nil, mimeType: String? = nil, sha256: String? = nil, caption: String? = nil,
        filename: String? = nil
    ) {
        self.kind = kind
        self.id = id
        self.url = url
        self.mimeType = mimeType
        self.sha256 = sha256
        self.caption = caption
        self.filename = filename
    }
}

package struct Location: Sendable, Hashable, Codable {
    package var latitude: Double
    package var longitude: Double
    package var name: String?
    package var address: String?

    package init(latitude: Double, longitude: Double, name: String? = nil, address: String? = nil) {
        self.latitude = latitude
        self.longitude = longitude
        self.name = name
        self.address = address
    }
}

package struct Reaction: Sendable, Hashable, Codable {
    package var messageID: String
    /// Nil when a reaction was taken back.
    package var emoji: String?

    package init(messageID: String, emoji: String?) {
        self.messageID = messageID
        self.emoji = emoji
    }
}

/// A pressed button, a chosen row, a submitted form or a template's quick reply.
package struct InteractiveReply: Sendable, Hashable, Codable {
    package enum Kind: String, Sendable, Codable { case button, list, form, template }

    package var kind: Kind
    /// The opaque id we sent, or the payload of a template's button.
    package var id: String
    package var title: String?
    /// A form's answers.
    package var response: JSONValue?

    package init(kind: Kind, id: String, title: String? = nil, response: JSONValue? = nil) {
        self.kind = kind
        self.id = id
        self.title = title
        self.response = response
    }
}

/// News of the platform about a customer, such as a changed number.
package struct SystemNotice: Sendable, Hashable, Codable {
    package var type: String
    package var body: String?
    /// The new identifier, when the notice brings one.
    package var newIdentifier: Identifier?

    package init(type: String, body: String? = nil, newIdentifier: Identifier? = nil) {
        self.type = type
        self.body = body
        self.newIdentifier = newIdentifier
    }
}
