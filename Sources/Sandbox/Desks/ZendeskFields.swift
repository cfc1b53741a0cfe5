import Conversation

/// What a request to create or update a ticket of Zendesk holds.
struct ZendeskTicketFields: Sendable {
    struct Comment: Sendable {
        var body: String
        var isPublic: Bool
        var author: Int?
    }

    private struct Requester: Sendable {
        var name: String?
        var email: String
    }

    var subject: String?
    var externalID: String?
    var priority: String?
    var status: String?
    var tags: [String]?
    var group: Int?
    var assignee: Int?
    var comment: Comment?
    /// The `updated_at` that the caller has seen; the update is refused when it is another.
    var updatedStamp: String?
    private var requesterID: Int?
    private var requesterFields: Requester?

    private static let ids = 1...Int.max
    /// Zendesk: a comment holds at most 65,535 characters.
    private static let longestComment = 65_535

    /// Throws `FieldError` for a field that is not known or of the wrong kind, `ZendeskRefusal` for what breaks a rule.
    init(_ body: JSONValue?, isNew: Bool) throws {
        var root = try StrictObject(body)
        var fields = try root.object("ticket")
        try root.finish()
        subject = try fields.optionalText("subject", max: 255)
        externalID = try fields.optionalText("external_id", max: 255)
        priority = try Self.optional("priority", ["urgent", "high", "normal", "low"], &fields)
        status = try Self.optional("status", ["new", "open", "pending", "hold", "solved", "closed"], &fields)
        _ = try Self.optional("type", ["problem", "incident", "question", "task"], &fields)
        group = try fields.optionalInteger("group_id", in: Self.ids)
        assignee = try fields.optionalInteger("assignee_id", in: Self.ids)
        requesterID = try fields.optionalInteger("requester_id", in: Self.ids)
        if fields.has("tags") {
            tags = try fields.list("tags", count: 0...1_000).map { path, value in
                guard let tag = value.string, !tag.contains(where: \.isWhitespace) else {
                    throw FieldError(field: path, problem: "must be a word")
                }
                return tag
            }
        }
        requesterFields = try Self.requester(&fields)
        comment = try Self.comment(&fields)
        if try fields.optionalBool("safe_update") ?? false { updatedStamp = try fields.text("updated_stamp") }
        try fields.finish()
        if isNew && comment == nil { throw ZendeskRefusal.invalid("base", "Description: cannot be blank", "BlankValue") }
    }

    private static func optional(_ key: String, _ allowed: [String], _ fields: inout StrictObject) throws -> String? {
        fields.has(key) ? try fields.text(key, oneOf: allowed) : nil
    }

    private static func requester(_ fields: inout StrictObject) throws -> Requester? {
        guard var requester = try fields.optionalObject("requester") else { return nil }
        let found = Requester(name: try requester.optionalText("name", max: 255), email: try requester.text("email", max: 255))
        _ = try requester.optionalInteger("locale_id", in: ids)
        try requester.finish()
        guard found.email.wholeMatch(of: /[^@\s]+@[^@\s]+\.[^@\s]+/) != nil else {
            throw ZendeskRefusal.invalid("requester", "Requester: Email: \(found.email) is not properly formatted")
        }
        return found
    }

    private static func comment(_ fields: inout StrictObject) throws -> Comment? {
        guard var comment = try fields.optionalObject("comment") else { return nil }
        let plain = try comment.optionalText("body", max: 1_000_000, mayBeEmpty: true)
        let html = try comment.optionalText("html_body", max: 1_000_000, mayBeEmpty: true)
        let isPublic = try comment.optionalBool("public") ?? true
        let author = try comment.optionalInteger("author_id", in: ids)
        if comment.has("uploads") { _ = try comment.list("uploads", count: 0...100) }
        try comment.finish()
        guard let body = plain ?? html, !body.trimmed.isEmpty else {
            throw ZendeskRefusal.invalid("base", "Description: cannot be blank", "BlankValue")
        }
        guard body.unicodeScalars.count <= longestComment else {
            throw ZendeskRefusal.invalid("comment", "Comment: is too long (maximum is \(longestComment) characters)", "TooLong")
        }
        return Comment(body: body, isPublic: isPublic, author: author)
    }

    /// The number of whoever asks: known by number or e-mail, made when new, the caller when nobody is named.
    func requester(in state: inout DeskBook.State) throws -> Int {
        if let requesterID {
            guard state.users[requesterID] != nil else { throw ZendeskRefusal.invalid("requester", "Requester: is invalid") }
            return requesterID
        }
        guard let wanted = requesterFields else { return DeskBook.program }
        if let known = state.users.values.first(where: { $0.email?.lowercased() == wanted.email.lowercased() }) { return known.id }
        guard let name = wanted.name else { throw ZendeskRefusal.invalid("requester", "Requester: Name: cannot be blank", "BlankValue") }
        let id = state.number()
        state.users[id] = DeskUser(id: id, name: name, email: wanted.email)
        return id
    }

    func apply(to ticket: inout DeskTicketRecord, in state: inout DeskBook.State, at now: Timestamp) throws {
        if ticket.status == "closed" { throw ZendeskRefusal.invalid("status", "Status: closed prevents ticket update") }
        if let updatedStamp, updatedStamp != ticket.updatedAt.wholeSeconds {
            throw ZendeskRefusal(
                status: 409,
                json: ["error": "UpdateConflict", "description": "Safe Update prevented the update due to outdated ticket data."])
        }
        if let comment { ticket.entries.append(try comment.entry(in: &state, ticket, at: now)) }
        if let status, status != ticket.status {
            ticket.change("status", from: ticket.status, to: status, id: state.number(), by: DeskBook.program, at: now)
            ticket.status = status
        }
        ticket.subject = subject ?? ticket.subject
        ticket.reference = externalID ?? ticket.reference
        ticket.priority = priority ?? ticket.priority
        ticket.tags = tags ?? ticket.tags
        ticket.group = group ?? ticket.group
        ticket.assignee = assignee ?? ticket.assignee
        ticket.updatedAt = now
    }
}

extension ZendeskTicketFields.Comment {
    func entry(in state: inout DeskBook.State, _ ticket: DeskTicketRecord, at now: Timestamp) throws -> DeskEntry {
        let writer = author ?? DeskBook.program
        guard let user = state.users[writer] else { throw ZendeskRefusal.invalid("comment", "Author: is invalid") }
        return DeskEntry(
            id: state.number(), author: writer, text: body, isPublic: isPublic, isIncoming: !user.isStaff, at: now)
    }
}
