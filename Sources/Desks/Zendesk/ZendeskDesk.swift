import Conversation
import JSON
import Signing

/// Zendesk Support through its ticketing API. Our reference is the ticket's `external_id`; creating carries it as `Idempotency-Key` too.
///
/// What the customer writes becomes a public comment of the requester, so Zendesk shows it as the customer's; all else is internal. With a
/// signing secret Zendesk calls us (events of tickets), and is asked at once what happened; without one it is asked from time to time.
struct ZendeskDesk: TicketDesk {
    let capabilities: DeskCapabilities
    let calls: DeskCalls
    private let authorization: String
    private let group: Int64?
    private let key: HMACKey?

    /// Throws `DeskSetupError` without a token, or with a group that is no number.
    init(_ configuration: DeskConfiguration, calls: DeskCalls) throws {
        switch (configuration.user, configuration.token, configuration.password) {
        case (let user?, let token?, _): authorization = Credentials.basic("\(user)/token", token)
        case (nil, let token?, _): authorization = "Bearer \(token.reveal())"
        case (let user?, nil, let password?): authorization = Credentials.basic(user, password)
        case (_, nil, _): throw DeskSetupError(configuration, "token is missing")
        }
        group = try configuration.groupNumber
        key = configuration.webhookSecret.map { HMACKey(Array($0.reveal().utf8)) }
        capabilities = DeskCapabilities(callsUs: key != nil, deduplicatesEntries: false, opensOnce: true)
        self.calls = calls
    }

    func find(_ reference: HandoverID) async throws(DeskError) -> DeskTicket? {
        let request = api(.get("/tickets.json", [("external_id", reference.description)]))
        guard let tickets = try await calls.json(request)["tickets"].array else { throw calls.unreadable(request, "it lists no tickets") }
        let ours = tickets.filter { $0["external_id"].string == reference.description && $0["status"].string != "deleted" }
        return ours.compactMap { $0["id"].number }.min().map(ticket)
    }

    func open(_ draft: TicketDraft) async throws(DeskError) -> DeskTicket {
        let requester = try await requester(draft.customer)
        var fields: [String: JSONValue] = [
            "subject": .string(String(draft.subject.prefix(150))), "external_id": .string(draft.reference.description),
            "priority": .string(draft.priority.rawValue), "tags": ["switchboard", .string(draft.reason.rawValue)],
            // The summary is for the brand's people: a public first comment would be mailed to the customer.
            "comment": ["body": .string(DeskText.opening(draft, to: Self.longestComment)), "public": false],
        ]
        fields.merge(requester) { $1 }
        if let group { fields["group_id"] = .integer(group) }
        var request = api(.json("POST", "/tickets.json", ["ticket": .object(fields)]))
        request.headers.append(("Idempotency-Key", draft.reference.description))
        request.meaning = { answer in
            switch answer.status {
            // Another request changes the same thing at this moment: Zendesk did nothing.
            case 409: .notDone
            // The key was used for a draft that read differently: there is a ticket.
            case 400 where String(decoding: answer.body.prefix(1_000), as: UTF8.self).contains("Idempotent"): .unknown
            default: nil
            }
        }
        let answer = try await calls.json(request)["ticket"]
        guard let id = answer["id"].number else { throw calls.unreadable(request, "it names no ticket") }
        return ticket(id)
    }

    func add(_ entry: TicketEntry, to ticket: DeskTicket) async throws(DeskError) {
        let isForAll = entry.author == .customer && !entry.isInternal
        var comment: [String: JSONValue] = ["body": .string(DeskText.marked(entry, to: Self.longestComment)), "public": .bool(isForAll)]
        if isForAll {
            let look = try await look(at: ticket)
            guard look.status != "closed" else { throw DeskError(.gone, "ticket \(ticket.id) is closed for good") }
            comment["author_id"] = .integer(look.requester)
        }
        try await update(ticket, ["comment": .object(comment)])
    }

