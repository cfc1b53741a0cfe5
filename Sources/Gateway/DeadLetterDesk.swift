package import Conversation
package import Storage

/// What an operator can do with work that was given up.
package struct DeadLetterDesk: Sendable {
    package enum Answer: Sendable, Hashable {
        case done
        case notFound
        /// Redriven, discarded or settled before.
        case alreadyEnded(String)
        /// There is nothing to run again.
        case notRedrivable
    }

    private let store: Store

    package init(store: Store) { self.store = store }

    /// Puts the work back into its lane; once, however often and from wherever it is asked.
    package func redrive(_ id: UniqueID, brand: BrandID) async throws -> Answer {
        try await store.brand(brand).write { transaction in
            guard let letter = try transaction.deadLetter(id) else { return .notFound }
            guard let task = RedrivableTask(json: letter.task) else { return .notRedrivable }
            guard try transaction.settleDeadLetter(id, as: "redriven") else { return .alreadyEnded(letter.state) }
            try reopen(letter, transaction)
            try transaction.enqueue(
                NewTask(
                    id: QueueTaskID(transaction.newID()), lane: task.lane, pool: task.pool, kind: task.kind, payload: task.payload,
                    priority: task.priority, runAt: transaction.now))
            return .done
        }
    }

    package func discard(_ id: UniqueID, brand: BrandID) async throws -> Answer {
        try await store.brand(brand).write { transaction in
            guard let letter = try transaction.deadLetter(id) else { return .notFound }
            return try transaction.settleDeadLetter(id, as: "discarded") ? .done : .alreadyEnded(letter.state)
        }
    }

    private func reopen(_ letter: DeadLetterRecord, _ transaction: BrandTransaction) throws {
        guard let subject = letter.subject else { return }
        switch letter.kind {
        case "action":
            let id = ActionID(subject)
            guard let action = try transaction.action(id) else { return }
            try transaction.setAction(id, .queued, mayHaveTakenEffect: action.mayHaveTakenEffect)
        case "delivery": try transaction.sendAgain(MessageID(subject))
        case "turn":
            guard let session = letter.session else { return }
            try transaction.clearOutcome(of: MessageID(subject), session: session)
        default: break
        }
    }
}
