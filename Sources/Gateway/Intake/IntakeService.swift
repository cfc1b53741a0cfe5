package import Conversation
package import Logging
package import Storage

/// Stores what channels verified, before anything is acknowledged: dedupe, identity, session, message and task in one transaction a brand.
/// What belongs to no running brand is kept raw, for the operator.
package struct IntakeService: Intake {
    private let store: Store
    private let registry: Registry
    private let metrics: GatewayMetrics
    private let logger: Logger

    package init(store: Store, registry: Registry, metrics: GatewayMetrics, logger: Logger) {
        self.store = store
        self.registry = registry
        self.metrics = metrics
        self.logger = logger
    }

    package func accept(_ webhook: VerifiedWebhook) async throws -> IntakeReceipt {
        var receipt: IntakeReceipt
        do {
            // Nearly every delivery is one event of one brand.
            if webhook.items.count == 1, let address = webhook.items[0].address, let instance = registry.instance(at: address) {
                receipt = try await store([(webhook.items[0], instance)], brand: instance.brand)
            } else {
                let sorted = sort(webhook)
                receipt = IntakeReceipt(ignored: sorted.ignored, quarantined: sorted.unrouted.count)
                try await storeAll(sorted, &receipt)
            }
        } catch {
            logger.error("a webhook could not be stored", metadata: ["channel": "\(webhook.channel)", "error": "\(error)"])
            throw error
        }
        CrashPoint.committedNotAnswered.pass()
        metrics.received(channel: webhook.channel, receipt)
        return receipt
    }

    private struct Sorted {
        var brands: [BrandID: [(WebhookItem, InstanceConfiguration)]] = [:]
        var unrouted: [UnroutedStore.Entry] = []
        var ignored = 0
    }

    private func sort(_ webhook: VerifiedWebhook) -> Sorted {
        var sorted = Sorted()
        for item in webhook.items {
            if case .ignored = item {
                sorted.ignored += 1
            } else if let address = item.address, let instance = registry.instance(at: address) {
                sorted.brands[instance.brand, default: []].append((item, instance))
            } else {
                let reason = item.address.map { "no running brand has \($0)" } ?? item.problem ?? "addressed to nobody"
                sorted.unrouted.append(
                    .init(channel: webhook.channel, app: webhook.app, account: item.address?.account, reason: reason, body: item.raw))
            }
        }
        return sorted
    }

    /// The brands' transactions run side by side, and usually share one commit. When one fails the caller is told to come again;
    /// what the others stored is then a duplicate.
    private func storeAll(_ sorted: Sorted, _ receipt: inout IntakeReceipt) async throws {
        try await withThrowingTaskGroup(of: IntakeReceipt.self) { group in
            for (brand, items) in sorted.brands { group.addTask { try await store(items, brand: brand) } }
            if !sorted.unrouted.isEmpty {
                group.addTask {
                    try await store.unrouted.insert(sorted.unrouted)
                    return IntakeReceipt()
                }
            }
            for try await part in group { receipt.add(part) }
        }
    }

    private func store(_ items: [(WebhookItem, InstanceConfiguration)], brand: BrandID) async throws -> IntakeReceipt {
        let tiers = registry.tiers(of: brand)
        let prepared = items.map { item, instance in
            var content: String?
            if case .message(let message, _, _) = item { content = message.content.canonicalText }
            let capabilities = registry.channel(instance.channel)?.capabilities
            return Prepared(
                item: item, instance: instance, content: content, provesIdentity: capabilities?.provesIdentity ?? false,
                keepsFeed: capabilities?.keepsFeed ?? false)
        }
        return try await store.brand(brand).write { transaction in
            var receipt = IntakeReceipt()
            for part in prepared {
                let writer = IntakeWriter(
                    transaction: transaction, instance: part.instance, tiers: tiers, provesIdentity: part.provesIdentity,
                    keepsFeed: part.keepsFeed, content: part.content)
                try writer.store(part.item, &receipt)
            }
            return receipt
        }
    }

    /// What can be made ready before the transaction, for which everybody waits.
    private struct Prepared: Sendable {
        var item: WebhookItem
        var instance: InstanceConfiguration
        var content: String?
        var provesIdentity: Bool
        var keepsFeed: Bool
    }
}

extension IntakeReceipt {
    mutating func add(_ other: IntakeReceipt) {
        accepted += other.accepted
        duplicates += other.duplicates
        ignored += other.ignored
        quarantined += other.quarantined
        messages += other.messages
    }

    mutating func add(duplicate: MessageID) {
        duplicates += 1
        messages.append(duplicate)
    }
}

extension WebhookItem {
    var address: InstanceAddress? {
        switch self {
        case .message(_, let address, _), .status(_, let address, _): address
        case .field(_, _, let address), .unreadable(_, _, let address): address
        case .ignored: nil
        }
    }

    /// What is kept when nobody can be found who would take it.
    var raw: [UInt8] {
        switch self {
        case .message(_, _, let raw), .status(_, _, let raw): raw()
        case .field(_, let body, _), .unreadable(_, let body, _): body
        case .ignored: []
        }
    }

    var problem: String? {
        switch self {
        case .unreadable(let reason, _, _): reason
        case .message, .status, .field, .ignored: nil
        }
    }
}