    func contains(_ entry: UniqueID, in ticket: DeskTicket) async throws(DeskError) -> Bool? {
        // What is asked for was written a moment ago.
        let request = api(
            .get("/tickets/\(try number(ticket))/comments.json", [("sort_order", "desc"), ("per_page", "100")], isAboutTicket: true))
        guard let comments = try await calls.json(request)["comments"].array else {
            throw calls.unreadable(request, "it lists no comments")
        }
        return comments.contains { $0["body"].string.flatMap { DeskText.markedID(in: $0) } == entry }
    }

    func close(_ ticket: DeskTicket, reason: String) async throws(DeskError) {
        try await update(
            ticket, ["status": "solved", "comment": ["body": .string(DeskText.cut("Closed: \(reason)", to: 4_000)), "public": false]])
    }

    func events(in request: ChannelRequest, now: Timestamp) throws(DeskError) -> [DeskEvent] {
        guard let key else { throw DeskError(.unproven, "this desk makes no calls") }
        return try ZendeskEvents.events(in: request, key: key, now: now)
    }
}

// MARK: Requests

extension ZendeskDesk {
    /// Zendesk: a comment holds at most 65,535 characters, of which some take more bytes.
    static let longestComment = 60_000

    func api(_ request: DeskCalls.Request) -> DeskCalls.Request {
        var request = request
        request.path = "/api/v2" + request.path
        request.headers.append(Credentials.header(authorization))
        return request
    }

    func number(_ ticket: DeskTicket) throws(DeskError) -> Int64 {
        guard let number = Int64(ticket.id), number > 0 else { throw DeskError(.gone, "\"\(ticket.id)\" is no ticket of Zendesk") }
        return number
    }

    private func ticket(_ id: Int64) -> DeskTicket { DeskTicket(id: String(id), url: "\(calls.configuration.baseURL)/agent/tickets/\(id)") }

    private func update(_ ticket: DeskTicket, _ fields: JSONValue) async throws(DeskError) {
        var request = api(.json("PUT", "/tickets/\(try number(ticket)).json", ["ticket": fields], isAboutTicket: true))
        request.meaning = { $0.status == 409 ? .notDone : nil }
        _ = try await calls.answer(to: request)
    }

    struct Look: Sendable {
        let status: String
        let requester: Int64
        let assignee: Int64?
        let updated: String
    }

    func look(at ticket: DeskTicket) async throws(DeskError) -> Look {
        let request = api(.get("/tickets/\(try number(ticket)).json", isAboutTicket: true))
        let fields = try await calls.json(request)["ticket"]
        guard let status = fields["status"].string, let requester = fields["requester_id"].number else {
            throw calls.unreadable(request, "the ticket has no status or no requester")
        }
        return Look(
            status: status.lowercased(), requester: requester, assignee: fields["assignee_id"].number,
            updated: fields["updated_at"].string ?? "")
    }

    /// Who asks: by e-mail where it is proven, otherwise a user of Zendesk that bears our user's id.
    private func requester(_ customer: TicketCustomer) async throws(DeskError) -> [String: JSONValue] {
        let name = customer.name ?? customer.phone ?? "Customer"
        if let email = customer.email { return ["requester": ["name": .string(name), "email": .string(email)]] }
        let user: JSONValue = ["name": .string(name), "external_id": .string("switchboard-\(customer.user)")]
        var request = api(.json("POST", "/users/create_or_update.json", ["user": user]))
        // Doing it again does the same, so nothing is unknown about it.
        request.meaning = { (500...599).contains($0.status) || $0.status == 409 ? .notDone : nil }
        do throws(DeskError) {
            guard let id = try await calls.json(request)["user"]["id"].number else { throw calls.unreadable(request, "it names no user") }
            return ["requester_id": .integer(id)]
        } catch {
            throw error.outcome == .unknown ? DeskError(.notDone, error.detail, retryAfter: error.retryAfter) : error
        }
    }
}

extension DeskConfiguration {
    /// `queue` as the number of a group; nil without one. Throws `DeskSetupError` for anything else.
    var groupNumber: Int64? {
        get throws {
            guard let queue else { return nil }
            guard let number = Int64(queue), number > 0 else { throw DeskSetupError(self, "queue must be the number of a group") }
            return number
        }
    }
}
