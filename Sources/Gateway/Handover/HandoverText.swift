internal import Conversation
internal import Storage

/// Messages as people read them in a ticket.
enum HandoverText {
    /// Longer texts are cut: a ticket is not a place for novels.
    static let longest = 8_000

    /// A message of either direction, whatever it is made of. `link` is the address of a file that has none of its own.
    static func entry(_ record: MessageRecord, link: String? = nil) -> TicketEntry {
        guard record.isInbound else {
            let author: TicketEntry.Author = record.context?["author"] == "agent" ? .agent : .bot
            let text = OutboundContent(json: record.content)?.plainText ?? ""
            return TicketEntry(id: record.id.value, author: author, text: cut(text), at: record.sentAt)
        }
        let (text, files) = words(Content(json: record.content), link: link)
        return TicketEntry(id: record.id.value, author: .customer, text: cut(text), attachments: files, at: record.sentAt)
    }

    /// Words for what is no text, and links to what is attached.
    static func words(_ content: Content?, link: String? = nil) -> (String, [TicketAttachment]) {
        switch content {
        case .text(let text): (text, [])
        case .media(let media): self.media(media, link)
        case .location(let place):
            ([place.name, place.address, "geo:\(place.latitude),\(place.longitude)"].compactMap { $0 }.joined(separator: "\n"), [])
        case .contacts(let cards): ("[contacts] " + CanonicalJSON.text(.array(cards)), [])
        case .reaction(let reaction): ("[reaction] \(reaction.emoji ?? "taken back")", [])
        case .reply(let reply):
            ([reply.title ?? "[button]", reply.response.map(CanonicalJSON.text)].compactMap { $0 }.joined(separator: "\n"), [])
        case .order(let order): ("[order] " + CanonicalJSON.text(order), [])
        case .system(let notice): (notice.body ?? "[\(notice.type)]", [])
        case .unsupported(let kind, _): ("[\(kind), which cannot be shown here]", [])
        case nil: ("[a message that cannot be read]", [])
        }
    }

    private static func media(_ media: Media, _ link: String?) -> (String, [TicketAttachment]) {
        let name = media.filename ?? media.kind.rawValue
        if let url = media.url ?? (media.id == nil ? nil : link) {
            return (media.caption ?? "", [TicketAttachment(url: url, name: name, mimeType: media.mimeType)])
        }
        // The channel gave an id and no link: the people at least learn what was sent, and under which id it can be asked for.
        let mention = "[\(name)\(media.id.map { ", id \($0)" } ?? "")]"
        return ([media.caption, mention].compactMap { $0 }.joined(separator: "\n"), [])
    }

    static func cut(_ text: String) -> String { text.count > longest ? text.prefix(longest) + "…" : text }

    /// An agent's words with links to what is attached; only web addresses are passed on.
    static func reply(_ text: String, _ attachments: [TicketAttachment]) -> String {
        let links = attachments.filter { $0.url.hasPrefix("https://") || $0.url.hasPrefix("http://") }.map { "\($0.name): \($0.url)" }
        return ([text] + links).filter { !$0.isEmpty }.joined(separator: "\n")
    }
}
