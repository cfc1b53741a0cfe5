import Conversation

/// Stands in for the part of Request Tracker's REST 2 that creates and finds tickets, writes to them and reads their transactions.
///
/// It knows the calls that our own driver makes, which is held against a real Request Tracker elsewhere; of its error texts only the
/// `message` member counts.
struct RequestTrackerAPI: StandIn {
    let book: DeskBook
    private var clock: any WallClock { book.clock }

    init(book: DeskBook) { self.book = book }

    private struct Refusal: Error {
        var status: Int
        var message: String

        static let notFound = Refusal(status: 404, message: "Not Found")
    }

    func received(_ request: StandInRequest) async throws {}
    func errorBody(status: Int) -> JSONValue { ["message": "A fault that was asked for."] }

    func answer(_ request: StandInRequest) async throws -> StandInAnswer {
        do {
            try authorize(request)
            return try await route(request)
        } catch let refusal as Refusal {
            return .json(refusal.status, ["message": .string(refusal.message)])
        } catch let error as FieldError {
            return .json(400, ["message": .string(error.sentence)])
        }
    }

    /// `token TOKEN`, or a user's name and password.
    private func authorize(_ request: StandInRequest) throws {
        let unauthorized = Refusal(status: 401, message: "Unauthorized")
        guard let given = request.headers["authorization"] else { throw unauthorized }
        guard let token = book.settings.token else { return }
        let isToken = given.lowercased().hasPrefix("token ") && given.dropFirst(6) == token
        guard isToken || BasicCredentials.read(request)?.password == token else { throw unauthorized }
    }

    private func route(_ request: StandInRequest) async throws -> StandInAnswer {
        var parts = Array(request.parts.dropFirst(2))
        guard parts.count > 2, parts[0] == "REST", parts[1] == "2.0" else { throw Refusal.notFound }
        parts.removeFirst(2)
        switch (request.method, parts[0], parts.count) {
        case ("POST", "ticket", 1):
            try await request.pause(clock: clock)
            return try create(request)
        case ("GET", "tickets", 1): return try search(request)
        case ("GET", "ticket", 2): return .json(200, show(try ticket(parts[1])))
        case ("PUT", "ticket", 2):
            let id = try ticket(parts[1]).id
            try await request.pause(clock: clock)
            return try update(id, request)
        case ("POST", "ticket", 3) where parts[2] == "correspond" || parts[2] == "comment":
            let id = try ticket(parts[1]).id
            try await request.pause(clock: clock)
            return try write(id, isPublic: parts[2] == "correspond", request)
        case ("GET", "ticket", 3) where parts[2] == "history": return try history(ticket(parts[1]), request)
        case ("GET", "transaction", 3) where parts[2] == "attachments": return try attachments(of: parts[1])
        case ("GET", "attachment", 2): return try attachment(parts[1])
        default: throw Refusal.notFound
        }
    }

    private func ticket(_ part: String) throws -> DeskTicketRecord {
        guard let id = Int(part), let found = book.with({ $0.tickets[id] }) else { throw Refusal.notFound }
        return found
    }

    private static func text(_ number: Int) -> JSONValue { .string(String(number)) }

    // MARK: Writing

    private func create(_ request: StandInRequest) throws -> StandInAnswer {
        var fields = try StrictObject(request.json)
        _ = try fields.text("Queue", max: 200)
        let subject = try fields.optionalText("Subject", max: 200, mayBeEmpty: true) ?? ""
        let content = try fields.optionalText("Content", max: 1_000_000) ?? ""
        if fields.has("ContentType") { _ = try fields.text("ContentType", oneOf: ["text/plain", "text/html"]) }
        let email = try fields.optionalText("Requestor", max: 255)
        let priority = try fields.optionalInteger("Priority", in: 0...100)
        try fields.finish()
        let now = clock.now
        return book.with { state in
            var requester = DeskBook.program
            if let email {
                requester = state.users.values.first { $0.email == email }?.id ?? state.number()
                state.users[requester] = state.users[requester] ?? DeskUser(id: requester, name: email, email: email)
            }
            var ticket = DeskTicketRecord(
                id: state.number(), subject: subject, status: "new", priority: String(priority ?? 0), requester: requester,
                createdAt: now, updatedAt: now)
            ticket.entries.append(
                DeskEntry(
                    id: state.number(), kind: .change(field: "", from: nil, to: nil), author: DeskBook.program, text: content, at: now))
            state.tickets[ticket.id] = ticket
            return .json(201, ["id": Self.text(ticket.id), "type": "ticket", "_url": .string("/REST/2.0/ticket/\(ticket.id)")])
        }
    }

    /// A status is the only thing that can be changed here.
    private func update(_ id: Int, _ request: StandInRequest) throws -> StandInAnswer {
        var fields = try StrictObject(request.json)
        let status = try fields.text("Status", oneOf: ["new", "open", "stalled", "resolved", "rejected"])
        try fields.finish()
        let now = clock.now
        return try book.with { state in
            guard var ticket = state.tickets[id] else { throw Refusal.notFound }
            let before = ticket.status
            guard before != status else { return .json(200, [.string("Ticket \(id): That is already the current value")]) }
            ticket.change("Status", from: before, to: status, id: state.number(), by: DeskBook.program, at: now)
            ticket.status = status
            state.tickets[id] = ticket
            return .json(200, [.string("Ticket \(id): Status changed from '\(before)' to '\(status)'")])
        }
    }

