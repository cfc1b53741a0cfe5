import Conversation

/// A refusal of Zendesk.
struct ZendeskRefusal: Error {
    var status: Int
    var json: JSONValue

    static let unauthenticated = ZendeskRefusal(status: 401, json: ["error": "Couldn't authenticate you"])
    static let notFound = ZendeskRefusal(status: 404, json: ["error": "RecordNotFound", "description": "Not found"])

    /// A value that breaks a rule of the record.
    static func invalid(_ field: String, _ description: String, _ error: String = "InvalidValue") -> ZendeskRefusal {
        ZendeskRefusal(
            status: 422,
            json: [
                "error": "RecordInvalid", "description": "Record validation errors",
                "details": .object([field: [["description": .string(description), "error": .string(error)]]]),
            ])
    }

    /// A field that is unknown, missing or of the wrong kind.
    static func attribute(_ error: FieldError) -> ZendeskRefusal {
        ZendeskRefusal(
            status: 400,
            json: [
                "error": [
                    "title": "Invalid attribute",
                    "message": .string(
                        "You passed an invalid value for the \(error.field) attribute. Invalid parameter: \(error.sentence)"),
                ]
            ])
    }
}

/// Stands in for the part of Zendesk's ticketing API that creates, finds, reads and updates tickets and users.
struct ZendeskAPI: StandIn {
    let book: DeskBook
    /// Told of everything that happens, also of what the caller did.
    let calls: DeskCalls?
    private let answers = IdempotentAnswers()
    private var clock: any WallClock { book.clock }

    init(book: DeskBook, calls: DeskCalls?) {
        self.book = book
        self.calls = calls
    }

    func received(_ request: StandInRequest) async throws {}

    func errorBody(status: Int) -> JSONValue {
        switch status {
        case 409: ["error": "UpdateConflict", "description": "Another request is changing the same record."]
        case 422: ZendeskRefusal.invalid("base", "Asked for by a test.").json
        case 429: ["error": "TooManyRequests", "description": "Number of allowed API requests per minute exceeded"]
        default: ["error": "InternalError", "description": "A fault that was asked for."]
        }
    }

    func answer(_ request: StandInRequest) async throws -> StandInAnswer {
        do {
            try authorize(request)
            return try await route(request)
        } catch let refusal as ZendeskRefusal {
            return .json(refusal.status, refusal.json)
        } catch let error as FieldError {
            let refusal = ZendeskRefusal.attribute(error)
            return .json(refusal.status, refusal.json)
        }
    }

    /// `user/token:TOKEN` or `user:PASSWORD` as Basic, or `Bearer TOKEN`.
    private func authorize(_ request: StandInRequest) throws {
        let settings = book.settings
        if let bearer = Bearer.token(of: request) {
            guard settings.token == nil || settings.token == bearer else { throw ZendeskRefusal.unauthenticated }
            return
        }
        guard let (user, password) = BasicCredentials.read(request) else { throw ZendeskRefusal.unauthenticated }
        guard let token = settings.token else { return }
        guard password == token, settings.user == nil || user == "\(settings.user ?? "")/token" else {
            throw ZendeskRefusal.unauthenticated
        }
    }

    private func route(_ request: StandInRequest) async throws -> StandInAnswer {
        var parts = Array(request.parts.dropFirst(2))
        guard parts.count > 2, parts[0] == "api", parts[1] == "v2" else { throw ZendeskRefusal.notFound }
        parts.removeFirst(2)
        if let last = parts.last, last.hasSuffix(".json") { parts[parts.count - 1] = String(last.dropLast(5)) }
        switch (request.method, parts[0], parts.count) {
        case ("POST", "tickets", 1): return try await create(request)
        case ("GET", "tickets", 1): return try list(request)
        case ("GET", "search", 1): return try search(request)
        case ("GET", "tickets", 2): return try show(ticket(parts[1]))
        case ("PUT", "tickets", 2): return try await update(ticket(parts[1]), request)
        case ("GET", "tickets", 3) where parts[2] == "comments": return try comments(ticket(parts[1]), request)
        case ("GET", "tickets", 3) where parts[2] == "audits": return try audits(ticket(parts[1]))
        case ("POST", "users", 2) where parts[1] == "create_or_update": return try createOrUpdateUser(request)
        case ("GET", "users", 2) where parts[1] == "search": return try searchUsers(request)
        default: throw ZendeskRefusal(status: 404, json: ["error": "InvalidEndpoint", "description": "Not found"])
        }
    }

