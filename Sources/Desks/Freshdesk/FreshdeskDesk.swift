import Conversation
import HTTPCalls
import JSON
import Signing

/// Freshdesk through its API version 2.
///
/// Our reference stands in the subject and as a tag. Freshdesk's search knows tags but learns of new tickets late; its list is exact and
/// always has the subject. So the list is read back to when the reference was made, and the search is asked only when that is too long.
///
/// What the customer writes becomes a public note by the requester, because a reply would be mailed to the customer; all else is private.
struct FreshdeskDesk: TicketDesk {
    let capabilities: DeskCapabilities
    let calls: DeskCalls
    private let authorization: String
    private let group: Int64?
    private let secret: Secret?

    /// Throws `DeskSetupError` without an API key, or with a group that is no number.
    init(_ configuration: DeskConfiguration, calls: DeskCalls) throws {
        guard let token = configuration.token else { throw DeskSetupError(configuration, "token is missing") }
        authorization = Credentials.basic(token.reveal(), Secret("X"))
        group = try configuration.groupNumber
        secret = configuration.webhookSecret
        capabilities = DeskCapabilities(callsUs: secret != nil, deduplicatesEntries: false)
        self.calls = calls
    }

    func find(_ reference: HandoverID) async throws(DeskError) -> DeskTicket? {
        let since = Self.minted(reference)
        for page in 1...Self.mostPages {
            let tickets = try await list(
                "/tickets",
                [
                    ("updated_since", since.description.prefix(19) + "Z"), ("order_by", "created_at"), ("order_type", "desc"),
                    ("per_page", String(Self.page)), ("page", String(page)),
                ])
            if let found = Self.first(of: tickets, with: reference) { return found.map(ticket) }
            let isBefore = tickets.last?["created_at"].string.flatMap { Timestamp($0) }.map { $0 < since } ?? false
            if tickets.count < Self.page || isBefore { return nil }
        }
        let request = api(.get("/search/tickets", [("query", "\"tag:'\(Self.tag(reference))'\"")]))
        guard let results = try await calls.json(request)["results"].array else { throw calls.unreadable(request, "it lists no results") }
        return Self.first(of: results, with: reference).flatMap { $0.map(ticket) }
    }

    func open(_ draft: TicketDraft) async throws(DeskError) -> DeskTicket {
        let line = draft.subject.split(whereSeparator: \.isNewline).joined(separator: " ")
        var fields: [String: JSONValue] = [
            "subject": .string("\(line.prefix(150)) \(DeskText.mark(draft.reference.value))"),
            "description": .string(HTMLText.fitting { DeskText.opening(draft, to: $0) }),
            "status": .integer(Self.open), "priority": .integer(Self.priority(draft.priority)), "source": .integer(Self.chat),
            "tags": ["switchboard", .string(Self.tag(draft.reference))],
        ]
        fields.merge(Self.requester(draft.customer)) { $1 }
        if let group { fields["group_id"] = .integer(group) }
        let request = api(.json("POST", "/tickets", .object(fields)))
        guard let id = try await calls.json(request)["id"].number else { throw calls.unreadable(request, "it names no ticket") }
        return ticket(id)
    }

    func add(_ entry: TicketEntry, to ticket: DeskTicket) async throws(DeskError) {
        let isForAll = entry.author == .customer && !entry.isInternal
        var note: [String: JSONValue] = ["body": .string(HTMLText.fitting { DeskText.marked(entry, to: $0) }), "private": .bool(!isForAll)]
        if isForAll {
            note["incoming"] = true
            note["user_id"] = .integer(try await look(at: ticket).requester)
        }
        try await write(.object(note), to: ticket)
    }

    func contains(_ entry: UniqueID, in ticket: DeskTicket) async throws(DeskError) -> Bool? {
        try await conversations(of: ticket, after: 0).contains { Self.text(of: $0).flatMap { DeskText.markedID(in: $0) } == entry }
    }

