import Conversation

/// What people do in the ticket systems, as ordered at `/_sandbox/desk`.
struct DeskControl: Sendable {
    let books: [DeskSystem: DeskBook]
    let calls: [DeskSystem: DeskCalls]

    /// Throws `FieldError`.
    func answer(_ request: StandInRequest) async throws -> StandInAnswer {
        switch request.method {
        case "GET":
            let book = try book(request.query["system"])
            return .json(200, ["tickets": book.json])
        case "PUT": return try configure(request)
        case "DELETE":
            for book in books.values { book.reset() }
            return .json(200, [:])
        case "POST": return try await act(request)
        default: return .problem(405, "Method Not Allowed", "Desks take GET, POST, PUT and DELETE.")
        }
    }

    private func book(_ name: String?) throws -> DeskBook {
        guard let system = name.flatMap(DeskSystem.init), let book = books[system] else {
            throw FieldError(field: "system", problem: "must be one of: \(DeskSystem.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return book
    }

    /// Tells a system which desk of the gateway it is, what callers must show, and what proves its own calls.
    private func configure(_ request: StandInRequest) throws -> StandInAnswer {
        var fields = try StrictObject(request.json)
        let book = try book(try fields.text("system"))
        let desk = try fields.optionalText("desk", max: 64)
        let (token, user) = (try fields.optionalText("token"), try fields.optionalText("user"))
        let secret = try fields.optionalText("secret")
        try fields.finish()
        book.with { state in
            state.settings.desk = desk ?? state.settings.desk
            state.settings.token = token ?? state.settings.token
            state.settings.user = user ?? state.settings.user
            state.settings.secret = secret ?? state.settings.secret
        }
        return .json(200, ["system": .string(book.system.rawValue), "desk": .string(book.settings.desk)])
    }

    // MARK: Acting

    private enum Deed: Equatable {
        case reply(String)
        /// Seen by the brand's people alone.
        case note(String)
        case close, reopen, assign
    }

    private func act(_ request: StandInRequest) async throws -> StandInAnswer {
        var fields = try StrictObject(request.json)
        let book = try book(try fields.text("system"))
        let number = fields.value("ticket")
        guard let ticket = number?.integer.map({ Int(clamping: $0) }) ?? number?.string.flatMap({ Int($0) }) else {
            throw fields.failure("ticket", "must be a ticket's number")
        }
        let deed = try Self.deed(&fields)
        let author = try fields.optionalText("author", max: 200) ?? "Agent"
        let isAutomatic = try fields.optionalBool("automatic") ?? false
        let times = try fields.optionalInteger("times", in: 0...100) ?? 1
        var spoiling = DeskCalls.Spoiling()
        spoiling.signsWrongly = !(try fields.optionalBool("sign") ?? true)
        spoiling.age = .seconds(try fields.optionalInteger("age_s", in: -86_400...86_400) ?? 0)
        // A call about something that never happened: somebody else's.
        let happens = try fields.optionalBool("happens") ?? true
        try fields.finish()
        let (after, entry) = try Self.apply(deed, to: ticket, in: book, author: author, isAutomatic: isAutomatic, happens: happens)
        guard let call = Self.call(deed, entry, after, book), book.settings.secret != nil, let calls = calls[book.system] else {
            return .json(200, ["ticket": .integer(Int64(ticket)), "entry": .integer(Int64(entry.id)), "gateway": []])
        }
        var answers: [JSONValue] = []
        for _ in 0..<times {
            let answer = await calls.post(call, spoiling: spoiling)
            answers.append(["status": .integer(Int64(answer.status)), "body": answer.body])
        }
        return .json(
            200, ["ticket": .integer(Int64(ticket)), "entry": .integer(Int64(entry.id)), "gateway": .array(answers), "call": call.body])
    }

    private static func deed(_ fields: inout StrictObject) throws -> Deed {
        let ways = ["reply", "note", "close", "reopen", "assign"].filter(fields.has)
        guard ways.count == 1, let way = ways.first else { throw fields.failure("reply", "or note, close, reopen or assign: exactly one") }
        switch way {
        case "reply": return .reply(try fields.text("reply", max: 65_536))
        case "note": return .note(try fields.text("note", max: 65_536))
        default:
            guard try fields.optionalBool(way) == true else { throw fields.failure(way, "must be true") }
            return way == "close" ? .close : way == "reopen" ? .reopen : .assign
        }
    }

    /// What the statuses of each system are called: an open one, a done one.
    private static func statuses(_ system: DeskSystem) -> (open: String, done: String) {
        switch system {
        case .zendesk: ("open", "solved")
        case .freshdesk: ("2", "4")
        case .requestTracker: ("open", "resolved")
        case .webhook: ("open", "closed")
        }
    }

    private static func apply(
        _ deed: Deed, to number: Int, in book: DeskBook, author: String, isAutomatic: Bool, happens: Bool
    ) throws -> (DeskTicketRecord, DeskEntry) {
        let (now, system) = (book.clock.now, book.system)
        return try book.with { state in
            guard var ticket = state.tickets[number] else { throw FieldError(field: "ticket", problem: "\(number) is not there") }
            let writer = isAutomatic ? DeskBook.automation : state.agent(author)
            let field = system == .requestTracker ? ("Status", "Owner") : ("status", "assignee_id")
            switch deed {
            case .reply(let text), .note(let text):
                let isPublic = deed == .reply(text)
                ticket.entries.append(
                    DeskEntry(
                        id: state.number(), author: writer, text: text, isPublic: isPublic, isAutomatic: isAutomatic, at: now))
                ticket.updatedAt = now
            case .close, .reopen:
                let after = deed == .close ? statuses(system).done : statuses(system).open
                ticket.change(field.0, from: ticket.status, to: after, id: state.number(), by: writer, at: now)
                ticket.status = after
            case .assign:
                let before = ticket.assignee.map(String.init)
                ticket.change(field.1, from: before, to: String(writer), id: state.number(), by: writer, at: now)
                ticket.assignee = writer
            }
            if happens { state.tickets[number] = ticket }
            guard let entry = ticket.entries.last else { throw FieldError(field: "ticket", problem: "\(number) is empty") }
            return (ticket, entry)
        }
    }

    // MARK: Calls

    /// How the system tells the gateway; nil when it does not.
    private static func call(_ deed: Deed, _ entry: DeskEntry, _ ticket: DeskTicketRecord, _ book: DeskBook) -> DeskCall? {
        switch book.system {
        case .zendesk: ZendeskEvent.happened(entry, in: ticket, book)
        case .freshdesk: freshdesk(deed, entry, ticket)
        case .webhook: webhook(deed, entry, ticket, book)
        case .requestTracker: nil
        }
    }

    private static func event(_ deed: Deed) -> String? {
        switch deed {
        case .reply: "reply"
        case .note: nil
        case .close: "closed"
        case .reopen: "reopened"
        case .assign: "assigned"
        }
    }

    /// The body of an automation rule, with what Freshdesk puts in for the placeholders.
    private static func freshdesk(_ deed: Deed, _ entry: DeskEntry, _ ticket: DeskTicketRecord) -> DeskCall? {
        guard event(deed) != nil else { return nil }
        return DeskCall(
            id: "\(entry.id)",
            body: ["ticket": .string(String(ticket.id)), "tags": .string(ticket.tags.joined(separator: ", "))])
    }

    private static func webhook(_ deed: Deed, _ entry: DeskEntry, _ ticket: DeskTicketRecord, _ book: DeskBook) -> DeskCall? {
        guard let event = event(deed) else { return nil }
        let author = book.with { $0.users[entry.author]?.name }
        var body: JSONValue = [
            "event": .string(event), "id": .string("entry-\(entry.id)"), "ticket": .string(String(ticket.id)),
            "reference": JSONValue(ticket.reference), "author": JSONValue(author),
            "automatic": .bool(entry.isAutomatic || entry.author == DeskBook.automation),
            "at": .string(entry.at.description),
        ]
        if event == "reply" { body["text"] = .string(entry.text) }
        return DeskCall(id: "call-\(entry.id)", body: body)
    }
}
