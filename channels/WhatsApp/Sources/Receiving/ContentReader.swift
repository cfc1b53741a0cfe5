import Conversation
import JSON

/// Reads what a message says. A type that we know but whose body is not as documented is unreadable; a type that we do not know is kept.
struct ContentReader {
    let view: JSONView
    let type: String
    let raw: Raw

    func content() throws(Unreadable) -> Content {
        let body = view[type]
        switch type {
        case "text": return .text(try required(body["body"].string))
        case "image", "video", "audio", "voice", "document", "sticker": return .media(try media(body))
        case "location": return .location(try location(body))
        case "contacts": return .contacts(try required(body.array).map(\.value))
        case "reaction": return .reaction(Reaction(messageID: try required(body["message_id"].identifier), emoji: body["emoji"].identifier))
        case "interactive": return try interactive(body)
        case "button": return .reply(try templateButton(body))
        case "order": return .order(try required(body.objectValue))
        case "system": return .system(try notice(body))
        default: return unsupported(type)
        }
    }

    private func required<Value>(_ value: Value?) throws(Unreadable) -> Value {
        guard let value else { throw Unreadable(reason: "a message of type \(type) without a readable body") }
        return value
    }

    private func unsupported(_ kind: String) -> Content { .unsupported(kind: kind, raw: String(decoding: raw.bytes, as: UTF8.self)) }

    private func media(_ body: JSONView) throws(Unreadable) -> Media {
        let isVoice = type == "voice" || body["voice"].bool == true
        let kind = try required(isVoice ? .voice : Media.Kind(rawValue: type))
        let id = body["id"].identifier
        let url = body["url"].identifier ?? body["link"].identifier
        if id == nil { _ = try required(url) }
        return Media(
            kind: kind, id: id, url: url, mimeType: body["mime_type"].identifier, sha256: body["sha256"].identifier,
            caption: body["caption"].identifier, filename: body["filename"].identifier)
    }

    private func location(_ body: JSONView) throws(Unreadable) -> Location {
        func degrees(_ key: String, upTo limit: Double) throws(Unreadable) -> Double {
            let value = body[key].double ?? body[key].string.flatMap(Double.init)
            return try required(value.flatMap { abs($0) <= limit ? $0 : nil })
        }
        return Location(
            latitude: try degrees("latitude", upTo: 90), longitude: try degrees("longitude", upTo: 180), name: body["name"].identifier,
            address: body["address"].identifier)
    }

    private func interactive(_ body: JSONView) throws(Unreadable) -> Content {
        let kind = try required(body["type"].identifier)
        let reply = body[kind]
        switch kind {
        case "button_reply": return .reply(try chosen(reply, .button))
        case "list_reply": return .reply(try chosen(reply, .list))
        case "nfm_reply": return .reply(try form(reply))
        default: return unsupported("interactive.\(kind)")
        }
    }

    private func chosen(_ reply: JSONView, _ kind: InteractiveReply.Kind) throws(Unreadable) -> InteractiveReply {
        InteractiveReply(kind: kind, id: try required(reply["id"].identifier), title: reply["title"].identifier)
    }

    /// A form's answers come as JSON inside a string; what does not parse is kept as that string.
    private func form(_ reply: JSONView) throws(Unreadable) -> InteractiveReply {
        let text = reply["response_json"].string
        let answers = text.flatMap { text in
            let bytes = Array(text.utf8)
            return try? JSONValue(parsing: JSONRepair.withoutNulls(bytes) ?? bytes)
        }
        let response = answers ?? text.map(JSONValue.string) ?? reply["response_json"].objectValue
        return InteractiveReply(
            kind: .form, id: reply["name"].identifier ?? "nfm_reply", title: reply["body"].identifier, response: try required(response))
    }

    private func templateButton(_ body: JSONView) throws(Unreadable) -> InteractiveReply {
        let text = body["text"].identifier
        return InteractiveReply(kind: .template, id: try required(body["payload"].identifier ?? text), title: text)
    }

    private func notice(_ body: JSONView) throws(Unreadable) -> SystemNotice {
        let event = try required(body["type"].identifier)
        let id = body["user_id"].identifier.flatMap { UserName.isBusinessScoped($0) ? Identifier(kind: .bsuid, value: $0) : nil }
        let parent = body["parent_user_id"].identifier.flatMap {
            UserName.isBusinessScoped($0) ? Identifier(kind: .parentBSUID, value: $0) : nil
        }
        let phone = (body["wa_id"].identifier ?? body["new_wa_id"].identifier).flatMap(UserName.phone).map {
            Identifier(kind: .phone, value: $0)
        }
        let isAboutNumber = event.hasSuffix("changed_number")
        let new = isAboutNumber ? phone ?? id : event.hasSuffix("changed_user_id") ? id ?? parent : nil
        return SystemNotice(type: event, body: body["body"].identifier, newIdentifier: new)
    }
}
