import Conversation

/// Tickets, comments and users as Zendesk writes them.
enum ZendeskJSON {
    static func ticket(_ ticket: DeskTicketRecord, _ state: DeskBook.State) -> JSONValue {
        [
            "id": .integer(Int64(ticket.id)), "url": .string("https://sandbox.zendesk.com/api/v2/tickets/\(ticket.id).json"),
            "external_id": JSONValue(ticket.reference), "via": ["channel": "api", "source": ["from": [:], "to": [:], "rel": nil]],
            "created_at": .string(ticket.createdAt.wholeSeconds), "updated_at": .string(ticket.updatedAt.wholeSeconds), "type": nil,
            "subject": .string(ticket.subject), "raw_subject": .string(ticket.subject),
            "description": .string(ticket.messages.first?.text ?? ""), "priority": JSONValue(ticket.priority),
            "status": .string(ticket.status), "recipient": nil, "requester_id": .integer(Int64(ticket.requester)),
            "submitter_id": .integer(Int64(DeskBook.program)), "assignee_id": number(ticket.assignee), "organization_id": nil,
            "group_id": number(ticket.group), "tags": .array(ticket.tags.map(JSONValue.string)), "custom_fields": [],
            "is_public": .bool(ticket.messages.contains(where: \.isPublic)), "has_incidents": false, "allow_attachments": true,
        ]
    }

    static func number(_ id: Int?) -> JSONValue { id.map { .integer(Int64($0)) } ?? .null }

    static func comment(_ entry: DeskEntry) -> JSONValue {
        [
            "id": .integer(Int64(entry.id)), "type": "Comment", "author_id": .integer(Int64(entry.author)), "body": .string(entry.text),
            "plain_body": .string(entry.text), "html_body": .string("<div class=\"zd-comment\">\(escaped(entry.text))</div>"),
            "public": .bool(entry.isPublic), "attachments": [], "audit_id": .integer(Int64(entry.id)),
            "via": ["channel": .string(entry.isAutomatic ? "rule" : "api"), "source": ["from": [:], "to": [:], "rel": nil]],
            "created_at": .string(entry.at.wholeSeconds), "metadata": ["system": [:], "custom": [:]],
        ]
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;").replacing("\n", with: "<br>")
    }

    static func user(_ user: DeskUser) -> JSONValue {
        [
            "id": .integer(Int64(user.id)), "name": .string(user.name), "email": JSONValue(user.email), "phone": JSONValue(user.phone),
            "external_id": JSONValue(user.externalID), "role": user.isStaff ? "agent" : "end-user", "active": true, "verified": false,
        ]
    }

    /// What one request changed, as one audit.
    static func audit(_ ticket: DeskTicketRecord, _ entries: [DeskEntry]) -> JSONValue {
        let events = entries.map { entry -> JSONValue in
            switch entry.kind {
            case .message: return comment(entry)
            case .change(let field, let before, let after):
                return [
                    "id": .integer(Int64(entry.id)), "type": "Change", "field_name": .string(field), "previous_value": JSONValue(before),
                    "value": JSONValue(after),
                ]
            }
        }
        return [
            "id": .integer(Int64(entries.first?.id ?? ticket.id)), "ticket_id": .integer(Int64(ticket.id)),
            "created_at": .string((entries.first?.at ?? ticket.updatedAt).wholeSeconds),
            "author_id": .integer(Int64(entries.first?.author ?? DeskBook.program)), "events": .array(events),
        ]
    }
}

// MARK: Reading

extension ZendeskAPI {
    func show(_ ticket: DeskTicketRecord) throws -> StandInAnswer {
        .json(200, ["ticket": book.with { ZendeskJSON.ticket(ticket, $0) }])
    }

    /// All tickets, or those with one `external_id`.
    func list(_ request: StandInRequest) throws -> StandInAnswer {
        let query = try known(request, ["external_id", "page", "per_page", "sort_by", "sort_order"])
        let found = book.with { state in
            state.tickets.values.filter { query["external_id"] == nil || $0.reference == query["external_id"] }.sorted { $0.id < $1.id }
                .map { ZendeskJSON.ticket($0, state) }
        }
        return .json(200, try page(found, as: "tickets", query))
    }

