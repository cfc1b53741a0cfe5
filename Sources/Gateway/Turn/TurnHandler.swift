internal import Brain
internal import Conversation
package import Logging
package import Storage

/// Runs one event of a lane: policy, understanding, brain, and one commit that stores the new state with everything it leads to.
package struct TurnHandler: TaskHandler {
    private let registry: Registry
    private let schemas: SchemaFetcher
    private let limiter: RateLimiter
    private let reading: ReadingSignals
    private let understandingDeadline: Duration
    private let metrics: GatewayMetrics
    private let logger: Logger

    /// `understandingDeadline` is how long finding out what a message wants and wording the answer may take together.
    package init(
        registry: Registry, schemas: SchemaFetcher, limiter: RateLimiter, reading: ReadingSignals,
        understandingDeadline: Duration = .seconds(15), metrics: GatewayMetrics, logger: Logger
    ) {
        self.understandingDeadline = understandingDeadline
        self.registry = registry
        self.schemas = schemas
        self.limiter = limiter
        self.reading = reading
        self.metrics = metrics
        self.logger = logger
    }

    package func handle(_ context: TaskContext) async throws {
        let started = ContinuousClock.now
        let task = context.task
        guard let brand = registry.brand(context.lease.brand) else {
            // The brand is stopped by its configuration; its work waits and costs nothing.
            return try await context.finish(.parked(until: context.store.clock.now + .seconds(30))) { _ in }
        }
        let readsHistory = brand.classifier.readsHistory
        guard let snapshot = try await context.brand.read({ try TurnSnapshot.load(task, withHistory: readsHistory, in: $0) }) else {
            return try await context.finish { _ in }
        }
        guard let instance = brand.configuration.instance(snapshot.session.instance), let channel = registry.channel(instance.channel)
        else {
            return try await context.finish(.parked(until: context.store.clock.now + .seconds(30))) { _ in }
        }
        try await run(context, snapshot, brand, instance, channel)
        metrics.turn(brand: brand.id, event: task.kind, seconds: (ContinuousClock.now - started).seconds)
    }

    private func run(
        _ context: TaskContext, _ snapshot: TurnSnapshot, _ brand: BrandRuntime, _ instance: InstanceConfiguration, _ channel: any Channel
    ) async throws {
        let turn = context.store.ids.next()
        let lane = Lane(brand: brand.id, instance: instance.id, user: snapshot.user.id)
        if let message = snapshot.message {
            if let refusal = limited(lane, brand) {
                return try await context.finish { try refusal.store(message, snapshot, channel, turn: turn, in: $0) }
            }
            reading.began(lane: lane, providerID: message.providerID ?? "", instance: instance, channel: channel)
        }
        let deadline = context.store.clock.now + understandingDeadline
        let subject = ModelSubject(brand: brand.id, instance: instance.id, session: snapshot.session.id, user: snapshot.user.id)
        var result = try await decide(snapshot, brand, subject: subject, deadline: deadline, store: context.store)
        if let responder = ModelResponder(brand: brand, clock: context.store.clock) {
            result = await responder.reworded(
                result, before: snapshot.state, user: snapshot.user, subject: subject, deadline: deadline)
        }
        let commit = TurnCommit(
            snapshot: snapshot, result: result, configuration: brand.configuration, channel: channel, lane: lane, turn: turn)
        let encoded = try StoredJSON.encode(result.state)
        try await context.finish { try commit.store(encoded, in: $0) }
        CrashPoint.decisionStoredNotSent.pass()
    }

    private func limited(_ lane: Lane, _ brand: BrandRuntime) -> RateRefusal? {
        switch limiter.take(lane: lane, limits: brand.configuration.policies.limits, now: registry.clock.now) {
        case .allowed: return nil
        case .limited(let bucket, let retryAfter, let isFirst):
            metrics.rateLimited(brand: brand.id, bucket: bucket)
            let text = brand.configuration.templates["rate_limited"] ?? "You are writing faster than I can read. Please give me a moment."
            return RateRefusal(bucket: bucket, retryAfter: retryAfter, text: isFirst && bucket == "user" ? text : nil)
        }
    }

    /// Asks the brain, fetches what it needs, and asks again. More rounds than schemas exist would mean that it never ends.
    private func decide(
        _ snapshot: TurnSnapshot, _ brand: BrandRuntime, subject: ModelSubject, deadline: Timestamp, store: Store
    ) async throws -> TurnResult {
        let intents = await understand(snapshot, brand, subject: subject, deadline: deadline)
        var input = TurnInput(
            instance: snapshot.session.instance, user: snapshot.user, state: snapshot.state, event: snapshot.event, intents: intents,
            openActions: snapshot.openActions, completedActions: snapshot.completedActions, recentFingerprints: snapshot.fingerprints,
            sessionIsNew: snapshot.version == 0, now: store.clock.now)
        for _ in 0...(2 * brand.configuration.schemas.count + 2) {
            switch brand.brain.step(input) {
            case .decided(let result): return result
            case .needs(let needs):
                for state in await fetch(needs, snapshot.user, brand) { input.schemas[state.name] = state }
            }
        }
        throw StageError(stage: .brain, retryable: false, cause: "the decision asked for schemas without end")
    }

    private func fetch(_ needs: [SchemaNeed], _ user: User, _ brand: BrandRuntime) async -> [SchemaState] {
        await withTaskGroup(of: SchemaState.self) { group in
            for need in needs { group.addTask { await schemas.fetch(need, user: user, brand: brand) } }
            return await group.reduce(into: []) { $0.append($1) }
        }
    }

    private func understand(
        _ snapshot: TurnSnapshot, _ brand: BrandRuntime, subject: ModelSubject, deadline: Timestamp
    ) async -> [DetectedIntent] {
        guard case .message(let message) = snapshot.event, let text = message.content.text else { return [] }
        CrashPoint.understanding(text)
        return await brand.classifier.classify(
            ClassificationRequest(
                text: text, answerSheet: snapshot.state.answerSheet, expectingResponse: snapshot.state.expectingResponse,
                activeAction: snapshot.state.activeTask?.canonicalAction, history: snapshot.history,
                locale: snapshot.user.locale ?? brand.configuration.locale, subject: subject, deadline: deadline,
                wires: Wires(state: snapshot.state, popularActions: brand.brain.popularActions)))
    }

    package func giveUp(_ task: QueueTask, lane: String, error: any Error, in transaction: BrandTransaction) throws {
        let session = task.payload["session"]?.string.flatMap { SessionID($0) }
        let message = task.payload["message"]?.string.flatMap { MessageID($0) }
        if let session, let message { try transaction.setOutcome("dead_letter", of: message, session: session, turn: nil) }
        try transaction.insertDeadLetter(
            kind: "turn", reason: error is TaskCrashed ? "crashed" : "failed",
            detail: ["error": .string("\(error)"), "attempts": .integer(Int64(task.attempts))],
            about: .init(id: message?.value ?? task.id.value, session: session), task: RedrivableTask(task, lane: lane, pool: .turn).json)
    }
}
