import Conversation
import JSON
import Signing

/// How far a ticket's transactions were read.
///
/// Numbers are given out when a transaction begins, and it may be seen later than one with a higher number: sending mail can take seconds in
/// between. So the mark stays behind what is younger than a minute, and what was seen beyond it is listed.
struct HistoryCursor: Sendable, Hashable, CustomStringConvertible {
    /// All up to this one were read.
    var low: Int64 = 0
    /// Read beyond it, ascending.
    var seen: [Int64] = []

    static let settled: Duration = .seconds(60)

    init() {}

    /// `58` or `58:60,61`. Throws `refused` for what is no cursor of ours.
    init(_ text: String) throws(DeskError) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count <= 2, let first = parts.first, let low = Int64(first), low >= 0 else { throw Self.foreign(text) }
        self.low = low
        for part in parts.dropFirst().first?.split(separator: ",") ?? [] {
            guard let number = Int64(part), number > low else { throw Self.foreign(text) }
            seen.append(number)
        }
    }

    var description: String { seen.isEmpty ? "\(low)" : "\(low):\(seen.map(String.init).joined(separator: ","))" }

    func isNew(_ id: Int64) -> Bool { id > low && !seen.contains(id) }

    /// After `read`, ascending and all of `low` and above.
    func advanced(over read: [(id: Int64, at: Timestamp)], now: Timestamp) -> HistoryCursor {
        var next = HistoryCursor()
        next.low = read.prefix { $0.at + Self.settled <= now }.last.map { max(low, $0.id) } ?? low
        next.seen = read.map(\.id).filter { $0 > next.low }
        return next
    }

    private static func foreign(_ text: String) -> DeskError { DeskError(.refused, "\"\(text.prefix(80))\" is no cursor of this desk") }
}

/// One transaction of a ticket.
struct Transaction: Sendable, Hashable {
    let id: Int64
    let type: String
    /// In small letters.
    let creator: String
    let field: String
    let before: String
    let after: String
    let at: Timestamp

    /// Seen by the customer, or by the brand's people alone.
    var isMessage: Bool { type == "Correspond" || type == "Comment" }

    init?(_ view: JSONView, now: Timestamp) {
        guard let id = view["id"].number, let type = view["Type"].string else { return nil }
        self.id = id
        self.type = type
        creator = view["Creator"]["id"].string?.lowercased() ?? ""
        field = view["Field"].string ?? ""
        before = view["OldValue"].string ?? ""
        after = view["NewValue"].string ?? ""
        at = view["Created"].string.flatMap { Timestamp($0) } ?? now
    }
}

extension RequestTrackerDesk {
    private static let fields = "Type,Creator,Created,Field,OldValue,NewValue"
    private static let page = 100
    /// Pages of one look; the rest is for the next.
    private static let mostPages = 10

    /// The transactions from number `low` on, ascending. Asking for `low` itself tells an old ticket from one that is gone: Request Tracker
    /// answers both with a list.
    func history(of ticket: DeskTicket, from low: Int64) async throws(DeskError) -> (transactions: [Transaction], isWhole: Bool) {
        var transactions: [Transaction] = []
        for page in 1...Self.mostPages {
            let request = api(
                .get(
                    "/ticket/\(try number(ticket))/history",
                    [
                        ("query", "[{\"field\":\"id\",\"operator\":\">=\",\"value\":\"\(low)\"}]"), ("fields", Self.fields),
                        ("orderby", "id"), ("per_page", String(Self.page)), ("page", String(page)),
                    ], isAboutTicket: true))
            guard let items = try await calls.json(request)["items"].array else { throw calls.unreadable(request, "it lists nothing") }
            if items.isEmpty, page == 1 { throw DeskError(.gone, "ticket \(ticket.id) has no history any more") }
            transactions += items.compactMap { Transaction($0, now: calls.clock.now) }
            if items.count < Self.page { return (transactions.sorted { $0.id < $1.id }, true) }
        }
        return (transactions.sorted { $0.id < $1.id }, false)
    }

    func changes(of ticket: DeskTicket, since cursor: String?) async throws(DeskError) -> DeskChanges {
        var start = HistoryCursor()
        if let cursor { start = try HistoryCursor(cursor) }
        let (transactions, isWhole) = try await history(of: ticket, from: start.low)
        let new = transactions.filter { start.isNew($0.id) && $0.creator != account }
        var events: [DeskEvent] = []
        var look: Look?
        for transaction in new where Self.matters(transaction) {
            let known: Look
            if let look { known = look } else { known = try await self.look(at: ticket) }
            look = known
            if let event = try await event(of: transaction, in: ticket, known) { events.append(event) }
        }
        // What lies behind an unread page must not be passed by the mark, however old it is: it is above everything that was read.
        let next = start.advanced(over: transactions.map { ($0.id, $0.at) }, now: calls.clock.now)
        return DeskChanges(events: events, cursor: (isWhole ? next : next.passing(transactions.last?.id)).description)
    }

