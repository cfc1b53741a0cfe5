/// Entries as the payload, the store, the generic webhook and `/v1/handovers` write them.
extension TicketEntry {
    package var json: JSONValue {
        [
            "id": .string(id.description), "author": .string(author.rawValue), "text": .string(text), "internal": .bool(isInternal),
            "at": .string(at.description), "attachments": .array(attachments.map(\.json)),
        ]
    }

    /// Nil when the value was not written by `json`.
    package init?(json: JSONValue) {
        guard let id = json["id"]?.string.flatMap({ UniqueID($0) }), let author = json["author"]?.string.flatMap(Author.init(rawValue:)),
            let at = json["at"]?.string.flatMap({ Timestamp($0) })
        else { return nil }
        self.init(
            id: id, author: author, text: json["text"]?.string ?? "",
            attachments: (json["attachments"]?.array ?? []).map(TicketAttachment.init(json:)), isInternal: json["internal"]?.bool ?? false,
            at: at)
    }
}

extension TicketAttachment {
    package var json: JSONValue { ["url": .string(url), "name": .string(name), "mime_type": JSONValue(mimeType)] }

    package init(json: JSONValue) {
        self.init(url: json["url"]?.string ?? "", name: json["name"]?.string ?? "", mimeType: json["mime_type"]?.string)
    }
}
