import Conversation

/// The body of a `messages` request (Meta: Cloud API, messages).
struct GraphMessage {
    let part: OutboundPart

    init(_ part: OutboundPart) { self.part = part }

    /// Throws when there is nobody to send to or nothing to say; sending such a request could only be refused.
    func body() throws(ChannelError) -> JSONValue {
        var members: [String: JSONValue] = [
            "messaging_product": "whatsapp", "recipient_type": "individual",
            "biz_opaque_callback_data": .string(part.reference.description),
        ]
        let (field, recipient) = try address()
        members[field] = .string(recipient)
        let (type, content) = try content()
        members["type"] = .string(type)
        members[type] = content
        if let inReplyTo = part.inReplyTo, type != "reaction" { members["context"] = ["message_id": .string(inReplyTo)] }
        return .object(members)
    }

    /// A business-scoped user id goes to `recipient`, a phone to `to`: in `to` an id would be taken for a phone and the message lost.
    private func address() throws(ChannelError) -> (field: String, value: String) {
        func value(_ kind: Identifier.Kind) -> String? { part.recipient.first { $0.kind == kind }?.value }
        if let id = value(.bsuid) { return ("recipient", id) }
        if let phone = value(.phone) { return ("to", String(phone.drop { $0 == "+" })) }
        if let parent = value(.parentBSUID) { return ("recipient", parent) }
        throw ChannelError(code: "no_recipient", message: "the customer has neither a phone nor a WhatsApp user id", reaction: .never)
    }

    private func content() throws(ChannelError) -> (type: String, value: JSONValue) {
        switch part.content {
        case .text(let text):
            if text.allSatisfy(\.isWhitespace) {
                throw ChannelError(code: "empty_message", message: "a text without words", reaction: .never)
            }
            return ("text", ["body": .string(text), "preview_url": false])
        case .choices(let prompt): return ("interactive", try interactive(prompt))
        case .template(let template): return ("template", Self.template(template))
        case .media(let media): return try Self.media(media)
        case .reaction(let reaction):
            return ("reaction", ["message_id": .string(reaction.messageID), "emoji": .string(reaction.emoji ?? "")])
        }
    }

    private func interactive(_ prompt: ChoicePrompt) throws(ChannelError) -> JSONValue {
        guard (1...Limits.rows).contains(prompt.options.count) else {
            throw ChannelError(code: "not_rendered", message: "\(prompt.options.count) options fit no prompt", reaction: .never)
        }
        let body: JSONValue = ["text": .string(prompt.text)]
        if prompt.options.count <= Limits.buttons {
            let buttons = prompt.options.map { option -> JSONValue in
                ["type": "reply", "reply": ["id": .string(option.id), "title": .string(option.title)]]
            }
            return ["type": "button", "body": body, "action": ["buttons": .array(buttons)]]
        }
        let rows = prompt.options.map { option -> JSONValue in
            var row: [String: JSONValue] = ["id": .string(option.id), "title": .string(option.title)]
            if let description = option.description { row["description"] = .string(description) }
            return .object(row)
        }
        return [
            "type": "list", "body": body, "action": ["button": .string(prompt.listTitle), "sections": [["rows": .array(rows)]]],
        ]
    }

    private static func template(_ template: TemplateMessage) -> JSONValue {
        var members: [String: JSONValue] = ["name": .string(template.name), "language": ["code": .string(template.language)]]
        if !template.parameters.isEmpty {
            let parameters = template.parameters.map { text -> JSONValue in ["type": "text", "text": .string(text)] }
            members["components"] = [["type": "body", "parameters": .array(parameters)]]
        }
        return .object(members)
    }

    private static func media(_ media: Media) throws(ChannelError) -> (type: String, value: JSONValue) {
        var members: [String: JSONValue] = [:]
        if let id = media.id {
            members["id"] = .string(id)
        } else if let url = media.url {
            members["link"] = .string(url)
        } else {
            throw ChannelError(code: "no_media", message: "media without an id or a link", reaction: .never)
        }
        switch media.kind {
        case .image, .video: if let caption = media.caption { members["caption"] = .string(caption) }
        case .document:
            if let caption = media.caption { members["caption"] = .string(caption) }
            if let filename = media.filename { members["filename"] = .string(filename) }
        case .audio, .voice, .sticker: break
        }
        return (media.kind == .voice ? "audio" : media.kind.rawValue, .object(members))
    }
}
