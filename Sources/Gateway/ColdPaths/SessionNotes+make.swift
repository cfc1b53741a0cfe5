package import Conversation
package import Storage

extension SessionNotes {
    /// A session's notes for whoever asks now: the stored ones where a model wrote them or nothing was said since, else made on the spot
    /// from what the store holds, without a model. Nil for a session without a message.
    package static func current(
        of session: SessionRecord, configuration: BrandConfiguration, in transaction: BrandTransaction
    ) throws -> SessionNotes? {
        let stored = try transaction.notes(of: session.id)
        if let stored, stored.source == .model { return stored }
        guard let material = try SummaryMaterial.load(session, in: transaction) else { return stored }
        if let stored, stored.lastMessage == material.lastMessage { return stored }
        return embedded(material, configuration, at: transaction.now)
    }

    static func embedded(_ material: SummaryMaterial, _ configuration: BrandConfiguration, at now: Timestamp) -> SessionNotes {
        material.notes(
            EmbeddedSummary(material: material, configuration: configuration).text,
            topics: EmbeddedTopics(material: material, configuration: configuration).list, source: .embedded, at: now)
    }
}
