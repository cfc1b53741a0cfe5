internal import Brain
internal import Conversation
internal import Storage

/// One desk task: asks the ticket system, and stores what came of it.
struct DeskWork {
    let handover: HandoverRecord
    let brand: BrandRuntime
    let channel: any Channel
    let context: TaskContext

    private var id: HandoverID { handover.id }
    /// An earlier attempt may have done it.
    private var isRepeated: Bool { context.task.attempts > 1 || context.task.wasInterrupted }

    private func desk() throws(DeskError) -> any TicketDesk {
        guard let desk = brand.desk, brand.configuration.handover.desk?.id == handover.desk else {
            throw DeskError(.notDone, "the brand has no desk \(handover.desk ?? "") now")
        }
        return desk
    }

    // MARK: The ticket

    /// One ticket for a handover, whatever happens in between: before an opening is tried again the ticket is looked for.
    func open(settling: Duration) async throws {
        guard [.pending, .tried].contains(handover.deskState) else { return try await context.finish { _ in } }
        let desk = try desk()
        var found: DeskTicket?
        let mayBeThere = handover.triedAt != nil || context.task.wasInterrupted
        if isRepeated || mayBeThere || handover.deskState == .tried { found = try await desk.find(id) }
        if found == nil, mayBeThere, !desk.capabilities.opensOnce, try await waits(settling) { return }
        if found == nil {
            let draft = TicketDraft(handover, brand: brand.configuration.name)
            found = try await context.act(mayAct: true) { try await desk.open(draft) }
            CrashPoint.ticketCreatedNotStored.pass()
        }
        guard let ticket = found else { return }
        let interval = brand.pollInterval
        try await context.finish { [id] transaction in
            guard var current = try transaction.handover(id) else { return }
            try transaction.adopt(ticket, &current, askedEvery: interval)
            try transaction.updateHandover(current)
        }
    }

    /// What was sent a moment ago may not be listed yet. So nothing is opened anew before it had time to appear, and was looked for in vain
    /// twice. True when this attempt ends here.
    private func waits(_ settling: Duration) async throws -> Bool {
        let now = context.store.clock.now
        let (since, misses) = (handover.triedAt ?? now, handover.misses + 1)
        if misses >= 2, now - since >= settling { return false }
        let next = max(since + settling, now + min(settling, .seconds(10)))
        try await context.finish(.again(at: next, holdingLane: true)) { [id] transaction in
            guard var current = try transaction.handover(id) else { return }
            (current.deskState, current.triedAt, current.misses) = (.tried, since, misses)
            try transaction.updateHandover(current)
        }
        return true
    }

    func add() async throws {
        guard let entryID = context.task.payload["entry"]?.string.flatMap({ UniqueID($0) }),
            let entry = try await context.brand.read({ [id] in try $0.entry(entryID, of: id) }), entry.state == .queued
        else { return try await context.finish { _ in } }
        guard let ticket = handover.ticket, handover.deskState == .open else {
            // The ticket was given up: this stays with us, and goes along should it be opened after all.
            return try await context.finish { [id] in try $0.setEntry(entryID, of: id, .kept) }
        }
        let desk = try desk()
        let isThere = isRepeated ? try await desk.contains(entryID, in: ticket) ?? false : false
        if !isThere {
            // Where a desk cannot tell, an entry that is shown twice is better than one that is lost.
            try await context.act(mayAct: true) { try await desk.add(entry.entry, to: ticket) }
        }
        try await context.finish { [id] transaction in
            try transaction.setEntry(entryID, of: id, .added)
            try reached(transaction)
        }
    }

    func close() async throws {
        guard let ticket = handover.ticket, handover.state == .closed else { return try await context.finish { _ in } }
        let desk = try desk()
        do {
            try await desk.close(ticket, reason: context.task.payload["reason"]?.string ?? "")
        } catch {
            // Of a ticket that is gone nothing is left to close.
            guard error.outcome == .gone else { throw error }
        }
        try await context.finish { try reached($0) }
    }

    private func reached(_ transaction: BrandTransaction) throws {
        guard handover.unreachableAt != nil, var current = try transaction.handover(id) else { return }
        current.unreachableAt = nil
        current.unreachableTold = false
        try transaction.updateHandover(current)
    }

