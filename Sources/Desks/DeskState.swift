import Conversation

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
