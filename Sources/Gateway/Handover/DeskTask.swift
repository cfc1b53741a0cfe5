internal import Conversation
internal import Storage

/// The kinds of desk tasks, and where they wait. What goes into one ticket is a lane, so it stays in order; the wait for a person is a
/// lane of its own, because it must end while a desk is away and holds the other.
enum DeskTask {
    static let open = "desk_open"
    static let entry = "desk_entry"
    static let close = "desk_close"
    static let wait = "handover_wait"

    static func lane(of id: HandoverID) -> String { "handover:\(id)" }
    static func waitLane(of id: HandoverID) -> String { "handover-wait:\(id)" }
}

extension HandoverChannel {
    /// Whether the bot is silent until people give the conversation back.
    var mutes: Bool { self != .callback }
    /// Whether the brand's ticket system, where there is one, gets it at once. The queue and a live transfer are answered over
    /// `/v1/handovers`.
    var goesToDesk: Bool { self == .ticket || self == .callback }
}

extension BrandTransaction {
    /// Puts something into a handover, and on its way to the ticket where there is to be one.
    func add(_ entry: TicketEntry, to handover: HandoverRecord) throws {
        switch handover.deskState {
        case .none, .failed: try insertEntry(HandoverEntry(entry, .kept), of: handover.id)
        case .pending, .tried, .open:
            try insertEntry(HandoverEntry(entry, .queued), of: handover.id)
            try send(entry.id, of: handover.id)
        }
    }

    /// A word for the brand's people only.
    func note(_ text: String, in handover: HandoverRecord) throws {
        try add(TicketEntry(id: newID(), author: .system, text: text, isInternal: true, at: now), to: handover)
    }

    /// Queues an entry's way into the ticket.
    func send(_ entry: UniqueID, of handover: HandoverID) throws {
        try enqueue(
            NewTask(
                id: QueueTaskID(newID()), lane: DeskTask.lane(of: handover), pool: .desk, kind: DeskTask.entry,
                payload: ["handover": .string(handover.description), "entry": .string(entry.description)], runAt: now))
    }

    /// Queues the opening of the ticket, before anything else that goes into it.
    func openTicket(for handover: HandoverRecord) throws {
        try enqueue(
            NewTask(
                id: QueueTaskID(newID()), lane: DeskTask.lane(of: handover.id), pool: .desk, kind: DeskTask.open,
                payload: ["handover": .string(handover.id.description)], priority: .interrupt, runAt: now))
    }

    /// Lets a handover that waited in our queue become a ticket, with all that was said in it until now. Nothing for one that has a desk.
    func send(_ handover: inout HandoverRecord, to desk: String) throws {
        guard handover.desk == nil else { return }
        handover.desk = desk
        handover.deskState = .pending
        try openTicket(for: handover)
        try sendKept(of: handover.id)
    }

    /// The handover has this ticket, and what stayed with us goes into it.
    func adopt(_ ticket: DeskTicket, _ handover: inout HandoverRecord, askedEvery interval: Duration) throws {
        handover.ticket = ticket
        handover.deskState = .open
        handover.escalatedAt = handover.escalatedAt ?? now
        handover.unreachableAt = nil
        handover.unreachableTold = false
        handover.triedAt = nil
        handover.misses = 0
        handover.pollAt = now + interval
        handover.pollFailures = 0
        try sendKept(of: handover.id)
    }

    private func sendKept(of handover: HandoverID) throws {
        for entry in try keptEntries(of: handover) {
            try setEntry(entry.entry.id, of: handover, .queued)
            try send(entry.entry.id, of: handover)
        }
    }

    /// Starts the wait for a person, from now on.
    func waitForPeople(_ handover: HandoverRecord, _ wait: Duration) throws {
        let (id, lane) = (QueueTaskID(handover.id.value), DeskTask.waitLane(of: handover.id))
        _ = try cancelTask(id, lane: lane)
        guard wait > .zero else { return }
        try enqueue(
            NewTask(
                id: id, lane: lane, pool: .desk, kind: DeskTask.wait, payload: ["handover": .string(handover.id.description)],
                runAt: now + wait))
    }
}
