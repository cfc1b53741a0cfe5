internal import Brain
internal import Conversation
package import Logging
package import Storage

/// Makes a session's notes after its turns: by the brand's model where it has one for that, else without. Whatever the model says or fails
/// to say, notes are made; a turn never waits for them and never fails by them.
package struct ColdPathHandler: TaskHandler {
    /// Shorter than a lease, so that a shutdown and a lost lease end a call that hangs.
    private static let patience = Duration.seconds(20)
    private static let parked = Duration.seconds(30)

    private let registry: Registry
    private let logger: Logger

    package init(registry: Registry, logger: Logger) {
        self.registry = registry
        self.logger = logger
    }

    package func handle(_ context: TaskContext) async throws {
        guard context.task.kind == ColdTask.notes else {
            throw StageError(stage: .storage, retryable: false, cause: "a cold task of unknown kind \(context.task.kind)")
        }
        guard let brand = registry.brand(context.lease.brand) else {
            return try await context.finish(.parked(until: context.store.clock.now + Self.parked)) { _ in }
        }
        guard let session = context.task.payload["session"]?.string.flatMap({ SessionID($0) }),
            let material = try await context.brand.read({ try Self.unnoted(session, in: $0) })
        else { return try await context.finish { _ in } }
        let notes = await make(material, brand, now: context.store.clock.now)
        try await context.finish { try $0.storeNotes(notes, of: session) }
    }

    /// Nil when there is nothing new to note.
    private static func unnoted(_ id: SessionID, in transaction: BrandTransaction) throws -> SummaryMaterial? {
        guard let session = try transaction.session(id), let material = try SummaryMaterial.load(session, in: transaction) else {
            return nil
        }
        return try transaction.notes(of: id)?.lastMessage == material.lastMessage ? nil : material
    }

    private func make(_ material: SummaryMaterial, _ brand: BrandRuntime, now: Timestamp) async -> SessionNotes {
        guard let model = brand.model, model.serves(.summary), ModelSummary.isWorthwhile(material) else {
            return .embedded(material, brand.configuration, at: now)
        }
        let asking = ModelSummary(material: material, configuration: brand.configuration)
        let about: Logger.Metadata = ["brand": "\(brand.id)", "session": "\(material.session.id)"]
        switch await model.complete(asking.prompt(deadline: now + Self.patience)) {
        case .failed(let failure):
            logger.info("no summary by the model: made without", metadata: about.merging(["error": "\(failure.kind.rawValue)"]) { $1 })
        case .answer(let text):
            if let (summary, topics) = asking.read(text) { return material.notes(summary, topics: topics, source: .model, at: now) }
            logger.info("a summary by the model cannot be used: made without", metadata: about)
        }
        return .embedded(material, brand.configuration, at: now)
    }

    /// Nothing is lost that anybody waits for: the next turn has its notes made again, and whoever asks before has them made on the spot.
    package func giveUp(_ task: QueueTask, lane: String, error: any Error, in transaction: BrandTransaction) throws {
        logger.warning("a session stays without new notes", metadata: ["brand": "\(transaction.brand)", "lane": "\(lane)"])
    }
}