    /// `type:ticket` and `external_id:…` are understood.
    func search(_ request: StandInRequest) throws -> StandInAnswer {
        let query = try known(request, ["query", "page", "per_page", "sort_by", "sort_order"])
        guard let text = query["query"], !text.isEmpty else { throw FieldError(field: "query", problem: "is required") }
        var reference: String?
        for term in text.split(separator: " ") where term != "type:ticket" {
            guard term.hasPrefix("external_id:") else { throw FieldError(field: "query", problem: "has a term that is not offered here") }
            reference = String(term.dropFirst(12)).replacing("\"", with: "")
        }
        let found = book.with { state in
            state.tickets.values.filter { reference == nil || $0.reference == reference }.sorted { $0.id < $1.id }.map {
                var json = ZendeskJSON.ticket($0, state)
                json["result_type"] = "ticket"
                return json
            }
        }
        return .json(200, try page(found, as: "results", query))
    }

    func comments(_ ticket: DeskTicketRecord, _ request: StandInRequest) throws -> StandInAnswer {
        let query = try known(request, ["sort_order", "include", "page", "per_page", "include_inline_images"])
        let order = query["sort_order"] ?? "asc"
        guard ["asc", "desc"].contains(order) else { throw FieldError(field: "sort_order", problem: "must be asc or desc") }
        let messages = order == "asc" ? ticket.messages : ticket.messages.reversed()
        var answer = try page(messages.map(ZendeskJSON.comment), as: "comments", query)
        if query["include"] == "users" {
            let authors = Set(messages.map(\.author)).sorted()
            answer["users"] = .array(book.with { state in authors.compactMap { state.users[$0].map(ZendeskJSON.user) } })
        }
        return .json(200, answer)
    }

    func audits(_ ticket: DeskTicketRecord) throws -> StandInAnswer {
        let all = ticket.entries.map { ZendeskJSON.audit(ticket, [$0]) }
        return .json(200, ["audits": .array(all), "count": .integer(Int64(all.count)), "next_page": nil, "previous_page": nil])
    }

    func searchUsers(_ request: StandInRequest) throws -> StandInAnswer {
        let query = try known(request, ["query", "external_id", "page", "per_page"])
        let found = book.with { state in
            state.users.values.filter { user in
                if let id = query["external_id"] { return user.externalID == id }
                guard let text = query["query"] else { return true }
                return [user.email, user.phone, user.name].contains(text)
            }.sorted { $0.id < $1.id }.map(ZendeskJSON.user)
        }
        return .json(200, try page(found, as: "users", query))
    }

    /// Found by e-mail or external id, else made; 201 when it was made.
    func createOrUpdateUser(_ request: StandInRequest) throws -> StandInAnswer {
        var root = try StrictObject(request.json)
        var fields = try root.object("user")
        try root.finish()
        let name = try fields.text("name", max: 255)
        let (email, phone) = (try fields.optionalText("email", max: 255), try fields.optionalText("phone", max: 64))
        let externalID = try fields.optionalText("external_id", max: 255)
        if fields.has("role") { _ = try fields.text("role", oneOf: ["end-user"]) }
        _ = try fields.optionalBool("verified")
        _ = try fields.optionalBool("skip_verify_email")
        try fields.finish()
        return book.with { state in
            let known = state.users.values.first { user in
                externalID != nil && user.externalID == externalID || email != nil && user.email?.lowercased() == email?.lowercased()
            }
            var user = known ?? DeskUser(id: state.number(), name: name)
            user.name = name
            user.email = email ?? user.email
            user.phone = phone ?? user.phone
            user.externalID = externalID ?? user.externalID
            state.users[user.id] = user
            return .json(known == nil ? 201 : 200, ["user": ZendeskJSON.user(user)])
        }
    }

    /// The query; throws for a parameter that is not among those.
    private func known(_ request: StandInRequest, _ names: [String]) throws -> [String: String] {
        if let stranger = request.query.keys.sorted().first(where: { !names.contains($0) }) {
            throw FieldError(field: stranger, problem: "is not a known parameter here")
        }
        return request.query
    }

    private func page(_ items: [JSONValue], as name: String, _ query: [String: String]) throws -> JSONValue {
        let (size, number) = (Int(query["per_page"] ?? "100") ?? 0, Int(query["page"] ?? "1") ?? 0)
        guard (1...100).contains(size), number >= 1 else { throw FieldError(field: "page", problem: "must be an integer") }
        let shown = items.dropFirst(size * (number - 1)).prefix(size)
        let hasMore = items.count > size * number
        return [
            name: .array(Array(shown)), "count": .integer(Int64(items.count)),
            "next_page": hasMore ? .string("?page=\(number + 1)") : .null,
            "previous_page": number > 1 ? .string("?page=\(number - 1)") : .null,
        ]
    }
}