    func close(_ ticket: DeskTicket, reason: String) async throws(DeskError) {
        let path = "/tickets/\(try number(ticket))"
        _ = try await calls.answer(to: api(.json("PUT", path, ["status": .integer(Self.resolved)], isAboutTicket: true)))
        try await write(["body": .string(HTMLText.from(DeskText.cut("Closed: \(reason)", to: 4_000))), "private": true], to: ticket)
    }

    func events(in request: ChannelRequest, now: Timestamp) throws(DeskError) -> [DeskEvent] {
        guard let secret else { throw DeskError(.unproven, "this desk makes no calls") }
        return try FreshdeskEvents.events(in: request, secret: secret, now: now)
    }
}

// MARK: Freshdesk's numbers

extension FreshdeskDesk {
    static let page = 100
    static let mostPages = 10
    private static let open: Int64 = 2
    private static let resolved: Int64 = 4
    private static let chat: Int64 = 7

    /// Resolved (4) or closed (5).
    static func isDone(_ status: Int64?) -> Bool { status == resolved || status == 5 }

    private static func priority(_ priority: HandoverPriority) -> Int64 {
        switch priority {
        case .low: 1
        case .normal: 2
        case .high: 3
        case .urgent: 4
        }
    }

    /// A tag holds at most 32 characters: exactly the digits of an id.
    static func tag(_ reference: HandoverID) -> String { Hex.encode(reference.bytes) }

    /// When the reference was made (the first 48 bits of a UUIDv7), ten minutes earlier for clocks that differ.
    private static func minted(_ reference: HandoverID) -> Timestamp {
        Timestamp(seconds: max(0, Int64(reference.value.high >> 16) / 1_000 - 600))
    }

    private static func first(of tickets: [JSONView], with reference: HandoverID) -> Int64?? {
        let mark = DeskText.mark(reference.value)
        let ours = tickets.filter { ticket in
            ticket["subject"].string?.contains(mark) == true || ticket["tags"].array?.contains { $0.string == tag(reference) } == true
        }
        return ours.isEmpty ? nil : .some(ours.compactMap { $0["id"].number }.min())
    }

    /// Who asks, by what is proven; otherwise a contact that bears our user's id. Freshdesk finds a contact by any one of the three.
    private static func requester(_ customer: TicketCustomer) -> [String: JSONValue] {
        let name = JSONValue.string(customer.name ?? customer.phone ?? "Customer")
        if let email = customer.email { return ["email": .string(email), "name": name] }
        if let phone = customer.phone { return ["phone": .string(phone), "name": name] }
        return ["unique_external_id": .string("switchboard-\(customer.user)"), "name": name]
    }
}

// MARK: Requests

extension FreshdeskDesk {
    func api(_ request: DeskCalls.Request) -> DeskCalls.Request {
        var request = request
        request.path = "/api/v2" + request.path
        request.headers.append(Credentials.header(authorization))
        // Descriptions of a hundred tickets may be long.
        request.maxAnswer = 8_388_608
        return request
    }

    func number(_ ticket: DeskTicket) throws(DeskError) -> Int64 {
        guard let number = Int64(ticket.id), number > 0 else { throw DeskError(.gone, "\"\(ticket.id)\" is no ticket of Freshdesk") }
        return number
    }

    private func ticket(_ id: Int64) -> DeskTicket { DeskTicket(id: String(id), url: "\(calls.configuration.baseURL)/a/tickets/\(id)") }

    private func list(
        _ path: String, _ query: [(name: String, value: String)], isAboutTicket: Bool = false
    ) async throws(DeskError) -> [JSONView] {
        let request = api(.get(path, query, isAboutTicket: isAboutTicket))
        guard let items = try await calls.json(request).array else { throw calls.unreadable(request, "it is no list") }
        return items
    }

    private func write(_ note: JSONValue, to ticket: DeskTicket) async throws(DeskError) {
        _ = try await calls.answer(to: api(.json("POST", "/tickets/\(try number(ticket))/notes", note, isAboutTicket: true)))
    }