    private func write(_ id: Int, isPublic: Bool, _ request: StandInRequest) throws -> StandInAnswer {
        var fields = try StrictObject(request.json)
        let content = try fields.text("Content", max: 1_000_000)
        if fields.has("ContentType") { _ = try fields.text("ContentType", oneOf: ["text/plain", "text/html"]) }
        try fields.finish()
        let now = clock.now
        return try book.with { state in
            guard var ticket = state.tickets[id] else { throw Refusal.notFound }
            ticket.entries.append(
                DeskEntry(id: state.number(), author: DeskBook.program, text: content, isPublic: isPublic, at: now))
            ticket.updatedAt = now
            state.tickets[id] = ticket
            return .json(201, [isPublic ? "Correspondence added" : "Comments added"])
        }
    }

    // MARK: Reading

    private func name(_ user: Int) -> String {
        if user == DeskBook.automation { return "RT_System" }
        return book.with { state in (user == DeskBook.program ? state.settings.user : nil) ?? state.users[user]?.name ?? "Nobody" }
    }

    private func person(_ user: Int?) -> JSONValue { ["type": "user", "id": .string(user.map(name) ?? "Nobody")] }

    private func show(_ ticket: DeskTicketRecord) -> JSONValue {
        [
            "id": .integer(Int64(ticket.id)), "type": "ticket", "Subject": .string(ticket.subject), "Status": .string(ticket.status),
            "Priority": JSONValue(ticket.priority), "Owner": person(ticket.assignee),
            "Requestor": ticket.requester == DeskBook.program ? [] : [person(ticket.requester)], "Cc": [],
            "Created": .string(ticket.createdAt.wholeSeconds), "LastUpdated": .string(ticket.updatedAt.wholeSeconds),
        ]
    }

    /// `Subject LIKE '…'` is understood.
    private func search(_ request: StandInRequest) throws -> StandInAnswer {
        guard let query = request.query["query"], let match = query.wholeMatch(of: /Subject LIKE '([^']*)'/) else {
            throw FieldError(field: "query", problem: "must be Subject LIKE '…' here")
        }
        let found = book.with { $0.tickets.values.filter { $0.subject.contains(match.1) }.sorted { $0.id < $1.id } }
        return .json(200, try page(found.map { ["id": Self.text($0.id), "type": "ticket", "Subject": .string($0.subject)] }, request))
    }

    /// All transactions, or those from a number on as `[{"field":"id","operator":">=","value":"…"}]` asks.
    private func history(_ ticket: DeskTicketRecord, _ request: StandInRequest) throws -> StandInAnswer {
        var least = 0
        if let text = request.query["query"] {
            guard let wanted = JSONText.read(Array(text.utf8))?.array, wanted.count == 1, wanted[0]["field"] == "id",
                wanted[0]["operator"] == ">=", let value = wanted[0]["value"]?.plainText, let number = Int(value)
            else { throw FieldError(field: "query", problem: "must name an id that is at least so high here") }
            least = number
        }
        let items = ticket.entries.filter { $0.id >= least }.map { entry -> JSONValue in
            var item: JSONValue = [
                "id": Self.text(entry.id), "type": "transaction", "Creator": person(entry.author),
                "Created": .string(entry.at.wholeSeconds), "Field": "", "OldValue": "", "NewValue": "",
            ]
            switch entry.kind {
            case .message: item["Type"] = entry.isPublic ? "Correspond" : "Comment"
            case .change("", _, _): item["Type"] = "Create"
            case .change(let field, let before, let after):
                item["Type"] = field == "Status" ? "Status" : "Set"
                item["Field"] = .string(field)
                item["OldValue"] = .string(before ?? "")
                item["NewValue"] = .string(after ?? "")
            }
            return item
        }
        return .json(200, try page(items, request))
    }

    private func attachments(of transaction: String) throws -> StandInAnswer {
        let entry = try entry(transaction)
        let headers = entry.isAutomatic ? "Auto-Submitted: auto-generated\n" : ""
        let part: JSONValue = [
            "id": Self.text(entry.id), "type": "attachment", "ContentType": "text/plain", "Filename": "", "Headers": .string(headers),
        ]
        return .json(200, ["count": 1, "page": 1, "pages": 1, "per_page": 20, "total": 1, "items": [part]])
    }

    private func attachment(_ id: String) throws -> StandInAnswer {
        let entry = try entry(id)
        let content = Base64.encode(Array(entry.text.utf8))
        return .json(
            200, ["id": .integer(Int64(entry.id)), "type": "attachment", "ContentType": "text/plain", "Content": .string(content)])
    }

    private func entry(_ part: String) throws -> DeskEntry {
        guard let id = Int(part), let found = book.with({ $0.tickets.values.lazy.flatMap(\.entries).first { $0.id == id } }) else {
            throw Refusal.notFound
        }
        return found
    }

    private func page(_ items: [JSONValue], _ request: StandInRequest) throws -> JSONValue {
        let (size, number) = (Int(request.query["per_page"] ?? "20") ?? 0, Int(request.query["page"] ?? "1") ?? 0)
        guard (1...100).contains(size), number >= 1 else { throw FieldError(field: "page", problem: "must be a number from 1") }
        let shown = Array(items.dropFirst(size * (number - 1)).prefix(size))
        return [
            "count": .integer(Int64(shown.count)), "page": .integer(Int64(number)), "per_page": .integer(Int64(size)),
            "pages": .integer(Int64((items.count + size - 1) / size)), "total": .integer(Int64(items.count)), "items": .array(shown),
        ]
    }
}
