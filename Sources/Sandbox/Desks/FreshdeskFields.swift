import Conversation

/// What a request to create or update a ticket of Freshdesk holds.
struct FreshdeskTicketFields: Sendable {
    var subject: String?
    var description: String?
    /// Freshdesk's numbers, as text.
    var status: String?
    var priority: String?
    var tags: [String]?
    var group: Int?
    var responder: Int?
    private var email: String?
    private var phone: String?
    private var externalID: String?
    private var requesterID: Int?
    private var name: String?

    private static let ids = 1...Int.max
    /// Freshdesk: a tag holds at most 32 characters.
    private static let longestTag = 32

    /// Throws `FieldError` or `FreshdeskRefusal`.
    init(_ body: JSONValue?, isNew: Bool) throws {
        var fields = try StrictObject(body)
        requesterID = try fields.optionalInteger("requester_id", in: Self.ids)
        email = try fields.optionalText("email", max: 255)
        phone = try fields.optionalText("phone", max: 64)
        externalID = try fields.optionalText("unique_external_id", max: 255)
        name = try fields.optionalText("name", max: 255)
        subject = isNew ? try fields.text("subject", max: 255) : try fields.optionalText("subject", max: 255)
        description = isNew ? try fields.text("description", max: 1_000_000) : try fields.optionalText("description", max: 1_000_000)
        status = try Self.number("status", 2...7, isNew: isNew, &fields)
        priority = try Self.number("priority", 1...4, isNew: isNew, &fields)
        // E-mail, portal, phone, chat, feedback widget and outbound e-mail.
        let source = try Self.number("source", 1...10, isNew: isNew, &fields)
        if let source, !["1", "2", "3", "7", "9", "10"].contains(source) { throw Self.notAmong("source", "1,2,3,7,9,10") }
        tags = try Self.tags(&fields)
        group = try fields.optionalInteger("group_id", in: Self.ids)
        responder = try fields.optionalInteger("responder_id", in: Self.ids)
        if fields.has("type") { _ = try fields.text("type", oneOf: ["Question", "Incident", "Problem", "Feature Request", "Refund"]) }
        _ = fields.value("custom_fields")
        try fields.finish()
        if isNew { try checkRequester() }
    }

    private static func notAmong(_ field: String, _ values: String) -> FreshdeskRefusal {
        .invalid(field, "It should be one of these values: '\(values)'", "invalid_value")
    }

    private static func number(_ name: String, _ range: ClosedRange<Int>, isNew: Bool, _ fields: inout StrictObject) throws -> String? {
        let values = range.map(String.init).joined(separator: ",")
        guard let value = fields.value(name) else {
            if isNew { throw FreshdeskRefusal.invalid(name, "It should be one of these values: '\(values)'", "missing_field") }
            return nil
        }
        if case .string = value {
            throw FreshdeskRefusal.invalid(name, "Value set is of type String. It should be a/an Integer", "datatype_mismatch")
        }
        guard let number = value.integer, range.contains(Int(clamping: number)) else { throw notAmong(name, values) }
        return String(number)
    }

    private static func tags(_ fields: inout StrictObject) throws -> [String]? {
        guard fields.has("tags") else { return nil }
        return try fields.list("tags", count: 0...100).map { path, value in
            guard let tag = value.string, !tag.isEmpty else { throw FieldError(field: path, problem: "should be a/an String") }
            guard tag.count <= longestTag, !tag.contains(",") else {
                throw FreshdeskRefusal.invalid(
                    "tags", "It should contain elements that have maximum of \(longestTag) characters", "invalid_value")
            }
            return tag
        }
    }

    private func checkRequester() throws {
        guard requesterID != nil || email != nil || phone != nil || externalID != nil else {
            let names = "requester_id, phone, email, twitter_id, facebook_id"
            throw FreshdeskRefusal.invalid("requester_id", "Fill at least 1 mandatory field: \(names)", "missing_field")
        }
        if let email, email.wholeMatch(of: /[^@\s]+@[^@\s]+\.[^@\s]+/) == nil {
            throw FreshdeskRefusal.invalid("email", "It should be a valid email address", "invalid_value")
        }
        if phone != nil && email == nil && requesterID == nil && name == nil {
            throw FreshdeskRefusal.invalid("name", "It should not be blank as this is a mandatory field", "missing_field")
        }
    }

    /// The contact by any of what names one, made when new.
    func requester(in state: inout DeskBook.State) throws -> Int {
        if let requesterID {
            guard state.users[requesterID] != nil else {
                throw FreshdeskRefusal.invalid("requester_id", "There is no contact matching the given requester_id", "invalid_value")
            }
            return requesterID
        }
        let known = state.users.values.first { user in
            !user.isStaff
                && (email != nil && user.email?.lowercased() == email?.lowercased() || phone != nil && user.phone == phone
                    || externalID != nil && user.externalID == externalID)
        }
        if let known { return known.id }
        let id = state.number()
        state.users[id] = DeskUser(id: id, name: name ?? email ?? "Customer", email: email, phone: phone, externalID: externalID)
        return id
    }
}

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
