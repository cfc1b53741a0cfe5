import Conversation

/// A refusal of Freshdesk.
struct FreshdeskRefusal: Error {
    var status: Int
    /// Nil for an answer without a body.
    var json: JSONValue?

    static let unauthenticated = FreshdeskRefusal(
        status: 401, json: ["code": "invalid_credentials", "message": "You have to be logged in to perform this action."])
    static let notFound = FreshdeskRefusal(status: 404, json: nil)

    static func invalid(_ field: String, _ message: String, _ code: String) -> FreshdeskRefusal {
        FreshdeskRefusal(
            status: 400,
            json: [
                "description": "Validation failed",
                "errors": [["field": .string(field), "message": .string(message), "code": .string(code)]],
            ])
    }

    /// A field that is unknown, missing or of the wrong kind.
    init(_ error: FieldError) {
        if error.problem.hasSuffix("is required") {
            self = .invalid(error.field, "It should be a/an String", "missing_field")
        } else if error.problem.hasPrefix("is not a known field") {
            self = .invalid(error.field, "Unexpected/invalid field in request", "invalid_field")
        } else {
            self = .invalid(error.field, "It \(error.problem)", "invalid_value")
        }
    }

    private init(status: Int, json: JSONValue?) {
        self.status = status
        self.json = json
    }

    var answer: StandInAnswer { json.map { .json(status, $0) } ?? StandInAnswer(status: status, body: []) }
}

/// Stands in for the part of Freshdesk's API (version 2) that creates, lists, reads and updates tickets and their conversations.
struct FreshdeskAPI: StandIn {
    static let open = "2"

    let book: DeskBook
    private var clock: any WallClock { book.clock }

    init(book: DeskBook) { self.book = book }

    func received(_ request: StandInRequest) async throws {}

    func errorBody(status: Int) -> JSONValue {
        switch status {
        case 429: ["message": "You have exceeded the limit of requests per minute"]
        case 409: ["description": "Validation failed", "errors": [["field": "id", "message": "It conflicts", "code": "duplicate_value"]]]
        default: ["code": "fault", "message": "A fault that was asked for."]
        }
    }

    func answer(_ request: StandInRequest) async throws -> StandInAnswer {
        do {
            try authorize(request)
            return try await route(request)
        } catch let refusal as FreshdeskRefusal {
            return refusal.answer
        } catch let error as FieldError {
            return FreshdeskRefusal(error).answer
        }
    }

    /// The API key as the user's name; the password means nothing.
    private func authorize(_ request: StandInRequest) throws {
        guard let (key, _) = BasicCredentials.read(request), !key.isEmpty else { throw FreshdeskRefusal.unauthenticated }
        if let token = book.settings.token, token != key { throw FreshdeskRefusal.unauthenticated }
    }

    private func route(_ request: StandInRequest) async throws -> StandInAnswer {
        var parts = Array(request.parts.dropFirst(2))
        guard parts.count > 2, parts[0] == "api", parts[1] == "v2" else { throw FreshdeskRefusal.notFound }
        parts.removeFirst(2)
        if request.isWrite, JSONText.read(request.body) == nil {
            throw FreshdeskRefusal(FieldError(field: "body", problem: "is not JSON"))
        }
        switch (request.method, parts[0], parts.count) {
        case ("POST", "tickets", 1):
            try await request.pause(clock: clock)
            return try create(request)
        case ("GET", "tickets", 1): return try list(request)
        case ("GET", "search", 2) where parts[1] == "tickets": return try search(request)
        case ("GET", "tickets", 2): return .json(200, FreshdeskJSON.ticket(try ticket(parts[1])))
        case ("PUT", "tickets", 2):
            let id = try ticket(parts[1]).id
            try await request.pause(clock: clock)
            return try update(id, request)
        case ("POST", "tickets", 3) where parts[2] == "notes" || parts[2] == "reply":
            let id = try ticket(parts[1]).id
            try await request.pause(clock: clock)
            return parts[2] == "notes" ? try note(id, request) : try reply(id, request)
        case ("GET", "tickets", 3) where parts[2] == "conversations": return try conversations(ticket(parts[1]), request)
        default: throw FreshdeskRefusal.notFound
        }
    }

