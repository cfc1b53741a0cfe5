import Conversation
import JSON

/// Request Tracker 5 through its REST 2 interface. It has no webhooks: what people do is read from a ticket's transactions.
///
/// Our reference stands in the subject, which every ticket has and TicketSQL searches; a custom field would have to be set up first.
struct RequestTrackerDesk: TicketDesk {
    let capabilities = DeskCapabilities(callsUs: false, deduplicatesEntries: false)
    let calls: DeskCalls
    /// The name of our own account: what it did is not read back.
    let account: String
    private let queue: String
    private let authorization: String

    /// Throws `DeskSetupError` without an account, a queue, or a token or password.
    init(_ configuration: DeskConfiguration, calls: DeskCalls) throws {
        guard let user = configuration.user else { throw DeskSetupError(configuration, "user is missing") }
        guard let queue = configuration.queue else { throw DeskSetupError(configuration, "queue is missing") }
        if let token = configuration.token {
            authorization = "token \(token.reveal())"
        } else if let password = configuration.password {
            authorization = Credentials.basic(user, password)
        } else {
            throw DeskSetupError(configuration, "neither token nor password is there")
        }
        account = user.lowercased()
        self.queue = queue
        self.calls = calls
    }

    func find(_ reference: HandoverID) async throws(DeskError) -> DeskTicket? {
        let request = api(.get("/tickets", [("query", "Subject LIKE '\(DeskText.mark(reference.value))'"), ("fields", "Subject")]))
        guard let items = try await calls.json(request)["items"].array else { throw calls.unreadable(request, "it lists no tickets") }
        // LIKE is the database's: some take the brackets for a set of characters.
        let ids = items.filter { $0["Subject"].string?.contains(DeskText.mark(reference.value)) == true }.compactMap { $0["id"].number }
        return ids.min().map { ticket(String($0)) }
    }

    func open(_ draft: TicketDraft) async throws(DeskError) -> DeskTicket {
        var fields: [String: JSONValue] = [
            "Queue": .string(queue), "Subject": .string(Self.subject(draft)), "Content": .string(DeskText.opening(draft)),
            "ContentType": "text/plain", "Priority": .integer(Self.priority(draft.priority)),
        ]
        if let email = draft.customer.email { fields["Requestor"] = .string(email) }
        let request = api(.json("POST", "/ticket", .object(fields)))
        guard let id = try await calls.json(request)["id"].number else { throw calls.unreadable(request, "it names no ticket") }
        return ticket(String(id))
    }

    func add(_ entry: TicketEntry, to ticket: DeskTicket) async throws(DeskError) {
        let isForAll = entry.author == .customer && !entry.isInternal
        try await write(DeskText.marked(entry), as: isForAll ? "correspond" : "comment", to: ticket)
    }

    func contains(_ entry: UniqueID, in ticket: DeskTicket) async throws(DeskError) -> Bool? {
        let mine = try await history(of: ticket, from: 0).transactions.filter { $0.isMessage && $0.creator == account }
        // The newest first: what is asked for was written a moment ago.
        for transaction in mine.suffix(50).reversed() {
            if DeskText.markedID(in: try await content(of: transaction, in: ticket).text) == entry { return true }
        }
        return false
    }

    func close(_ ticket: DeskTicket, reason: String) async throws(DeskError) {
        _ = try await calls.answer(
            to: api(.json("PUT", "/ticket/\(try number(ticket))", ["Status": "resolved"], isAboutTicket: true)))
        // The answer is 200 also for what was not done, with a sentence in the language of the account.
        let status = try await look(at: ticket).status
        guard Self.inactive.contains(status) else {
            throw DeskError(.refused, "the ticket stays \(status): the account may not resolve it, or its queue knows no \"resolved\"")
        }
        try await write(DeskText.cut("Closed: \(reason)", to: 4_000), as: "comment", to: ticket)
    }

    /// Request Tracker never calls: nothing proves that a call is its own.
    func events(in request: ChannelRequest, now: Timestamp) throws(DeskError) -> [DeskEvent] {
        throw DeskError(.unproven, "this desk makes no calls")
    }
}

// MARK: Requests

extension RequestTrackerDesk {
    /// Statuses in which nobody works on a ticket any more, in the life cycle that Request Tracker comes with.
    static let inactive: Set<String> = ["resolved", "rejected", "deleted"]

    func api(_ request: DeskCalls.Request) -> DeskCalls.Request {
        var request = request
        request.path = "/REST/2.0" + request.path
        request.headers.append(Credentials.header(authorization))
        return request
    }

    /// A ticket's id, which becomes part of a path.
    func number(_ ticket: DeskTicket) throws(DeskError) -> Int64 {
        guard let number = Int64(ticket.id), number > 0 else { throw DeskError(.gone, "\"\(ticket.id)\" is no ticket of Request Tracker") }
        return number
    }

    private func ticket(_ id: String) -> DeskTicket {
        DeskTicket(id: id, url: "\(calls.configuration.baseURL)/Ticket/Display.html?id=\(id)")
    }

    private func write(_ text: String, as kind: String, to ticket: DeskTicket) async throws(DeskError) {
        let path = "/ticket/\(try number(ticket))"
        do throws(DeskError) {
            _ = try await calls.answer(
                to: api(.json("POST", "\(path)/\(kind)", ["Content": .string(text), "ContentType": "text/plain"], isAboutTicket: true)))
        } catch {
            // A ticket that is not there is answered 400 like any other mistake.
            if error.outcome == .refused { _ = try await look(at: ticket) }
            throw error
        }
    }

    struct Look: Sendable {
        let status: String
        let owner: String
        /// Those who ask, in small letters: what they write is no answer.
        let askers: Set<String>
    }

    func look(at ticket: DeskTicket) async throws(DeskError) -> Look {
        let request = api(.get("/ticket/\(try number(ticket))", isAboutTicket: true))
        let fields = try await calls.json(request)
        guard let status = fields["Status"].string else { throw calls.unreadable(request, "the ticket has no status") }
        let people = ["Requestor", "Cc"].flatMap { fields[$0].array ?? [] }
        return Look(
            status: status, owner: fields["Owner"]["id"].string ?? "Nobody",
            askers: Set(people.compactMap { $0["id"].string?.lowercased() }))
    }

    /// At most 200 characters fit into Request Tracker's field; the reference goes last, so it is what must not be cut.
    private static func subject(_ draft: TicketDraft) -> String {
        let line = draft.subject.split(whereSeparator: \.isNewline).joined(separator: " ")
        return "\(line.prefix(150)) \(DeskText.mark(draft.reference.value))"
    }

    private static func priority(_ priority: HandoverPriority) -> Int64 {
        switch priority {
        case .low: 0
        case .normal: 50
        case .high: 75
        case .urgent: 100
        }
    }
}

extension JSONView {
    /// A whole number above zero, also one written as text.
    var number: Int64? {
        let number = int.map(Int64.init) ?? string.flatMap { Int64($0) }
        return number.flatMap { $0 > 0 ? $0 : nil }
    }
}
