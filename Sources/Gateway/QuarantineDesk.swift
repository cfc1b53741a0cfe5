package import Conversation
package import Storage

/// What an operator can do with what could not be read or belonged to nobody.
package struct QuarantineDesk: Sendable {
    package enum Answer: Sendable, Hashable {
        case replayed(IntakeReceipt)
        case notFound
        case alreadyReplayed
        /// Still nobody's, or still not readable; it stays where it is.
        case stillNot(String)
    }

    private let store: Store
    private let registry: Registry
    private let intake: any Intake

    package init(store: Store, registry: Registry, intake: any Intake) {
        self.store = store
        self.registry = registry
        self.intake = intake
    }

    /// Newest first: what belongs to nobody, and what belongs to each of `brands`.
    package func list(brands: [BrandID], includingUnrouted: Bool, after: UniqueID?, limit: Int) async throws -> [QuarantineRecord] {
        var records = includingUnrouted ? try await store.unrouted.list(after: after, limit: limit) : []
        for brand in brands { records += try await store.brand(brand).read { try $0.quarantined(after: after, limit: limit) } }
        return Array(records.sorted { $0.id > $1.id }.prefix(limit))
    }

    package func record(_ id: UniqueID, brands: [BrandID]) async throws -> QuarantineRecord? {
        if let record = try await store.unrouted.record(id) { return record }
        for brand in brands {
            if let record = try await store.brand(brand).read({ try $0.quarantined(id) }) { return record }
        }
        return nil
    }

    /// Hands the kept body in once more. Dedupe makes a second replay harmless; a mark makes it visible.
    package func replay(_ id: UniqueID, brands: [BrandID]) async throws -> Answer {
        guard let record = try await record(id, brands: brands) else { return .notFound }
        guard record.state == "open" else { return .alreadyReplayed }
        guard let channel = registry.channel(record.channel) else { return .stillNot("there is no channel \(record.channel)") }
        let items = channel.items(replaying: record.body, app: record.app, account: record.account)
        for item in items {
            if let problem = item.problem { return .stillNot(problem) }
            if case .ignored = item { continue }
            guard let address = item.address, registry.instance(at: address) != nil else {
                return .stillNot("no running brand has \(item.address.map(\.description) ?? "its address")")
            }
        }
        let receipt = try await intake.accept(VerifiedWebhook(channel: record.channel, app: record.app, items: items))
        let marked =
            if let brand = record.brand {
                try await store.brand(brand).write { try $0.markReplayed(id) }
            } else {
                try await store.unrouted.markReplayed(id)
            }
        return marked ? .replayed(receipt) : .alreadyReplayed
    }
}
