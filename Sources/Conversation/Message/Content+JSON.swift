/// How content is stored and shown: an object with `type` and the fields of that type.
extension Content {
    package var json: JSONValue {
        switch self {
        case .text(let text): ["type": "text", "text": .string(text)]
        case .media(let media):
            Self.object(
                type: media.kind.rawValue,
                [
                    "id": media.id, "url": media.url, "mime_type": media.mimeType, "sha256": media.sha256, "caption": media.caption,
                    "filename": media.filename,
                ])
        case .location(let place):
            .object(
                ["type": "location", "latitude": .number(place.latitude), "longitude": .number(place.longitude)].merging(
                    Self.present(["name": place.name, "address": place.address])
                ) { $1 })
        case .contacts(let cards): ["type": "contacts", "contacts": .array(cards)]
        case .reaction(let reaction): Self.object(type: "reaction", ["message_id": reaction.messageID, "emoji": reaction.emoji])
        case .reply(let reply):
            .object(
                ["type": "reply", "kind": .string(reply.kind.rawValue), "id": .string(reply.id)].merging(
                    Self.present(["title": reply.title]).merging(reply.response.map { ["response": $0] } ?? [:]) { $1 }
                ) { $1 })
        case .order(let order): ["type": "order", "order": order]
        case .system(let notice):
            Self.object(
                type: "system",
                [
                    "event": notice.type, "body": notice.body, "new_kind": notice.newIdentifier?.kind.rawValue,
                    "new_value": notice.newIdentifier?.value,
                ])
        case .unsupported(let kind, let raw): ["type": "unsupported", "kind": .string(kind), "raw": .string(raw)]
        }
    }

    /// `json` as canonical text; plain text, nearly everything that comes, is written without a detour.
    package var canonicalText: String {
        guard case .text(let text) = self else { return CanonicalJSON.text(json) }
        var output: [UInt8] = []
        output.reserveCapacity(text.utf8.count + 32)
        output.append(contentsOf: #"{"text":"#.utf8)
        CanonicalJSON.write(text, to: &output)
        output.append(contentsOf: #","type":"text"}"#.utf8)
        return String(decoding: output, as: UTF8.self)
    }

    /// Nil when the value was not written by `json`.
    package init?(json: JSONValue) {
        guard let type = json["type"]?.string else { return nil }
        func text(_ key: String) -> String? { json[key]?.string }
        switch type {
        case "text": self = .text(text("text") ?? "")
        case "location":
            self = .location(
                Location(
                    latitude: json["latitude"]?.double ?? 0, longitude: json["longitude"]?.double ?? 0, name: text("name"),
                    address: text("address")))
        case "contacts": self = .contacts(json["contacts"]?.array ?? [])
        case "reaction": self = .reaction(Reaction(messageID: text("message_id") ?? "", emoji: text("emoji")))
        case "reply":
            guard let kind = text("kind").flatMap(InteractiveReply.Kind.init(rawValue:)) else { return nil }
            self = .reply(InteractiveReply(kind: kind, id: text("id") ?? "", title: text("title"), response: json["response"]))
        case "order": self = .order(json["order"] ?? .null)
        case "system":
            let new = text("new_kind").flatMap(Identifier.Kind.init(rawValue:)).flatMap { kind in
                text("new_value").map { Identifier(kind: kind, value: $0) }
            }
            self = .system(SystemNotice(type: text("event") ?? "", body: text("body"), newIdentifier: new))
        case "unsupported": self = .unsupported(kind: text("kind") ?? "", raw: text("raw") ?? "")
        default:
            guard let kind = Media.Kind(rawValue: type) else { return nil }
            self = .media(
                Media(
                    kind: kind, id: text("id"), url: text("url"), mimeType: text("mime_type"), sha256: text("sha256"),
                    caption: text("caption"), filename: text("filename")))
        }
    }

    private static func present(_ fields: [String: String?]) -> [String: JSONValue] { fields.compactMapValues { $0.map(JSONValue.string) } }
    private static func object(type: String, _ fields: [String: String?]) -> JSONValue {
        .object(present(fields).merging(["type": .string(type)]) { $1 })
    }
}