    func ticket(_ part: String) throws -> DeskTicketRecord {
        guard let id = Int(part), let found = book.with({ $0.tickets[id] }) else { throw ZendeskRefusal.notFound }
        return found
    }

    // MARK: Creating

    /// Zendesk: the same key gives the first answer again, and is refused with other parameters. It keeps keys for two hours; here they last
    /// as long as the process.
    private func create(_ request: StandInRequest) async throws -> StandInAnswer {
        guard let key = request.headers["idempotency-key"] else {
            try await request.pause(clock: clock)
            return try make(request)
        }
        switch answers.claim(key, for: request) {
        case .replay(var answer):
            answer.headers.removeAll { $0.name == "Idempotency-Replayed" }
            answer.headers.append(.init(name: "x-idempotency-lookup", value: "hit"))
            return answer
        case .otherBody:
            return .json(
                400, ["error": "IdempotentRequestError", "description": "Request parameters don't match the given idempotency key"])
        case .stillRunning: return .json(409, errorBody(status: 409))
        case .first: return try await first(request, key: key)
        }
    }

    private func first(_ request: StandInRequest, key: String) async throws -> StandInAnswer {
        do {
            try await request.pause(clock: clock)
            var answer = try make(request)
            answers.finish(key, with: answer)
            answer.headers.append(.init(name: "x-idempotency-lookup", value: "miss"))
            return answer
        } catch {
            answers.abandon(key)
            throw error
        }
    }

    private func make(_ request: StandInRequest) throws -> StandInAnswer {
        let wanted = try ZendeskTicketFields(request.json, isNew: true)
        let now = clock.now
        let made = try book.with { state -> (DeskTicketRecord, JSONValue) in
            let requester = try wanted.requester(in: &state)
            var ticket = DeskTicketRecord(
                id: state.number(), subject: wanted.subject ?? "", status: wanted.status ?? "new", priority: wanted.priority,
                reference: wanted.externalID, tags: wanted.tags ?? [], group: wanted.group, requester: requester,
                assignee: wanted.assignee, createdAt: now, updatedAt: now)
            if let comment = wanted.comment { ticket.entries.append(try comment.entry(in: &state, ticket, at: now)) }
            state.tickets[ticket.id] = ticket
            return (ticket, ZendeskJSON.ticket(ticket, state))
        }
        calls?.enqueue(ZendeskEvent.created(made.0, book))
        var answer = StandInAnswer.json(201, ["ticket": made.1, "audit": ZendeskJSON.audit(made.0, Array(made.0.entries))])
        answer.headers.append(.init(name: "Location", value: made.1["url"]?.string ?? ""))
        return answer
    }

    private func update(_ ticket: DeskTicketRecord, _ request: StandInRequest) async throws -> StandInAnswer {
        let wanted = try ZendeskTicketFields(request.json, isNew: false)
        try await request.pause(clock: clock)
        let now = clock.now
        let (after, added, json) = try book.with { state -> (DeskTicketRecord, [DeskEntry], JSONValue) in
            guard var ticket = state.tickets[ticket.id] else { throw ZendeskRefusal.notFound }
            let before = ticket.entries.count
            try wanted.apply(to: &ticket, in: &state, at: now)
            state.tickets[ticket.id] = ticket
            return (ticket, Array(ticket.entries.dropFirst(before)), ZendeskJSON.ticket(ticket, state))
        }
        for entry in added { calls?.enqueue(ZendeskEvent.happened(entry, in: after, book)) }
        return .json(200, ["ticket": json, "audit": ZendeskJSON.audit(after, added)])
    }
}

enum BasicCredentials {
    /// Nil when there is no `Authorization: Basic` that can be read.
    static func read(_ request: StandInRequest) -> (user: String, password: String)? {
        guard let value = request.headers["authorization"], value.lowercased().hasPrefix("basic "),
            let bytes = Base64.decode(String(value.dropFirst(6)))
        else { return nil }
        let parts = String(decoding: bytes, as: UTF8.self).split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else { return nil }
        return (String(parts[0]), String(parts[1]))
    }
}
