internal import Conversation
package import Logging
import Metrics
import ServiceLifecycle
package import Storage
import Synchronization

/// Asks desks what happened in their tickets, and counts who waits for a person. Each ticket is asked about every `pollInterval`, and at once
/// when its system says that something happened; one whose desk fails less and less often; a closed one for a day, in case people take it
/// up again. Desks that call us are asked as well: a call that was given up is not lost.
package struct HandoverWatch: Service {
    private let store: Store
    private let registry: Registry
    private let inbox: DeskInbox
    private let logger: Logger
    private let shared = Shared()

    private final class Shared: Sendable {
        let rounds = Mutex(LookRounds())
        /// Those that this node asks for, not another one.
        let own = Mutex<Set<BrandID>>([])
    }

    /// How long a closed ticket may be reopened.
    static let afterClosing = Duration.seconds(86_400)
    private static let slowest = Duration.seconds(600)
    private static let idle = Duration.seconds(5)
    private static let atOnce = 50
    /// Of a brand in a row, for what is due already when the others were asked.
    private static let mostRounds = 20

    package init(store: Store, registry: Registry, inbox: DeskInbox, logger: Logger) {
        self.store = store
        self.registry = registry
        self.inbox = inbox
        self.logger = logger
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                while !Task.isCancelled {
                    begin(&group)
                    let pause = registry.brands.compactMap(\.configuration.handover.desk?.pollInterval).min() ?? Self.idle
                    await inbox.nudges.wait(until: store.clock.now + min(pause, Self.idle), clock: store.clock)
                }
                group.cancelAll()
            }
        }
        await leave()
    }

    /// Lets other nodes ask at once, and not only when this one has been silent for a while. Where that fails a stop has no time to lose.
    private func leave() async {
        for brand in shared.own.withLock({ $0 }) {
            do {
                try await store.brand(brand).release(.handoverWatch)
            } catch {
                return logger.warning("asking desks is not left to others yet", metadata: ["brand": "\(brand)", "error": "\(error)"])
            }
        }
    }

    /// One round over all brands, to its end.
    func look() async { await withDiscardingTaskGroup { begin(&$0) } }

    /// A look after each brand that is not looked after yet: a slow desk delays its own brand's tickets and no other's.
    private func begin(_ group: inout DiscardingTaskGroup) {
        let (brands, now) = (registry.brands, store.clock.now)
        let chosen = Set(shared.rounds.withLock { $0.begin(brands.map(\.id), now: now) })
        for brand in brands where chosen.contains(brand.id) {
            group.addTask {
                await look(after: brand)
                if shared.rounds.withLock({ $0.end(brand.id) }) { inbox.nudges.raise() }
            }
        }
    }

    private func look(after brand: BrandRuntime) async {
        do {
            let waiting = try await store.brand(brand.id).read { try $0.waitingHandovers() }
            Meter(label: "switchboard_handovers_waiting", dimensions: [("brand", brand.id.rawValue)]).set(waiting)
            guard let desk = brand.desk, let settings = brand.configuration.handover.desk else { return }
            // Of several nodes one asks; when it has been silent for half a minute it is another's turn.
            let lease = Self.idle * 6
            let isOwn = try await store.brand(brand.id).claim(.handoverWatch, for: lease)
            shared.own.withLock { own in if isOwn { own.insert(brand.id) } else { own.remove(brand.id) } }
            guard isOwn else { return }
            for _ in 0..<Self.mostRounds where !Task.isCancelled {
                // The time goes with them: events carry the store's, which may not be ours.
                let (due, began) = try await store.brand(brand.id).read { transaction in
                    (try transaction.handoversToPoll(desk: settings.id, limit: Self.atOnce), transaction.now)
                }
                if due.isEmpty { return }
                await withDiscardingTaskGroup { group in
                    for handover in due { group.addTask { await poll(handover, desk, settings, brand, began: began) } }
                }
            }
        } catch {
            logger.error("looking after handovers failed", metadata: ["brand": "\(brand.id)", "error": "\(error)"])
        }
    }

    private func poll(
        _ handover: HandoverRecord, _ desk: any TicketDesk, _ settings: DeskConfiguration, _ brand: BrandRuntime, began: Timestamp
    ) async {
        guard let ticket = handover.ticket else { return }
        do {
            let changes = try await desk.changes(of: ticket, since: handover.cursor)
            try await store.brand(brand.id).write { transaction in
                // What was heard meanwhile is newer than what was read: the look is taken again.
                if desk.capabilities.callsUs, let newest = try transaction.events(of: handover.id, limit: 1).last, newest.recordedAt > began
                {
                    return try transaction.setLook(handover.id, cursor: handover.cursor, at: transaction.now + Self.idle, failures: 0)
                }
                // Events and cursor in one transaction: what was read is never read again, and what was not stored is.
                _ = try inbox.take(changes.events, desk: settings.id, brand, transaction)
                guard let current = try transaction.handover(handover.id) else { return }
                // Somebody called while the desk was asked: what it was about may have come too late for this look.
                let isCalled = current.pollAt != nil && current.pollAt != handover.pollAt
                let next = isCalled ? transaction.now : Self.next(current, settings, now: transaction.now)
                try transaction.setLook(handover.id, cursor: changes.cursor, at: next, failures: 0)
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
                // A call that came meanwhile asks for a look sooner than a desk that fails would get one.
                let isCalled = try transaction.handover(handover.id)?.pollAt != handover.pollAt
                let next = isGone ? nil : transaction.now + (isCalled ? max(Self.idle, wished) : wait)
                // Nobody can answer in a ticket that is gone: the bot must not stay silent for it.
                if isGone, var current = try transaction.handover(handover.id), current.state == .open,
                    let instance = brand.configuration.instance(current.instance), let channel = registry.channel(instance.channel)
                {
                    try HandoverConversation(brand: brand, channel: channel, transaction: transaction).close(
                        &current, reason: "ticket_gone", tellsDesk: false)
                    try transaction.updateHandover(current)
                }
                try transaction.setLook(handover.id, cursor: handover.cursor, at: next, failures: failures)
            }
        } catch {
            logger.error("a failed look could not be noted", metadata: ["handover": "\(handover.id)", "error": "\(error)"])
        }
    }
}
