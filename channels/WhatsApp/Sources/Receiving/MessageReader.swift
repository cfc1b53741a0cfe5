import Conversation
import JSON

/// Reads one message of a delivery.
struct MessageReader {
    let raw: Raw
    let contacts: ContactBook
    var view: JSONView { raw.view }

    init(_ raw: Raw, contacts: ContactBook) {
        self.raw = raw
        self.contacts = contacts
    }

    /// Throws when what every message must have is missing or of another type.
    func message() throws(Unreadable) -> InboundMessage {
        guard view.isObject else { throw Unreadable(reason: "a message that is no object") }
        guard let id = view["id"].string, !id.isEmpty else { throw Unreadable(reason: "a message without id") }
        guard let type = view["type"].string, !type.isEmpty else { throw Unreadable(reason: "a message without type") }
        guard let sentAt = view["timestamp"].moment else { throw Unreadable(reason: "a message without timestamp") }
        guard let sender = SenderReader(message: view, contacts: contacts).sender() else {
            throw Unreadable(reason: "a message without sender")
        }
        let content = try ContentReader(view: view, type: type, raw: raw).content()
        return InboundMessage(
            providerID: id, sender: sender, content: content, sentAt: sentAt, context: context,
            raw: raw.lossyOriginal ?? leftOver(of: content))
    }

    private var context: MessageContext {
        let context = view["context"]
        let isForwarded = context["forwarded"].bool == true || context["frequently_forwarded"].bool == true
        return MessageContext(
            replyTo: context["id"].identifier, isForwarded: isForwarded,
            referral: view["referral"].objectValue, groupID: view["group_id"].identifier,
            identityChanged: identityChanged)
    }

    /// Meta: `identity` stands on messages of numbers with identity checks and says whether the last change was acknowledged.
    private var identityChanged: Bool {
        if view["identity"].isObject { return view["identity"]["acknowledged"].bool != true }
        return ["customer_identity_changed", "user_identity_changed"].contains(view["system"]["type"].string)
    }

    /// The whole message when it says something that `InboundMessage` has no room for.
    private func leftOver(of content: Content) -> String? {
        if case .unsupported = content { return nil }
        let hasMore = view["context"]["referred_product"].exists || view["location"]["url"].exists || view["errors"].exists
        return hasMore ? view.rawText : nil
    }
}

extension JSONView {
    /// Unix seconds, as a string or a number (Meta sends both).
    var moment: Timestamp? {
        let seconds = double.flatMap { Int64(exactly: $0) } ?? string.flatMap { Int64($0) }
        // Up to the year 9999, so that no arithmetic overflows later.
        guard let seconds, (0...253_402_300_799).contains(seconds) else { return nil }
        return Timestamp(seconds: seconds)
    }
}
