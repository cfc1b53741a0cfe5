#if Sandbox
    import Brain
    import Conversation
    import Storage

    /// What the store knows of one conversation at one moment.
    struct ConversationSnapshot: Sendable {
        struct Entry: Sendable {
            var entry: IntentLedgerEntry
            var history: JSONValue
        }

        var state = ConversationState()
        var ledger: [Entry] = []
        var inbound: [MessageRecord] = []
        var outbound: [MessageRecord] = []

        /// What still keeps the conversation busy after the customer's message `id`; nil when nothing does. The end of an action and the
        /// words about it are stored with the state, so a state in which nothing executes has said everything but what is in the outbox.
        func business(after id: String) -> String? {
            guard let message = inbound.last(where: { $0.providerID == id }) else { return "the message is not stored" }
            if message.outcome == nil { return "its turn has not ended" }
            let tasks = [state.activeTask].compactMap { $0 } + state.pausedTasks
            if let running = tasks.first(where: { $0.status == .executing }) { return "\(running.canonicalAction) is executing" }
            return outbound.contains { $0.sendState == "queued" } ? "a reply is not sent" : nil
        }

        var sentCount: Int { outbound.count { $0.sendState == "sent" } }

        /// Entries that are new, or whose status was written again since.
        func changes(since former: ConversationSnapshot) -> [IntentLedgerEntry] {
            let known = Dictionary(former.ledger.map { ($0.entry.id, $0.history) }) { $1 }
            return ledger.filter { known[$0.entry.id] != $0.history }.map(\.entry)
        }
    }

    /// Looks at one customer's conversation in the store.
    struct ConversationWatch: Sendable {
        let store: Store
        let brand: BrandID
        let instance: InstanceID
        let identifiers: [Identifier]

        /// Empty as long as the customer has not written.
        func snapshot() async throws -> ConversationSnapshot {
            let (instance, identifiers) = (instance, identifiers)
            return try await store.brand(brand).read { transaction in
                let session = try transaction.sessions(after: nil, limit: 200).first { session in
                    guard session.instance == instance else { return false }
                    return try transaction.user(session.user)?.identifiers.contains(where: identifiers.contains) ?? false
                }
                guard let session else { return ConversationSnapshot() }
                let messages = try transaction.messages(session: session.id, after: nil, limit: 1_000)
                let ledger = try transaction.intents(session: session.id, limit: 1_000)
                return ConversationSnapshot(
                    state: try transaction.state(of: session.id).state, ledger: ledger.map { .init(entry: $0.entry, history: $0.history) },
                    inbound: messages.filter(\.isInbound), outbound: messages.filter { !$0.isInbound })
            }
        }
    }
#endif