    private static func matters(_ transaction: Transaction) -> Bool {
        transaction.type == "Correspond" || transaction.type == "Status" || transaction.field == "Owner"
    }

    private func event(of transaction: Transaction, in ticket: DeskTicket, _ look: Look) async throws(DeskError) -> DeskEvent? {
        let isAutomatic = transaction.creator == "rt_system"
        func event(_ kind: DeskEvent.Kind, isAutomatic: Bool) -> DeskEvent {
            DeskEvent(
                id: String(transaction.id), ticket: ticket.id, kind: kind, author: transaction.creator, isAutomatic: isAutomatic,
                at: transaction.at)
        }
        switch transaction.type {
        case "Correspond":
            // A customer who answers Request Tracker's mail is no agent.
            guard !look.askers.contains(transaction.creator) else { return nil }
            let content = try await content(of: transaction, in: ticket)
            guard DeskText.markedID(in: content.text) == nil, !content.text.isEmpty || !content.attachments.isEmpty else { return nil }
            return event(.reply(text: content.text, attachments: content.attachments), isAutomatic: isAutomatic || content.isAutomatic)
        case "Status":
            let (was, became) = (Self.inactive.contains(transaction.before), Self.inactive.contains(transaction.after))
            return was == became ? nil : event(became ? .closed : .reopened, isAutomatic: isAutomatic)
        default:
            // A change of owner is told twice, as a field and as a role.
            guard transaction.type != "SetWatcher", look.owner != "Nobody" else { return nil }
            return event(.assigned, isAutomatic: isAutomatic)
        }
    }
}

extension HistoryCursor {
    /// Up to a number that more is known to follow.
    func passing(_ id: Int64?) -> HistoryCursor {
        guard let id, id > low else { return self }
        var next = HistoryCursor()
        next.low = id
        return next
    }
}

// MARK: Content

extension RequestTrackerDesk {
    struct Content: Sendable {
        var text = ""
        var attachments: [TicketAttachment] = []
        /// Whether its headers say that a program sent it (RFC 3834, and what came before it).
        var isAutomatic = false
    }

    /// The text of a message, and its files as addresses in Request Tracker.
    func content(of transaction: Transaction, in ticket: DeskTicket) async throws(DeskError) -> Content {
        let request = api(
            .get("/transaction/\(transaction.id)/attachments", [("fields", "ContentType,Filename,Headers"), ("per_page", "100")]))
        guard let parts = try await calls.json(request)["items"].array else { throw calls.unreadable(request, "it lists no parts") }
        var content = Content()
        var html: [String] = []
        var plain: [String] = []
        for part in parts {
            guard let id = part["id"].number else { continue }
            let type = part["ContentType"].string?.lowercased() ?? ""
            let file = part["Filename"].string ?? ""
            if Self.isAutomatic(headers: part["Headers"].string ?? "") { content.isAutomatic = true }
            if type.hasPrefix("multipart/") { continue }
            if file.isEmpty, type == "text/plain" {
                plain.append(try await body(id))
            } else if file.isEmpty, type == "text/html" {
                html.append(PlainText.from(html: try await body(id)))
            } else {
                content.attachments.append(attachment(id, file, type, of: transaction))
            }
        }
        // Mail carries the same text in both forms.
        content.text = (plain.isEmpty ? html : plain).joined(separator: "\n\n").trimmingSpaces
        return content
    }

    private func attachment(_ id: Int64, _ file: String, _ type: String, of transaction: Transaction) -> TicketAttachment {
        let name = file.isEmpty ? "attachment-\(id)" : file
        let root = "\(calls.configuration.baseURL)/Ticket/Attachment/\(transaction.id)/\(id)"
        return TicketAttachment(url: "\(root)/\(Link.pathPart(name))", name: name, mimeType: type.isEmpty ? nil : type)
    }

    private func body(_ id: Int64) async throws(DeskError) -> String {
        let request = api(.get("/attachment/\(id)"))
        let view = try await calls.json(request)["Content"]
        guard let text = view.string else { return "" }
        guard let bytes = Base64.decode(text.filter { !$0.isWhitespace }) else {
            throw calls.unreadable(request, "the content is not Base64")
        }
        return DeskText.cut(String(decoding: bytes, as: UTF8.self), to: DeskText.longestBody)
    }

    private static func isAutomatic(headers: String) -> Bool {
        headers.lowercased().split(whereSeparator: \.isNewline).contains { line in
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2 else { return false }
            let value = parts[1].trimmingSpaces
            switch parts[0] {
            case "auto-submitted": return value != "no"
            case "precedence": return ["bulk", "junk", "auto_reply"].contains(value)
            case "x-autoreply", "x-autorespond", "x-auto-response-suppress": return true
            default: return false
            }
        }
    }
}
