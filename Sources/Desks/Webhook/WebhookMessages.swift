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
        short.summary = DeskText.cut(draft.summary, to: DeskText.longestBody / 16)
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
            "summary": .string(draft.summary), "body": .string(DeskText.opening(draft, entries: entries, to: DeskText.longestBody / 8)),
            "history": .array(draft.history.suffix(entries).map(\.json)),
            "history_omitted": .integer(Int64(draft.history.count - entries)), "payload": payload,
        ]
    }

    static func added(_ entry: TicketEntry, to ticket: DeskTicket) -> [UInt8] {
        let whole = CanonicalJSON.bytes(added(json(entry), ticket))
        if whole.count <= DeskText.longestBody { return whole }
        var short = entry
        // It stands there twice.
        short.text = DeskText.cut(entry.text, to: DeskText.longestBody / 16)
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

    static func find(_ reference: HandoverID) -> [UInt8] {
        CanonicalJSON.bytes(["event": "ticket.find", "reference": .string(reference.description)])
    }

    static func changes(_ ticket: DeskTicket) -> [UInt8] {
        CanonicalJSON.bytes(["event": "ticket.changes", "ticket": .string(ticket.id)])
    }

    /// An entry with all of it as one text, for receivers that show nothing else.
    private static func json(_ entry: TicketEntry) -> JSONValue {
        var json = entry.json
        json["body"] = .string((entry.isInternal ? "(internal): " : "") + DeskText.body(of: entry, named: true))
        return json
    }
}

// MARK: Towards us

extension WebhookMessages {
    /// Throws `refused` for what is signed, but not what we documented.
    static func event(in call: JSONView, now: Timestamp) throws(DeskError) -> DeskEvent {
        guard let ticket = call["ticket"].name, let id = call["event"].string == "changed" ? "changed" : call["id"].name else {
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

    /// Most answers of a ticket that are looked at; those before were heard long ago.
    private static let mostReplies = 500

    /// What `ticket.changes` is answered with. Throws `notDone` for what is not what we documented: it may be so the next time.
    static func replies(in list: JSONView, of ticket: DeskTicket, now: Timestamp) throws(DeskError) -> [DeskEvent] {
        guard list.exists, !list.isNull else { return [] }
        guard let items = list.array else { throw DeskError(.notDone, "\"replies\" is no list") }
        var events: [DeskEvent] = []
        for item in items.suffix(mostReplies) {
            guard let id = item["id"].name else { throw DeskError(.notDone, "a reply without an \"id\"") }
            let reply: DeskEvent.Kind
            do throws(DeskError) { reply = try self.reply(item) } catch { throw DeskError(.notDone, error.detail) }
            events.append(
                DeskEvent(
                    id: id, ticket: ticket.id, kind: reply, author: item["author"].string, isAutomatic: item["automatic"].bool ?? false,
                    at: min(now, item["at"].string.flatMap { Timestamp($0) } ?? now)))
        }
        return events
    }

    private static func reply(_ item: JSONView) throws(DeskError) -> DeskEvent.Kind {
        let attachments = try attachments(in: item["attachments"])
        let text = (item["text"].string ?? "").trimmingSpaces
        guard !text.isEmpty || !attachments.isEmpty else { throw SignedCall.malformed("a reply has a \"text\" or \"attachments\"") }
        return .reply(text: text, attachments: attachments)
    }

    private static func kind(of call: JSONView) throws(DeskError) -> DeskEvent.Kind {
        switch call["event"].string {
        case "closed": return .closed
        case "reopened": return .reopened
        case "assigned": return .assigned
        case "changed": return .changed
        case "reply": return try reply(call)
        case .some, .none: throw SignedCall.malformed("\"event\" must be reply, closed, reopened, assigned or changed")
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
