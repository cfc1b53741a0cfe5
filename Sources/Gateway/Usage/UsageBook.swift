package import Conversation
package import Logging
import ServiceLifecycle
package import Storage
import Synchronization

/// Counts what models use, keeps every brand to its tokens of the day (UTC), and stores each call once under its id.
/// A call that cannot be stored now counts at once and is stored later. As a service it does that, and must outlive whoever records.
package final class UsageBook: UsageLedger, Service {
    package struct Options: Sendable {
        /// How long tokens stay set aside for a call that is never recorded.
        package var reservation: Duration
        /// Calls kept in memory while they cannot be stored; what comes beyond is counted, logged and lost.
        package var waiting: Int
        /// Between two tries to store them.
        package var retry: Duration

        package init(reservation: Duration = .seconds(120), waiting: Int = 10_000, retry: Duration = .seconds(1)) {
            self.reservation = reservation
            self.waiting = waiting
            self.retry = retry
        }
    }

    /// A brand's day as it stands.
    package struct Today: Sendable, Hashable {
        /// Days since 1970-01-01, UTC.
        package var day: Int64
        /// Used, what is not stored yet included.
        package var tokens: Int
        /// Set aside for calls under way.
        package var reserved: Int
    }

    private struct State {
        var days: [BrandID: DayBudget] = [:]
        var waiting: WaitingUsage
    }

    private let store: Store
    private let metrics: GatewayMetrics
    private let options: Options
    private let logger: Logger
    private let state: Mutex<State>
    private let signal = WakeSignal()

    package init(store: Store, metrics: GatewayMetrics, options: Options = .init(), logger: Logger) {
        self.store = store
        self.metrics = metrics
        self.options = options
        self.logger = logger
        state = Mutex(State(waiting: WaitingUsage(limit: options.waiting)))
    }

    // MARK: UsageLedger

    /// A limit that cannot be checked, because the store cannot be read, is not spent from: false.
    package func reserve(_ tokens: Int, id: UniqueID, brand: BrandID, dailyTokens: Int?) async -> Bool {
        let now = store.clock.now
        let day = UsagePeriod.day(of: now)
        if dailyTokens != nil {
            guard await knows(brand, day) else { return false }
        }
        return state.withLock { state in
            let waiting = state.waiting.tokens(brand, day: day)
            return state.days[brand, default: DayBudget()].reserve(
                max(0, tokens), id: id, limit: dailyTokens, day: day, waiting: waiting, now: now, lasting: options.reservation)
        }
    }

    package func record(_ usage: ModelUsage) async {
        let usage = usage.bounded
        let admission = state.withLock { state in
            let admission = state.waiting.add(usage)
            state.days[usage.subject.brand]?.release(usage.id)
            if case .full = admission {
                state.days[usage.subject.brand]?.add(usage.inputTokens + usage.outputTokens, day: UsagePeriod.day(of: usage.at))
            }
            return admission
        }
        switch admission {
        case .known: return
        case .taken: if await !write([usage]) { signal.raise() }
        case .full:
            logger.critical(
                "a model's usage is lost: the store takes none, and as many wait as may",
                metadata: [
                    "brand": "\(usage.subject.brand)", "usage": "\(usage.id)", "model": "\(usage.model)",
                    "input_tokens": "\(usage.inputTokens)", "output_tokens": "\(usage.outputTokens)",
                    "cost_nanos": "\(usage.costNanos ?? 0)",
                ])
            metrics.usageLost(brand: usage.subject.brand)
        }
    }

    // MARK: Looking

    /// Throws what the store throws when the day has not been read yet.
    package func today(_ brand: BrandID) async throws -> Today {
        let now = store.clock.now
        let day = UsagePeriod.day(of: now)
        try await know(brand, day)
        return state.withLock { state in
            let waiting = state.waiting.tokens(brand, day: day)
            state.days[brand]?.expire(now)
            let budget = state.days[brand]
            return Today(day: day, tokens: (budget?.used[day] ?? 0) + waiting, reserved: budget?.reserved ?? 0)
        }
    }

    /// Calls that are not stored yet.
    package var waiting: Int { state.withLock { $0.waiting.count } }

    // MARK: Service

    /// Stores later what could not be stored at once; tries a last time when the process stops.
    package func run() async throws {
        await withGracefulShutdownHandler {
            while !signal.isClosed, !Task.isCancelled {
                let isBehind = await !storeWaiting()
                let pause = isBehind ? options.retry : .seconds(3600)
                await signal.wait(until: store.clock.now + pause, clock: store.clock)
            }
        } onGracefulShutdown: {
            self.signal.close()
        }
        if await !storeWaiting() {
            logger.critical("usage of models could not be stored before the end", metadata: ["calls": "\(waiting)"])
        }
    }

    /// False when something still waits.
    private func storeWaiting() async -> Bool {
        while true {
            let batch = state.withLock { $0.waiting.take(Self.batch) }
            if batch.isEmpty { return true }
            guard await write(batch) else { return false }
        }
    }

    private static let batch = 200

    // MARK: The store

    /// Stores calls of one brand, and counts those that are new. Every day concerned is known before, so that none is counted twice: once as
    /// read and once as recorded.
    private func write(_ batch: [ModelUsage]) async -> Bool {
        guard let brand = batch.first?.subject.brand else { return true }
        do {
            for day in Set(batch.map { UsagePeriod.day(of: $0.at) }) { try await know(brand, day) }
            let isNew = try await store.brand(brand).write { transaction in
                try batch.map { try transaction.insertUsage($0, costNanos: $0.costNanos) }
            }
            let new = zip(batch, isNew).filter(\.1).map(\.0)
            state.withLock { state in
                state.waiting.remove(batch)
                for usage in new {
                    state.days[brand]?.add(usage.inputTokens + usage.outputTokens, day: UsagePeriod.day(of: usage.at))
                }
            }
            for usage in new { metrics.modelCall(usage, costNanos: usage.costNanos) }
            return true
        } catch {
            state.withLock { $0.waiting.giveBack(batch) }
            logger.error(
                "usage of a model cannot be stored now, will be tried again",
                metadata: ["brand": "\(brand)", "calls": "\(waiting)", "error": "\(error)"])
            return false
        }
    }

    private func knows(_ brand: BrandID, _ day: Int64) async -> Bool {
        do {
            try await know(brand, day)
            return true
        } catch {
            logger.error("tokens of the day cannot be read: no model is asked", metadata: ["brand": "\(brand)", "error": "\(error)"])
            return false
        }
    }

    /// Reads a day at its first use. Of several who read at the same time the first counts; until a day is known nothing is recorded in it.
    private func know(_ brand: BrandID, _ day: Int64) async throws {
        guard state.withLock({ $0.days[brand]?.isKnown(day) }) != true else { return }
        let stored = try await store.brand(brand).read { try $0.tokensUsed(in: UsagePeriod(day: day)) }
        state.withLock { state in
            if state.days[brand]?.isKnown(day) != true { state.days[brand, default: DayBudget()].know(day, stored: stored) }
        }
    }
}
