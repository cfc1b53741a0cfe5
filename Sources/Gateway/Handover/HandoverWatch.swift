internal import Conversation
package import Logging
import Metrics
import ServiceLifecycle
package import Storage

/// Asks desks that cannot call us what happened in their tickets, and counts who waits for a person. Each ticket is asked every
/// `pollInterval`; one whose desk fails less and less often; a closed one for a day, in case people take it up again.
package struct HandoverWatch: Service {
    private let store: Store
    private let registry: Registry
    private let inbox: DeskInbox
    private let logger: Logger

    /// How long a closed ticket may be reopened.
    static let afterClosing = Duration.seconds(86_400)
    private static let slowest = Duration.seconds(600)
    private static let idle = Duration.seconds(5)
    private static let atOnce = 50

    package init(store: Store, registry: Registry, inbox: DeskInbox, logger: Logger) {
        self.store = store
        self.registry = registry
        self.inbox = inbox
        self.logger = logger
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await look()
                let pause = registry.brands.compactMap { polled($0)?.settings.pollInterval }.min() ?? Self.idle
                do { try await store.clock.sleep(until: store.clock.now + min(pause, Self.idle)) } catch { return }
            }
        }
    }

    private func polled(_ brand: BrandRuntime) -> (desk: any TicketDesk, settings: DeskConfiguration)? {
        guard let desk = brand.desk, !desk.capabilities.callsUs, let settings = brand.configuration.handover.desk else { return nil }
        return (desk, settings)
    }

    /// One round over all brands.
    func look() async {
        for brand in registry.brands {
            do {
                let waiting = try await store.brand(brand.id).read { try $0.waitingHandovers() }
                Meter(label: "switchboard_handovers_waiting", dimensions: [("brand", brand.id.rawValue)]).set(waiting)
                guard let (desk, settings) = polled(brand) else { continue }
                // Of several nodes one asks; its silence of three rounds is another's turn.
                let lease = max(settings.pollInterval, Self.idle) * 3
                guard try await store.brand(brand.id).write({ try $0.claim(.handoverWatch, for: lease) }) else { continue }
                let due = try await store.brand(brand.id).read { try $0.handoversToPoll(desk: settings.id, limit: Self.atOnce) }
                await withDiscardingTaskGroup { group in
                    for handover in due { group.addTask { await poll(handover, desk, settings, brand) } }
                }
            } catch {
                logger.error("looking after handovers failed", metadata: ["brand": "\(brand.id)", "error": "\(error)"])
            }
        }
    }

    private func poll(_ handover: HandoverRecord, _ desk: any TicketDesk, _ settings: DeskConfiguration, _ brand: BrandRuntime) async {
        guard let ticket = handover.ticket else { return }
        do {
            let changes = try await desk.changes(of: ticket, since: handover.cursor)
            try await store.brand(brand.id).write { transaction in
                // Events and cursor in one transaction: what was read is never read again, and what was not stored is.
                _ = try inbox.take(changes.events, desk: settings.id, brand, transaction)
                guard var current = try transaction.handover(handover.id) else { return }
                current.cursor = changes.cursor
                current.pollFailures = 0
                current.pollAt = Self.next(current, settings, now: transaction.now)
                try transaction.updateHandover(current)
            }
        } catch {
            await failed(handover, settings, brand, error)
        }
    }

    private static func next(_ handover: HandoverRecord, _ settings: DeskConfiguration, now: Timestamp) -> Timestamp? {
        guard let closedAt = handover.closedAt else { return now + settings.pollInterval }
        return now - closedAt < afterClosing ? now + settings.pollInterval * 4 : nil
    }

    private func failed(_ handover: HandoverRecord, _ settings: DeskConfiguration, _ brand: BrandRuntime, _ error: any Error) async {
        logger.warning(
            "a desk could not be asked", metadata: ["desk": "\(settings.id)", "handover": "\(handover.id)", "error": "\(error)"])
        let failures = min(handover.pollFailures + 1, 10)
        let isGone = (error as? DeskError)?.outcome == .gone
        let wished = (error as? DeskError)?.retryAfter ?? .zero
        let wait = max(min(settings.pollInterval * (1 << failures), Self.slowest), wished)
        do {
            try await store.brand(brand.id).write { transaction in
                guard var current = try transaction.handover(handover.id) else { return }
                current.pollFailures = failures
                current.pollAt = isGone ? nil : transaction.now + wait
                // Nobody can answer in a ticket that is gone: the bot must not stay silent for it.
                if isGone, current.state == .open, let instance = brand.configuration.instance(current.instance),
                    let channel = registry.channel(instance.channel)
                {
                    try HandoverConversation(brand: brand, channel: channel, transaction: transaction).close(
                        &current, reason: "ticket_gone", tellsDesk: false)
                }
                try transaction.updateHandover(current)
            }
        } catch {
            logger.error("a failed look could not be noted", metadata: ["handover": "\(handover.id)", "error": "\(error)"])
        }
    }
}
