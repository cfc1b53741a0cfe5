package import Conversation
package import Storage

/// What the brand's people can do with handovers when they use no ticket system, or beside it.
package struct HandoverDesk: Sendable {
    package enum Answer: Sendable {
        case done(HandoverRecord)
        case notFound
        case alreadyClosed
        /// The channel does not let it through; the text says why.
        case undeliverable(String)
        /// The brand or its instance does not run now.
        case stopped
    }

    private let store: Store
    private let registry: Registry

    package init(store: Store, registry: Registry) {
        self.store = store
        self.registry = registry
    }

    /// Newest first, those before `after`.
    package func list(
        brand: BrandID, state: HandoverRecord.State?, after: UniqueID?, limit: Int
    ) async throws -> [HandoverRecord] {
        try await store.brand(brand).read { try $0.handovers(state: state, after: after.map { HandoverID($0) }, limit: limit) }
    }

    /// One with what was said in it and what its ticket system told; nil when the brand has none of that id.
    package func find(
        _ id: HandoverID, brand: BrandID
    ) async throws -> (handover: HandoverRecord, entries: [HandoverEntry], events: [DeskEventRecord])? {
        try await store.brand(brand).read { transaction in
            guard let handover = try transaction.handover(id) else { return nil }
            return (handover, try transaction.entries(of: id, limit: 200), try transaction.events(of: id, limit: 200))
        }
    }

    /// Sends a person's words to the customer. The first ones take the conversation over where the bot had it.
    package func reply(_ text: String, to id: HandoverID, brand: BrandID) async throws -> Answer {
        try await change(id, brand) { handover, conversation in
            if let refusal = try conversation.say(text, by: nil, &handover) { return .undeliverable(refusal.message) }
            if handover.deskState != .none {
                try conversation.transaction.note("Answered outside this ticket: \(text)", in: handover)
            }
            return .done(handover)
        }
    }

    /// Gives the conversation back to the bot. `summary` is what it remembers, and what the ticket is told.
    package func close(_ id: HandoverID, summary: String?, brand: BrandID) async throws -> Answer {
        try await change(id, brand) { handover, conversation in
            if let summary, !summary.isEmpty {
                let entry = TicketEntry(
                    id: conversation.transaction.newID(), author: .agent, text: summary, isInternal: true, at: conversation.transaction.now)
                try conversation.transaction.add(entry, to: handover)
            }
            try conversation.close(&handover, reason: "closed", tellsDesk: true)
            return .done(handover)
        }
    }

    private func change(
        _ id: HandoverID, _ brand: BrandID, _ work: @escaping @Sendable (inout HandoverRecord, HandoverConversation) throws -> Answer
    ) async throws -> Answer {
        let (runtime, registry) = (registry.brand(brand), registry)
        return try await store.brand(brand).write { transaction in
            guard var handover = try transaction.handover(id) else { return .notFound }
            guard handover.state == .open else { return .alreadyClosed }
            guard let runtime, let instance = runtime.configuration.instance(handover.instance),
                let channel = registry.channel(instance.channel)
            else { return .stopped }
            let answer = try work(&handover, HandoverConversation(brand: runtime, channel: channel, transaction: transaction))
            try transaction.updateHandover(handover)
            return answer
        }
    }
}