    struct Look: Sendable {
        let status: Int64
        let requester: Int64
        let agent: Int64?
        let updated: String
    }

    func look(at ticket: DeskTicket) async throws(DeskError) -> Look {
        let request = api(.get("/tickets/\(try number(ticket))", isAboutTicket: true))
        let fields = try await calls.json(request)
        guard let status = fields["status"].number, let requester = fields["requester_id"].number else {
            throw calls.unreadable(request, "the ticket has no status or no requester")
        }
        // A ticket in the bin is still shown.
        guard fields["deleted"].bool != true, fields["spam"].bool != true else { throw DeskError(.gone, "ticket \(ticket.id) was deleted") }
        return Look(
            status: status, requester: requester, agent: fields["responder_id"].number, updated: fields["updated_at"].string ?? "")
    }

    /// The conversation's entries newer than `last`, oldest first.
    func conversations(of ticket: DeskTicket, after last: Int64) async throws(DeskError) -> [JSONView] {
        var entries: [JSONView] = []
        for page in 1...50 {
            let items = try await list(
                "/tickets/\(try number(ticket))/conversations", [("per_page", String(Self.page)), ("page", String(page))],
                isAboutTicket: true)
            entries += items.filter { ($0["id"].number ?? 0) > last }
            if items.count < Self.page { break }
        }
        return entries.sorted { ($0["id"].number ?? 0) < ($1["id"].number ?? 0) }
    }

    static func text(of entry: JSONView) -> String? {
        (entry["body_text"].string ?? entry["body"].string.map { PlainText.from(html: $0) })?.trimmingSpaces
    }
}

// MARK: Asking

extension FreshdeskDesk {
    func changes(of ticket: DeskTicket, since cursor: String?) async throws(DeskError) -> DeskChanges {
        let look = try await look(at: ticket)
        return try await DeskState.changes(
            of: ticket, since: cursor, isDone: Self.isDone(look.status), assignee: look.agent, stamp: look.updated, now: calls.clock.now
        ) { last throws(DeskError) in
            try await conversations(of: ticket, after: last).map { entry in
                (id: entry["id"].number ?? last, reply: entry["user_id"].number == look.requester ? nil : reply(entry, in: ticket))
            }
        }
    }

    /// Nil for what is not for the customer, and for what we wrote.
    private func reply(_ entry: JSONView, in ticket: DeskTicket) -> DeskEvent? {
        guard let id = entry["id"].number, entry["incoming"].bool == false, entry["private"].bool == false else { return nil }
        let text = Self.text(of: entry) ?? ""
        let files = DeskState.attachments(entry["attachments"], (url: "attachment_url", name: "name", type: "content_type"))
        guard !text.isEmpty || !files.isEmpty, DeskText.markedID(in: text) == nil else { return nil }
        return DeskEvent(
            id: "conversation-\(id)", ticket: ticket.id, kind: .reply(text: text, attachments: files),
            at: entry["created_at"].string.flatMap { Timestamp($0) } ?? calls.clock.now)
    }
}

/// Text as HTML that shows just this text.
enum HTMLText {
    /// What `text` gives for a limit, within the limit of a body also as markup, which takes up to six bytes for one.
    static func fitting(_ text: (_ limit: Int) -> String) -> String {
        let whole = from(text(DeskText.longestBody))
        return whole.utf8.count <= DeskText.longestBody ? whole : from(text(DeskText.longestBody / 6))
    }

    static func from(_ text: String) -> String {
        var output = ""
        output.reserveCapacity(text.utf8.count + text.utf8.count / 8)
        for character in text {
            switch character {
            case "&": output += "&amp;"
            case "<": output += "&lt;"
            case ">": output += "&gt;"
            case "\"": output += "&quot;"
            case "\n", "\r\n": output += "<br>"
            default: output.append(character)
            }
        }
        return output
    }
}
