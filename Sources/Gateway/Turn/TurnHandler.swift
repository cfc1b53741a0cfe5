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
        if task.kind == TurnTask.send { return try await context.finish { try SendTurn.release(task.payload, in: $0) } }
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
        let policy = TurnPolicy(brand: brand, lane: lane, limiter: limiter, metrics: metrics, now: registry.clock.now)
        if snapshot.isMuted {
            // Not even a flood is kept from the people: what they are not shown is lost.
            let muted = MutedTurn(snapshot: snapshot, lane: lane, turn: turn, links: MediaLinks(brand.configuration))
            return try await context.finish { try muted.store(context.task.payload, in: $0) }
        }
        let result: TurnResult
        switch admit(snapshot, policy, instance, channel) {
        case .refused(let refusal):
            try await context.finish { try refusal.store(snapshot, brand, channel, turn: turn, in: $0) }
            return policy.settle(snapshot.message?.id)
        case .handedOver(let handedOver): result = handedOver
        case .admitted(let warning): result = try await worded(snapshot, brand, policy, warning, store: context.store)
        }
        let commit = TurnCommit(
            snapshot: snapshot, result: result, material: try await material(for: result, snapshot, brand, context), brand: brand,
            channel: channel, lane: lane, turn: turn)
        let encoded = try TurnCommit.encode(result.state)
        try await context.finish { try commit.store(encoded, in: $0) }
        policy.settle(snapshot.message?.id)
        CrashPoint.decisionStoredNotSent.pass()
    }

    /// What people need to go on, read before the commit so that no writer waits for it; nothing for a turn that hands nothing over.
    private func material(
        for result: TurnResult, _ snapshot: TurnSnapshot, _ brand: BrandRuntime, _ context: TaskContext
    ) async throws -> HandoverMaterial {
        guard result.effects.contains(where: { if case .handover = $0 { true } else { false } }) else { return HandoverMaterial() }
        return try await context.brand.read {
            try HandoverMaterial.load(snapshot.session, message: snapshot.message?.id, brand.configuration, in: $0)
        }
    }

    /// What is no message was admitted when it began.
    private func admit(
        _ snapshot: TurnSnapshot, _ policy: TurnPolicy, _ instance: InstanceConfiguration, _ channel: any Channel
    ) -> TurnPolicy.Admission {
        guard let message = snapshot.message else { return .admitted(warning: nil) }
        if let refusal = policy.limit(message.id) { return .refused(refusal) }
        reading.began(lane: policy.lane, providerID: message.providerID ?? "", instance: instance, channel: channel)
        return policy.admit(snapshot.event, in: snapshot.state)
    }

    /// Decides, words the replies by the model where there is one, and holds what will be said against the policies.
    private func worded(
        _ snapshot: TurnSnapshot, _ brand: BrandRuntime, _ policy: TurnPolicy, _ warning: String?, store: Store
    ) async throws -> TurnResult {
        let deadline = store.clock.now + understandingDeadline
        let subject = ModelSubject(
            brand: brand.id, instance: snapshot.session.instance, session: snapshot.session.id, user: snapshot.user.id)
        let topic = sensitiveTopic(snapshot, brand)
        let intents = topic == nil ? await understand(snapshot, brand, subject: subject, deadline: deadline) : []
        var (result, warnings) = try await decide(snapshot, intents, topic, brand, policy, store: store)
        // A model that took most of the time to understand, or failed at it, is not asked for words as well: somebody waits.
        if deadline - store.clock.now > understandingDeadline / 2, let responder = ModelResponder(brand: brand, clock: store.clock) {
            result = await responder.reworded(result, before: snapshot.state, user: snapshot.user, subject: subject, deadline: deadline)
        }
        return policy.screened(result, warnings: [warning].compactMap { $0 } + warnings)
    }

    /// Asks the brain, fetches what it needs, and asks again; and once more for calls that policies refuse. More rounds than schemas and
    /// actions exist would mean that it never ends.
    private func decide(
        _ snapshot: TurnSnapshot, _ intents: [DetectedIntent], _ topic: String?, _ brand: BrandRuntime, _ policy: TurnPolicy, store: Store
    ) async throws -> (TurnResult, warnings: [String]) {
        var input = TurnInput(
            instance: snapshot.session.instance, user: snapshot.user, state: snapshot.state, event: snapshot.event, intents: intents,
            openActions: snapshot.openActions, completedActions: snapshot.completedActions, recentFingerprints: snapshot.fingerprints,
            sessionIsNew: snapshot.version == 0, sensitiveTopic: topic, now: store.clock.now)
        for _ in 0...(2 * brand.configuration.schemas.count + brand.configuration.actions.count + 2) {
            switch brand.brain.step(input) {
            case .decided(let result):
                switch policy.review(result, tier: snapshot.user.tier) {
                case .passed(let warnings): return (result, warnings)
                case .refused(let refusals): input.refusedActions.merge(refusals) { first, _ in first }
                }
            case .needs(let needs):
                for state in await fetch(needs, snapshot.user, brand) { input.schemas[state.name] = state }
            }
        }
        throw StageError(stage: .brain, retryable: false, cause: "the decision asked for schemas or refused calls without end")
    }

    private func fetch(_ needs: [SchemaNeed], _ user: User, _ brand: BrandRuntime) async -> [SchemaState] {
        await withTaskGroup(of: SchemaState.self) { group in
            for need in needs { group.addTask { await schemas.fetch(need, user: user, brand: brand) } }
            return await group.reduce(into: []) { $0.append($1) }
        }
    }

    /// Topics for people are found before anything is understood, or sent to a model.
    private func sensitiveTopic(_ snapshot: TurnSnapshot, _ brand: BrandRuntime) -> String? {
        guard case .message(let message) = snapshot.event, let text = message.content.text else { return nil }
        return brand.sensitiveTopic(text)
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
        if task.kind == TurnTask.send { return try SendTurn.giveUp(task.payload, error: error, in: transaction) }
        let session = task.payload["session"]?.string.flatMap { SessionID($0) }
        let message = task.payload["message"]?.string.flatMap { MessageID($0) }
        if let session, let message { try transaction.setOutcome("dead_letter", of: message, session: session, turn: nil) }
        try transaction.insertDeadLetter(
            kind: "turn", reason: error is TaskCrashed ? "crashed" : "failed",
            detail: ["error": .string("\(error)"), "attempts": .integer(Int64(task.attempts))],
            about: .init(id: message?.value ?? task.id.value, session: session), task: RedrivableTask(task, lane: lane, pool: .turn).json)
        try handOver(task, error, session: session, transaction)
    }

    /// Work that was given up ends with people, not in silence: they have the conversation, and the customer is told.
    private func handOver(_ task: QueueTask, _ error: any Error, session: SessionID?, _ transaction: BrandTransaction) throws {
        guard [TurnTask.message, TurnTask.toolResult].contains(task.kind),
            let session = try session.flatMap({ try transaction.session($0) }),
            let user = try transaction.user(session.user), let brand = registry.brand(transaction.brand),
            let instance = registry.instance(session.instance), let channel = registry.channel(instance.channel)
        else { return }
        let wasMuted = try transaction.isMuted(instance: session.instance, user: user.id)
        // A state that cannot be read may be the very reason.
        let state = (try? transaction.state(of: session.id).state) ?? ConversationState()
        try HandoverOpening(brand: brand, channel: channel, session: session, user: user, state: state).store(
            HandoverRequest(trigger: .systemError, summary: "A message could not be answered: \(error)"),
            material(of: session, brand, transaction), in: transaction)
        guard !wasMuted, let handover = try transaction.openHandover(instance: session.instance, user: user.id), handover.mutes else {
            return
        }
        try HandoverConversation(brand: brand, channel: channel, transaction: transaction).tell("handover", handover)
    }

    /// Rows that cannot be read may be the very reason why the turn was given up: then people start without them, rather than not at all.
    private func material(of session: SessionRecord, _ brand: BrandRuntime, _ transaction: BrandTransaction) -> HandoverMaterial {
        do {
            return try HandoverMaterial.load(session, message: nil, brand.configuration, in: transaction)
        } catch {
            logger.error(
                "a handover begins without its conversation, which cannot be read",
                metadata: ["brand": "\(brand.id)", "session": "\(session.id)", "error": "\(error)"])
            return HandoverMaterial()
        }
    }
}
