import Conversation

/// Tickets and conversations as Freshdesk writes them.
enum FreshdeskJSON {
    static func ticket(_ ticket: DeskTicketRecord, isListed: Bool = false) -> JSONValue {
        var json: JSONValue = [
            "id": .integer(Int64(ticket.id)), "subject": .string(ticket.subject), "status": number(ticket.status),
            "priority": number(ticket.priority ?? "1"), "source": 7, "type": nil, "requester_id": .integer(Int64(ticket.requester)),
            "responder_id": ZendeskJSON.number(ticket.assignee), "group_id": ZendeskJSON.number(ticket.group), "company_id": nil,
            "product_id": nil, "email_config_id": nil, "spam": false, "fr_escalated": false, "is_escalated": false, "cc_emails": [],
            "fwd_emails": [], "reply_cc_emails": [], "to_emails": nil, "tags": .array(ticket.tags.map(JSONValue.string)),
            "custom_fields": [:], "created_at": .string(ticket.createdAt.wholeSeconds),
            "updated_at": .string(ticket.updatedAt.wholeSeconds),
        ]
        // The list leaves the description out.
        guard !isListed else { return json }
        let description = ticket.messages.first?.text ?? ""
        json["description"] = .string("<div>\(description)</div>")
        json["description_text"] = .string(plain(description))
        json["attachments"] = []
        return json
    }

    private static func number(_ text: String) -> JSONValue { Int64(text).map(JSONValue.integer) ?? .null }

    static func conversation(_ entry: DeskEntry, ticket: Int) -> JSONValue {
        [
            "id": .integer(Int64(entry.id)), "ticket_id": .integer(Int64(ticket)), "body": .string("<div>\(entry.text)</div>"),
            "body_text": .string(plain(entry.text)), "incoming": .bool(entry.isIncoming), "private": .bool(!entry.isPublic),
            "user_id": .integer(Int64(entry.author)), "source": entry.isPublic && !entry.isIncoming ? 0 : 2, "support_email": nil,
            "to_emails": [], "from_email": nil, "cc_emails": [], "bcc_emails": [], "attachments": [],
            "created_at": .string(entry.at.wholeSeconds), "updated_at": .string(entry.at.wholeSeconds),
        ]
    }

    /// Markup as text: a break is a new line, and the five characters that markup hides come back.
    static func plain(_ html: String) -> String {
        let broken = html.replacing(/<br\s*\/?>|<\/p>|<\/div>/, with: "\n").replacing(/<[^>]*>/, with: "")
        let entities = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&nbsp;", " "), ("&amp;", "&")]
        return entities.reduce(broken) { $0.replacing($1.0, with: $1.1) }.trimmed
    }
}

// MARK: Reading

extension FreshdeskAPI {
    /// Freshdesk: without `updated_since` only the tickets of the last 30 days are listed, the newest first.
    func list(_ request: StandInRequest) throws -> StandInAnswer {
        let names = [
            "updated_since", "order_by", "order_type", "per_page", "page", "email", "requester_id", "unique_external_id", "include",
        ]
        let query = try known(request, names)
        let since = try query["updated_since"].map { text in
            guard let time = Timestamp(text) else {
                throw FreshdeskRefusal.invalid("updated_since", "It should be in the combined date and time ISO8601 format", "invalid_date")
            }
            return time
        }
        let start = book.clock.now + .seconds(-30 * 86_400)
        guard ["created_at", "updated_at", "due_by", "status"].contains(query["order_by"] ?? "created_at") else {
            throw FreshdeskRefusal.invalid(
                "order_by", "It should be one of these values: 'created_at,due_by,updated_at,status'", "invalid_value")
        }
        let found = book.with { state in
            state.tickets.values.filter { ticket in
                let user = state.users[ticket.requester]
                if let since { guard ticket.updatedAt >= since else { return false } } else if ticket.createdAt < start { return false }
                if let email = query["email"], user?.email != email { return false }
                if let id = query["unique_external_id"], user?.externalID != id { return false }
                return query["requester_id"].map { $0 == String(ticket.requester) } ?? true
            }.sorted { (left: DeskTicketRecord, right: DeskTicketRecord) in
                let isBefore = query["order_by"] == "updated_at" ? left.updatedAt < right.updatedAt : left.id < right.id
                return query["order_type"] == "asc" ? isBefore : !isBefore
            }
        }
        return .json(200, .array(try page(found, query, usual: 30).map { FreshdeskJSON.ticket($0, isListed: true) }))
    }

    /// `"tag:'a' AND status:2"`, quoted as a whole; tag, status, priority and group_id are understood.
    func search(_ request: StandInRequest) throws -> StandInAnswer {
        let query = try known(request, ["query", "page"])
        guard let text = query["query"], text.count > 2, text.hasPrefix("\""), text.hasSuffix("\"") else {
            throw FreshdeskRefusal.invalid("query", "It should be a/an String within double quotes", "invalid_value")
        }
        let terms = String(text.dropFirst().dropLast()).split(separator: " AND ").map { term -> (String, String) in
            let sides = term.split(separator: ":", maxSplits: 1).map { $0.trimmingCharacters(of: "' ") }
            return (sides.first ?? "", sides.count > 1 ? sides[1] : "")
        }
        if let stranger = terms.first(where: { !["tag", "status", "priority", "group_id"].contains($0.0) }) {
            throw FreshdeskRefusal.invalid(stranger.0, "Given field is invalid/not supported", "invalid_field")
        }
        let found = book.with { state in
            state.tickets.values.filter { ticket in
                terms.allSatisfy { field, value in
                    switch field {
                    case "tag": ticket.tags.contains(value)
                    case "status": ticket.status == value
                    case "priority": ticket.priority == value
                    default: ticket.group.map(String.init) == value
                    }
                }
            }.sorted { $0.id > $1.id }
        }
        let shown = try page(found, query, usual: 30).map { FreshdeskJSON.ticket($0, isListed: true) }
        return .json(200, ["total": .integer(Int64(found.count)), "results": .array(shown)])
    }

    /// Without the description, oldest first.
    func conversations(_ ticket: DeskTicketRecord, _ request: StandInRequest) throws -> StandInAnswer {
        let query = try known(request, ["page", "per_page"])
        let entries = Array(ticket.messages.dropFirst())
        return .json(200, .array(try page(entries, query, usual: 30).map { FreshdeskJSON.conversation($0, ticket: ticket.id) }))
    }

    private func known(_ request: StandInRequest, _ names: [String]) throws -> [String: String] {
        if let stranger = request.query.keys.sorted().first(where: { !names.contains($0) }) {
            throw FreshdeskRefusal.invalid(stranger, "Unexpected/invalid field in request", "invalid_field")
        }
        return request.query
    }

    private func page<Item>(_ items: [Item], _ query: [String: String], usual: Int) throws -> [Item] {
        let (size, number) = (Int(query["per_page"] ?? String(usual)) ?? 0, Int(query["page"] ?? "1") ?? 0)
        guard (1...100).contains(size) else {
            throw FreshdeskRefusal.invalid("per_page", "It should be a Positive Integer less than or equal to 100", "invalid_value")
        }
        guard number >= 1 else { throw FreshdeskRefusal.invalid("page", "It should be a/an Positive Integer", "datatype_mismatch") }
        return Array(items.dropFirst(size * (number - 1)).prefix(size))
    }
}

extension Substring {
    fileprivate func trimmingCharacters(of marks: String) -> String {
        var text = self
        while let first = text.first, marks.contains(first) { text.removeFirst() }
        while let last = text.last, marks.contains(last) { text.removeLast() }
        return String(text)
    }
}