    // MARK: Nobody is there

    /// The wait for a person is over. A live transfer becomes a ticket, or a place in the queue, and people keep the conversation; of all
    /// others the bot takes it back, while the request stays open: an answer still reaches the customer, and takes the conversation over.
    func endWait() async throws {
        let (settings, brand, channel) = (brand.configuration.handover, brand, channel)
        let next = context.store.clock.now + settings.nobodyAvailable
        let isTransfer = handover.channel == .liveTransfer
        try await context.finish(isTransfer ? .again(at: next, holdingLane: false) : .done) { [id] transaction in
            guard var current = try transaction.handover(id), current.state == .open, current.answeredAt == nil, current.mutes else {
                return
            }
            let conversation = HandoverConversation(brand: brand, channel: channel, transaction: transaction)
            if current.channel == .liveTransfer {
                current.channel = settings.desk == nil ? .queue : .ticket
                if let desk = settings.desk?.id { try transaction.send(&current, to: desk) }
                try transaction.note("Nobody took the live transfer; it waits as \(current.channel.rawValue) now.", in: current)
                try conversation.tell("handover.transfer", current)
                try transaction.updateHandover(current)
                return
            }
            try transaction.note(
                "Nobody answered within \(settings.nobodyAvailable.milliseconds / 1000) s: the customer was told, and the assistant goes on "
                    + "meanwhile. An answer here still reaches the customer.", in: current)
            try conversation.handBack(&current, words: "handover.nobody")
            try transaction.updateHandover(current)
        }
    }

    // MARK: Trouble

    /// Another attempt, before which nothing else goes into this ticket. A customer who has waited long is told once.
    func later(at time: Timestamp, mayHaveActed: Bool, tellAfter: Duration) async throws {
        let (brand, channel, isOpening) = (brand, channel, context.task.kind == DeskTask.open)
        try await context.finish(.again(at: time, holdingLane: true)) { [id] transaction in
            guard var current = try transaction.handover(id) else { return }
            let since = current.unreachableAt ?? transaction.now
            current.unreachableAt = since
            if isOpening, mayHaveActed { (current.deskState, current.triedAt, current.misses) = (.tried, transaction.now, 0) }
            if current.mutes, !current.unreachableTold, transaction.now - since >= tellAfter {
                current.unreachableTold = true
                try HandoverConversation(brand: brand, channel: channel, transaction: transaction).tell("handover.desk_down", current)
            }
            try transaction.updateHandover(current)
        }
    }

    func giveUp(_ reason: String) async throws {
        let (task, lane, handover) = (context.task, context.lease.lane, handover)
        try await context.finish { try Self.bury(task, lane: lane, of: handover, reason: reason, in: $0) }
    }

    /// The conversation stays with people, over `/v1/handovers`; a redrive tries the desk again.
    static func bury(
        _ task: QueueTask, lane: String, of handover: HandoverRecord, reason: String, in transaction: BrandTransaction
    ) throws {
        if task.kind == DeskTask.open, var current = try transaction.handover(handover.id) {
            current.deskState = .failed
            try transaction.updateHandover(current)
        }
        if task.kind == DeskTask.entry, let entry = task.payload["entry"]?.string.flatMap({ UniqueID($0) }) {
            try transaction.setEntry(entry, of: handover.id, .failed)
        }
        try transaction.insertDeadLetter(
            kind: "handover", reason: "desk",
            detail: ["error": .string(reason), "step": .string(task.kind), "attempts": .integer(Int64(task.attempts))],
            about: .init(id: handover.id.value, session: handover.session, instance: handover.instance, user: handover.user),
            task: RedrivableTask(task, lane: lane, pool: .desk).json)
    }
}

extension HandoverRecord {
    /// After a redrive the ticket is looked for first: the attempt that was given up may have made it.
    mutating func tryAgain() { if deskState == .failed { deskState = .tried } }
}

extension BrandRuntime {
    /// How often each open ticket is asked about.
    var pollInterval: Duration { configuration.handover.desk.map(\.pollInterval) ?? .seconds(60) }
}
