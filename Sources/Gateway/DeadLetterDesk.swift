package import Conversation
package import Storage

/// What an operator can do with work that was given up.
package struct DeadLetterDesk: Sendable {
    package enum Answer: Sendable, Hashable {
        case done
        /// Done, with what the operator should know about it.
        case doneButLate(String)
        case notFound
        /// Redriven, discarded or settled before.
        case alreadyEnded(String)
        /// There is nothing to run again, or it must not be run again; the text says why.
        case notRedrivable(String)
    }

    private let store: Store
    private let registry: Registry

    /// `registry` knows whether an action may be repeated.
    package init(store: Store, registry: Registry) {
        self.store = store
        self.registry = registry
    }

    /// Puts the work back into its lane; once, however often and from wherever it is asked. What would not be run is refused, and nothing
    /// changes.
    package func redrive(_ id: UniqueID, brand: BrandID) async throws -> Answer {
        let runtime = registry.brand(brand)
        return try await store.brand(brand).write { transaction in
            guard let letter = try transaction.deadLetter(id) else { return .notFound }
            guard letter.state == "open" else { return .alreadyEnded(letter.state) }
            if let obstacle = try Self.obstacle(to: letter, runtime, transaction) { return .notRedrivable(obstacle) }
            guard let task = RedrivableTask(json: letter.task) else { return .notRedrivable(Self.nothingToRun) }
            guard try transaction.settleDeadLetter(id, as: "redriven") else { return .alreadyEnded(letter.state) }
            try reopen(letter, transaction)
            try transaction.enqueue(
                NewTask(
                    id: QueueTaskID(transaction.newID()), lane: task.lane, pool: task.pool, kind: task.kind, payload: task.payload,
                    priority: task.priority, runAt: transaction.now))
            return try Self.warning(about: letter, runtime, transaction).map { .doneButLate($0) } ?? .done
        }
    }

    package func discard(_ id: UniqueID, brand: BrandID) async throws -> Answer {
        try await store.brand(brand).write { transaction in
            guard let letter = try transaction.deadLetter(id) else { return .notFound }
            return try transaction.settleDeadLetter(id, as: "discarded") ? .done : .alreadyEnded(letter.state)
        }
    }

    /// The brand's dead letters, newest first, each with whether a redrive would run it.
    package func list(brand: BrandID, after: UniqueID?, limit: Int) async throws -> [(letter: DeadLetterRecord, isRedrivable: Bool)] {
        let runtime = registry.brand(brand)
        return try await store.brand(brand).read { transaction in
            try transaction.deadLetters(after: after, limit: limit).map { ($0, try Self.obstacle(to: $0, runtime, transaction) == nil) }
        }
    }

    /// One dead letter with its attempts, and whether a redrive would run it; nil when the brand has none of that id.
    package func find(
        _ id: UniqueID, brand: BrandID
    ) async throws -> (letter: DeadLetterRecord, isRedrivable: Bool, attempts: [AttemptRecord])? {
        let runtime = registry.brand(brand)
        return try await store.brand(brand).read { transaction in
            guard let letter = try transaction.deadLetter(id) else { return nil }
            let attempts = try letter.subject.map { try transaction.attempts(of: $0) } ?? []
            return (letter, try Self.obstacle(to: letter, runtime, transaction) == nil, attempts)
        }
    }

    private static let nothingToRun = "there is nothing to run again: this one is for a person to look at"

    /// Why a redrive would come to nothing; nil when it would run. A stopped brand's work waits for the brand.
    private static func obstacle(
        to letter: DeadLetterRecord, _ brand: BrandRuntime?, _ transaction: BrandTransaction
    ) throws -> String? {
        guard !letter.task.isNull else { return nothingToRun }
        guard letter.kind == "action", let id = letter.subject.map({ ActionID($0) }), let action = try transaction.action(id) else {
            return nil
        }
        let name = action.canonicalAction
        guard let definition = brand?.configuration.action(named: name) else {
            if brand != nil { return "the action \(name) is no longer configured" }
            return action.mayHaveTakenEffect ? "the brand is stopped, so nobody knows whether \(name) may be repeated" : nil
        }
        guard action.mayHaveTakenEffect, definition.safety == .unsafe else { return nil }
        return "\(name) may have taken effect and its safety is unsafe, so it is never repeated: find out at the brand how it ended, "
            + "then discard this"
    }

    /// What the brand no longer remembers it cannot recognize: the key protects a repeated call only as long as that.
    private static func warning(
        about letter: DeadLetterRecord, _ brand: BrandRuntime?, _ transaction: BrandTransaction
    ) throws -> String? {
        guard letter.kind == "action", let brand, let action = try letter.subject.flatMap({ try transaction.action(ActionID($0)) }),
            brand.configuration.action(named: action.canonicalAction)?.isWrite ?? true
        else { return nil }
        let (age, retention) = (transaction.now - action.createdAt, brand.configuration.api.keyRetention)
        guard age > retention else { return nil }
        return "\(action.canonicalAction) was decided \(age.milliseconds / 3_600_000) hours ago, and the brand keeps idempotency keys for "
            + "\(retention.milliseconds / 3_600_000) (api.key_retention_h): should an earlier attempt have reached it, it may take effect twice"
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
        case "handover":
            guard var handover = try transaction.handover(HandoverID(subject)) else { return }
            handover.tryAgain()
            try transaction.updateHandover(handover)
            if let entry = letter.task["payload"]?["entry"]?.string.flatMap({ UniqueID($0) }) {
                try transaction.setEntry(entry, of: handover.id, .queued)
            }
        default: break
        }
    }
}
