import Conversation
import JSON

/// The bodies of the generic webhook, both ways.
enum WebhookMessages {
    /// Everything about a new ticket, the newest entries of the conversation and at last the payload kept as long as all fits.
    static func opened(_ draft: TicketDraft, at now: Timestamp) -> [UInt8] {
        var kept = min(draft.history.count, DeskText.longestHistory)
        while kept > 0 {
            let bytes = CanonicalJSON.bytes(opened(draft, at: now, entries: kept, payload: draft.payload))
            if bytes.count <= DeskText.longestBody { return bytes }
            kept /= 2
        }
        let whole = CanonicalJSON.bytes(opened(draft, at: now, entries: 0, payload: draft.payload))
        if whole.count <= DeskText.longestBody { return whole }
        var short = draft
        // A character may take six bytes once it is escaped.
        short.summary = DeskText.cut(draft.summary, to: DeskText.longestBody / 8)
        short.subject = DeskText.cut(draft.subject, to: 1_000)
        return CanonicalJSON.bytes(opened(short, at: now, entries: 0, payload: .null))
    }

    private static func opened(_ draft: TicketDraft, at now: Timestamp, entries: Int, payload: JSONValue) -> JSONValue {
        [
            "event": "ticket.opened", "reference": .string(draft.reference.description), "at": .string(now.description),
            "subject": .string(draft.subject), "priority": .string(draft.priority.rawValue), "reason": .string(draft.reason.rawValue),
            "customer": [
                "user": .string(draft.customer.user.description), "name": JSONValue(draft.customer.name),
                "email": JSONValue(draft.customer.email), "phone": JSONValue(draft.customer.phone),
                "locale": JSONValue(draft.customer.locale),
            ],
            "summary": .string(draft.summary), "history": .array(draft.history.suffix(entries).map(json)),
            "history_omitted": .integer(Int64(draft.history.count - entries)), "payload": payload,
        ]
    }

    static func added(_ entry: TicketEntry, to ticket: DeskTicket) -> [UInt8] {
        let whole = CanonicalJSON.bytes(added(json(entry), ticket))
        if whole.count <= DeskText.longestBody { return whole }
        var short = entry
        short.text = DeskText.cut(entry.text, to: DeskText.longestBody / 8)
        short.attachments = Array(entry.attachments.prefix(20))
        return CanonicalJSON.bytes(added(json(short), ticket))
    }

    private static func added(_ entry: JSONValue, _ ticket: DeskTicket) -> JSONValue {
        ["event": "ticket.entry", "ticket": .string(ticket.id), "entry": entry]
    }

    static func closed(_ ticket: DeskTicket, reason: String, at now: Timestamp) -> [UInt8] {
        CanonicalJSON.bytes([
            "event": "ticket.closed", "ticket": .string(ticket.id), "reason": .string(DeskText.cut(reason, to: 4_000)),
            "at": .string(now.description),
        ])
    }

    private static func json(_ entry: TicketEntry) -> JSONValue {
        [
            "id": .string(entry.id.description), "author": .string(entry.author.rawValue), "text": .string(entry.text),
            "attachments": .array(
                entry.attachments.map {
                    ["url": .string($0.url), "name": .string($0.name), "mime_type": JSONValue($0.mimeType)]
                }),
            "internal": .bool(entry.isInternal), "at": .string(entry.at.description),
        ]
    }
}

// MARK: Towards us

extension WebhookMessages {
    /// Throws `refused` for what is signed, but not what we documented.
    static func event(in call: JSONView, now: Timestamp) throws(DeskError) -> DeskEvent {
        guard let id = call["id"].name, let ticket = call["ticket"].name else {
            throw SignedCall.malformed("\"id\" and \"ticket\" must be texts of 1 to 200 characters")
        }
        var reference: HandoverID?
        if call["reference"].exists, !call["reference"].isNull {
            reference = call["reference"].string.flatMap { HandoverID($0) }
            if reference == nil { throw SignedCall.malformed("\"reference\" is none of ours") }
        }
        return DeskEvent(
            id: id, ticket: ticket, reference: reference, kind: try kind(of: call), author: call["author"].string,
            isAutomatic: call["automatic"].bool ?? false,
            at: min(now, call["at"].string.flatMap { Timestamp($0) } ?? now))
    }

    private static func kind(of call: JSONView) throws(DeskError) -> DeskEvent.Kind {
        switch call["event"].string {
        case "closed": return .closed
        case "reopened": return .reopened
        case "assigned": return .assigned
        case "reply":
            let attachments = try attachments(in: call["attachments"])
            let text = (call["text"].string ?? "").trimmingSpaces
            guard !text.isEmpty || !attachments.isEmpty else { throw SignedCall.malformed("a reply has a \"text\" or \"attachments\"") }
            return .reply(text: text, attachments: attachments)
        case .some, .none: throw SignedCall.malformed("\"event\" must be reply, closed, reopened or assigned")
        }
    }

    private static func attachments(in list: JSONView) throws(DeskError) -> [TicketAttachment] {
        guard list.exists, !list.isNull else { return [] }
        guard let items = list.array, items.count <= 20 else { throw SignedCall.malformed("\"attachments\" is a list of at most 20") }
        var attachments: [TicketAttachment] = []
        for item in items {
            guard let url = item["url"].string, let link = Link.checked(url) else {
                throw SignedCall.malformed("an attachment has an http or https \"url\"")
            }
            let name = item["name"].name ?? Link.name(of: link)
            attachments.append(TicketAttachment(url: link, name: name, mimeType: item["mime_type"].string))
        }
        return attachments
    }
}
