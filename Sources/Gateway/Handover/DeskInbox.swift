package import Conversation
internal import Logging
package import Storage

/// What became of the events of one call, or of one look.
package struct DeskReceipt: Sendable, Hashable {
    package var accepted = 0
    package var duplicates = 0
    /// Of tickets that are not ours, and what came too late.
    package var ignored = 0

    package init() {}
}

/// Takes what people did in a ticket system: stores each event once, and does what follows from it in the same transaction.
package struct DeskInbox: Sendable {
    private let store: Store
    private let registry: Registry
    /// Raised when a ticket is to be asked about at once.
    let nudges = WakeSignal()

    package init(store: Store, registry: Registry) {
        self.store = store
        self.registry = registry
    }

    /// Handles a call of the ticket system, which the desk of that id proves and reads. Throws `DeskError`, and what the store throws; then
    /// nothing was stored. Nil when no running brand has such a desk.
    package func receive(_ request: ChannelRequest, desk id: String) async throws -> DeskReceipt? {
        guard let brand = registry.brand(ofDesk: id), let desk = brand.desk else { return nil }
        let events = try desk.events(in: request, now: store.clock.now)
        guard !events.isEmpty else { return DeskReceipt() }
        let receipt = try await store.brand(brand.id).write { try take(events, desk: id, brand, $0) }
        if events.contains(where: { $0.kind == .changed }) { nudges.raise() }
        return receipt
    }

    /// The same for what the desk told when it was asked.
    func take(_ events: [DeskEvent], desk: String, _ brand: BrandRuntime, _ transaction: BrandTransaction) throws -> DeskReceipt {
        var receipt = DeskReceipt()
        for event in events {
            guard let handover = try handover(of: event, desk, brand, transaction) else {
                // It may be of a ticket that was made a moment ago: it is to come again once we know.
                if event.reference == nil, try transaction.awaitsTicket(desk: desk) {
                    throw DeskError(.notDone, "a ticket is being opened")
                }
                receipt.ignored += 1
                continue
            }
            guard event.kind != .changed else {
                try transaction.setLook(handover.id, cursor: handover.cursor, at: transaction.now, failures: 0)
                receipt.accepted += 1
                continue
            }
            guard try !transaction.knowsEvent(event.id, desk: desk, ticket: event.ticket) else {
                receipt.duplicates += 1
                continue
            }
            let outcome = try apply(event, handover, brand, transaction)
            if outcome.handover != handover { try transaction.updateHandover(outcome.handover) }
            let record = event.record(outcome.text, at: transaction.now)
            _ = try transaction.insertEvent(record, of: handover.id, desk: desk, ticket: event.ticket)
            if outcome.text.hasPrefix("ignored") { receipt.ignored += 1 } else { receipt.accepted += 1 }
        }
        return receipt
    }

    /// The handover whose ticket it is. A ticket that was made just before a crash is known by our reference first.
    private func handover(
        of event: DeskEvent, _ desk: String, _ brand: BrandRuntime, _ transaction: BrandTransaction
    ) throws -> HandoverRecord? {
        if let known = try transaction.handover(desk: desk, ticket: event.ticket) { return known }
        guard let reference = event.reference, var handover = try transaction.handover(reference), handover.desk == desk,
            handover.ticket == nil, [.pending, .tried, .failed].contains(handover.deskState)
        else { return nil }
        try transaction.adopt(DeskTicket(id: event.ticket), &handover, askedEvery: brand.pollInterval)
        try transaction.updateHandover(handover)
        return handover
    }

    private func apply(
        _ event: DeskEvent, _ known: HandoverRecord, _ brand: BrandRuntime, _ transaction: BrandTransaction
    ) throws -> (handover: HandoverRecord, text: String) {
        var handover = known
        guard let instance = brand.configuration.instance(handover.instance), let channel = registry.channel(instance.channel) else {
            // The conversation's instance is stopped by its configuration: what happened is to come again when it runs.
            throw DeskError(.notDone, "instance \(handover.instance) does not run now")
        }
        let conversation = HandoverConversation(brand: brand, channel: channel, transaction: transaction)
        let outcome: String
        switch event.kind {
        case .reply(let text, let attachments):
            outcome = try reply(HandoverText.reply(text, attachments), event, &handover, conversation)
        case .closed: outcome = try close(&handover, conversation)
        case .reopened: outcome = try reopen(&handover, conversation)
        case .assigned, .changed: outcome = handover.state == .open ? "noted" : "ignored:closed"
        }
        return (handover, outcome)
    }

    private func reply(
        _ text: String, _ event: DeskEvent, _ handover: inout HandoverRecord, _ conversation: HandoverConversation
    ) throws -> String {
        guard handover.state == .open else { return "ignored:closed" }
        guard !text.isEmpty else { return "ignored:empty" }
        guard handover.loopedAt == nil else { return "ignored:loop" }
        let transaction = conversation.transaction
        let guardian = LoopGuard(
            before: try transaction.events(of: handover.id, limit: 50), entries: try transaction.entries(of: handover.id, limit: 50))
        switch guardian.verdict(event, text: text) {
        case .ignore(let why): return "ignored:\(why)"
        case .loop(let why):
            handover.loopedAt = transaction.now
            transaction.tell(.looped, handover)
            return "ignored:loop:\(why)"
        case .pass:
            return try conversation.say(HandoverText.cut(text), by: event.author, isAutomatic: event.isAutomatic, &handover) == nil
                ? "said" : "noted:undeliverable"
        }
    }

    private func close(_ handover: inout HandoverRecord, _ conversation: HandoverConversation) throws -> String {
        guard handover.state == .open else { return "ignored:closed" }
        try conversation.close(&handover, reason: "desk", tellsDesk: false)
        return "closed"
    }

    private func reopen(_ handover: inout HandoverRecord, _ conversation: HandoverConversation) throws -> String {
        guard handover.state == .closed else { return "ignored:open" }
        guard try conversation.transaction.openHandover(instance: handover.instance, user: handover.user) == nil else {
            return "ignored:newer"
        }
        try conversation.reopen(&handover)
        return "reopened"
    }
}

extension DeskEvent {
    func record(_ outcome: String, at now: Timestamp) -> DeskEventRecord {
        let (kind, text) =
            switch kind {
            case .reply(let text, let attachments): ("reply", HandoverText.reply(text, attachments))
            case .closed: ("closed", "")
            case .reopened: ("reopened", "")
            case .assigned: ("assigned", "")
            case .changed: ("changed", "")
            }
        return DeskEventRecord(
            id: id, kind: kind, text: HandoverText.cut(text), author: author, isAutomatic: isAutomatic, at: at, recordedAt: now,
            outcome: outcome)
    }
}

extension Registry {
    /// The running brand whose desk has that id; desks' ids are unique in an installation.
    package func brand(ofDesk id: String) -> BrandRuntime? { brands.first { $0.configuration.handover.desk?.id == id } }
}