    private func ticket(_ part: String) throws -> DeskTicketRecord {
        guard let id = Int(part), let found = book.with({ $0.tickets[id] }) else { throw FreshdeskRefusal.notFound }
        return found
    }

    // MARK: Writing

    private func create(_ request: StandInRequest) throws -> StandInAnswer {
        let wanted = try FreshdeskTicketFields(request.json, isNew: true)
        let now = clock.now
        return try book.with { state in
            let requester = try wanted.requester(in: &state)
            var ticket = DeskTicketRecord(
                id: state.number(), subject: wanted.subject ?? "", status: wanted.status ?? Self.open, priority: wanted.priority,
                tags: wanted.tags ?? [], group: wanted.group, requester: requester, assignee: wanted.responder, createdAt: now,
                updatedAt: now)
            ticket.entries.append(
                DeskEntry(id: state.number(), author: requester, text: wanted.description ?? "", isIncoming: true, at: now))
            state.tickets[ticket.id] = ticket
            return .json(201, FreshdeskJSON.ticket(ticket))
        }
    }

    private func update(_ id: Int, _ request: StandInRequest) throws -> StandInAnswer {
        let wanted = try FreshdeskTicketFields(request.json, isNew: false)
        let now = clock.now
        return try book.with { state in
            guard var ticket = state.tickets[id] else { throw FreshdeskRefusal.notFound }
            if let status = wanted.status, status != ticket.status {
                ticket.change("status", from: ticket.status, to: status, id: state.number(), by: DeskBook.program, at: now)
                ticket.status = status
            }
            ticket.subject = wanted.subject ?? ticket.subject
            ticket.priority = wanted.priority ?? ticket.priority
            ticket.tags = wanted.tags ?? ticket.tags
            ticket.group = wanted.group ?? ticket.group
            ticket.assignee = wanted.responder ?? ticket.assignee
            ticket.updatedAt = now
            state.tickets[id] = ticket
            return .json(200, FreshdeskJSON.ticket(ticket))
        }
    }

    /// Private unless told otherwise; `incoming` is written in the requester's name.
    private func note(_ id: Int, _ request: StandInRequest) throws -> StandInAnswer {
        var fields = try StrictObject(request.json)
        let text = try fields.text("body", max: 1_000_000)
        let isPrivate = try fields.optionalBool("private") ?? true
        let isIncoming = try fields.optionalBool("incoming") ?? false
        let author = try fields.optionalInteger("user_id", in: 1...Int.max)
        if fields.has("notify_emails") { _ = try fields.list("notify_emails", count: 0...50) }
        try fields.finish()
        let entry = try add(id, text, author: author, isPublic: !isPrivate, isIncoming: isIncoming)
        return .json(201, FreshdeskJSON.conversation(entry, ticket: id))
    }

    private func reply(_ id: Int, _ request: StandInRequest) throws -> StandInAnswer {
        var fields = try StrictObject(request.json)
        let text = try fields.text("body", max: 1_000_000)
        let author = try fields.optionalInteger("user_id", in: 1...Int.max)
        _ = try fields.optionalText("from_email", max: 255)
        for name in ["cc_emails", "bcc_emails"] where fields.has(name) { _ = try fields.list(name, count: 0...50) }
        try fields.finish()
        let entry = try add(id, text, author: author, isPublic: true, isIncoming: false)
        return .json(201, FreshdeskJSON.conversation(entry, ticket: id))
    }

    private func add(_ id: Int, _ text: String, author: Int?, isPublic: Bool, isIncoming: Bool) throws -> DeskEntry {
        let now = clock.now
        return try book.with { state in
            guard var ticket = state.tickets[id] else { throw FreshdeskRefusal.notFound }
            let writer = author ?? DeskBook.program
            guard state.users[writer] != nil else {
                throw FreshdeskRefusal.invalid("user_id", "There is no contact matching the given user_id", "invalid_value")
            }
            let entry = DeskEntry(id: state.number(), author: writer, text: text, isPublic: isPublic, isIncoming: isIncoming, at: now)
            ticket.entries.append(entry)
            ticket.updatedAt = now
            state.tickets[id] = ticket
            return entry
        }
    }
}
