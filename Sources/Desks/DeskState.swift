import Conversation
import JSON

/// How a ticket looked when it was last asked about, for desks that tell how things are rather than what happened. Stored as the cursor.
struct DeskState: Sendable, Hashable, CustomStringConvertible {
    /// The newest message that was read; 0 for none.
    var message: Int64 = 0
    var isDone = false
    /// 0 for nobody.
    var assignee: Int64 = 0

    init(message: Int64 = 0, isDone: Bool = false, assignee: Int64 = 0) {
        self.message = message
        self.isDone = isDone
        self.assignee = assignee
    }

    /// `message:done:assignee`. Throws `refused` for what is no cursor of ours.
    init(_ text: String) throws(DeskError) {
        let parts = text.split(separator: ":").compactMap { Int64($0) }
        guard parts.count == 3, parts.allSatisfy({ $0 >= 0 }) else {
            throw DeskError(.refused, "\"\(text.prefix(80))\" is no cursor of this desk")
        }
        self.init(message: parts[0], isDone: parts[1] == 1, assignee: parts[2])
    }

    var description: String { "\(message):\(isDone ? 1 : 0):\(assignee)" }

    /// What lies between this look and a later one, but for messages. `stamp` is when the ticket was last changed, as the desk writes it: with
    /// it a ticket that is closed twice has two events.
    func events(until later: DeskState, ticket: DeskTicket, stamp: String, now: Timestamp) -> [DeskEvent] {
        let at = Timestamp(stamp).map { min($0, now) } ?? now
        var events: [DeskEvent] = []
        if later.assignee != 0, later.assignee != assignee {
            events.append(DeskEvent(id: "assigned-\(later.assignee)-\(stamp)", ticket: ticket.id, kind: .assigned, at: at))
        }
        if later.isDone != isDone {
            let kind: DeskEvent.Kind = later.isDone ? .closed : .reopened
            events.append(DeskEvent(id: "\(later.isDone ? "closed" : "reopened")-\(stamp)", ticket: ticket.id, kind: kind, at: at))
        }
        return events
    }
}

extension DeskState {
    /// A look at a ticket whose desk tells how it is now: messages above the newest that was read, oldest first, and the changes of state.
    /// `messages` gives those after a number, each with the reply that it is, if it is one.
    static func changes(
        of ticket: DeskTicket, since cursor: String?, isDone: Bool, assignee: Int64?, stamp: String, now: Timestamp,
        messages: (_ last: Int64) async throws(DeskError) -> [(id: Int64, reply: DeskEvent?)]
    ) async throws(DeskError) -> DeskChanges {
        var before = DeskState()
        if let cursor, !cursor.isEmpty { before = try DeskState(cursor) }
        let read = try await messages(before.message)
        let after = DeskState(message: read.reduce(before.message) { max($0, $1.id) }, isDone: isDone, assignee: assignee ?? 0)
        let events = read.compactMap(\.reply) + before.events(until: after, ticket: ticket, stamp: stamp, now: now)
        return DeskChanges(events: events, cursor: after.description)
    }

    /// Files of a message, of which only those with a link that may be passed on. `fields` names the link, the name and the type.
    static func attachments(_ files: JSONView, _ fields: (url: String, name: String, type: String)) -> [TicketAttachment] {
        (files.array ?? []).compactMap { file in
            guard let url = file[fields.url].string, let link = Link.checked(url) else { return nil }
            return TicketAttachment(url: link, name: file[fields.name].name ?? Link.name(of: link), mimeType: file[fields.type].string)
        }
    }
}
