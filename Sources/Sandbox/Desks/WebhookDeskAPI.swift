import Conversation

/// Stands in for any system that takes the gateway's own webhooks: it keeps one ticket for a reference and one entry for an id, and checks no
/// signature, which is for independent libraries to do.
struct WebhookDeskAPI: StandIn {
    let book: DeskBook
    private var clock: any WallClock { book.clock }

    init(book: DeskBook) { self.book = book }

    func received(_ request: StandInRequest) async throws {}
    func errorBody(status: Int) -> JSONValue { ["error": "fault"] }

    func answer(_ request: StandInRequest) async throws -> StandInAnswer {
        do {
            switch request.method {
            case "POST":
                try await request.pause(clock: clock)
                return try take(request)
            default: return .json(405, ["error": "method"])
            }
        } catch let error as FieldError {
            return .json(400, ["error": .string(error.sentence)])
        }
    }

    private func find(_ reference: String?) -> StandInAnswer {
        let found = book.with { state in state.tickets.values.first { $0.reference == reference } }
        return .json(200, found.map { Self.name($0.id) } ?? ["ticket": nil])
    }

    /// A ticket as it is now: whether it is closed, and what people answered in it.
    private func changes(_ call: JSONValue) -> StandInAnswer {
        let ticket = call["ticket"]?.string.flatMap { Int($0) }.flatMap { id in book.with { $0.tickets[id] } }
        guard let ticket else { return .json(200, ["ticket": nil]) }
        let answers = ticket.messages.filter { $0.isPublic && !$0.isIncoming && $0.author != DeskBook.program }
        return .json(
            200,
            [
                "ticket": .string(String(ticket.id)), "closed": .bool(ticket.status == "closed"),
                "replies": .array(
                    answers.map { entry in
                        [
                            "id": .string("entry-\(entry.id)"), "text": .string(entry.text), "at": .string(entry.at.description),
                            "author": JSONValue(book.with { $0.users[entry.author]?.name }),
                            "automatic": .bool(entry.isAutomatic || entry.author == DeskBook.automation),
                        ]
                    }),
            ])
    }

    private static func name(_ id: Int) -> JSONValue {
        ["ticket": .string(String(id)), "url": .string("http://127.0.0.1/tickets/\(id)")]
    }

    private func take(_ request: StandInRequest) throws -> StandInAnswer {
        guard let call = request.json, let event = call["event"]?.string else { throw FieldError(field: "event", problem: "is required") }
        switch event {
        case "ticket.find": return find(call["reference"]?.string)
        case "ticket.changes": return changes(call)
        case "ticket.opened": return try open(call)
        case "ticket.entry", "ticket.closed": return try change(call, event)
        default: throw FieldError(field: "event", problem: "is none that is known")
        }
    }

    private func open(_ call: JSONValue) throws -> StandInAnswer {
        guard let reference = call["reference"]?.string, let subject = call["subject"]?.string else {
            throw FieldError(field: "reference", problem: "is required, and so is subject")
        }
        let (now, customer) = (clock.now, call["customer"])
        return book.with { state in
            if let known = state.tickets.values.first(where: { $0.reference == reference }) { return .json(200, Self.name(known.id)) }
            let user = DeskUser(
                id: state.number(), name: customer?["name"]?.string ?? "Customer", email: customer?["email"]?.string,
                phone: customer?["phone"]?.string, externalID: customer?["user"]?.string)
            state.users[user.id] = user
            var ticket = DeskTicketRecord(
                id: state.number(), subject: subject, status: "open", priority: call["priority"]?.string, reference: reference,
                requester: user.id, createdAt: now, updatedAt: now)
            if let summary = call["summary"]?.string {
                ticket.entries.append(DeskEntry(id: state.number(), author: DeskBook.program, text: summary, isPublic: false, at: now))
            }
            for entry in call["history"]?.array ?? [] { ticket.entries.append(Self.entry(entry, state.number(), user.id, at: now)) }
            state.tickets[ticket.id] = ticket
            return .json(201, Self.name(ticket.id))
        }
    }

    private static func entry(_ value: JSONValue, _ id: Int, _ customer: Int, at: Timestamp) -> DeskEntry {
        let isIncoming = value["author"] == "customer"
        return DeskEntry(
            id: id, author: isIncoming ? customer : DeskBook.program, text: value["text"]?.string ?? "",
            isPublic: value["internal"] != true, isIncoming: isIncoming, key: value["id"]?.string, at: at)
    }

    private func change(_ call: JSONValue, _ event: String) throws -> StandInAnswer {
        guard let id = call["ticket"]?.string.flatMap({ Int($0) }) else { throw FieldError(field: "ticket", problem: "is required") }
        let now = clock.now
        return book.with { state in
            guard var ticket = state.tickets[id] else { return .json(404, ["error": "no such ticket"]) }
            if event == "ticket.closed" {
                ticket.status = "closed"
            } else if let entry = call["entry"], !ticket.entries.contains(where: { $0.key != nil && $0.key == entry["id"]?.string }) {
                ticket.entries.append(Self.entry(entry, state.number(), ticket.requester, at: now))
            }
            ticket.updatedAt = now
            state.tickets[id] = ticket
            return .json(200, [:])
        }
    }
}
