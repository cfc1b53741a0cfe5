internal import Brain
package import Conversation
internal import HTTPCalls
internal import JSON
package import Logging
internal import Signing
package import Storage

/// Carries out decided calls: the same bytes and key on every attempt, until the outcome is certain or a person must look.
package struct ActionHandler: TaskHandler {
    let registry: Registry
    private let http: any HTTPClient
    private let parking: Parking?
    private let jitter: any JitterSource
    private let jitterFraction: Double
    private let metrics: GatewayMetrics
    private let logger: Logger

    /// `parking` keeps what a brand that is away cannot take now; without one it ends like any other failure.
    package init(
        registry: Registry, http: any HTTPClient, parking: Parking? = nil, jitter: any JitterSource, jitterFraction: Double,
        metrics: GatewayMetrics, logger: Logger
    ) {
        self.registry = registry
        self.http = http
        self.parking = parking
        self.jitter = jitter
        self.jitterFraction = jitterFraction
        self.metrics = metrics
        self.logger = logger
    }

    package func handle(_ context: TaskContext) async throws {
        guard let id = context.task.payload["action"]?.string.flatMap({ ActionID($0) }) else {
            throw StageError(stage: .action, retryable: false, cause: "an action task without an action")
        }
        guard let brand = registry.brand(context.lease.brand) else {
            return try await context.finish(.parked(until: context.store.clock.now + .seconds(30))) { _ in }
        }
        guard var action = try await context.brand.read({ try $0.action(id) }), action.state == .queued else {
            return try await context.finish { _ in }
        }
        guard let definition = brand.configuration.action(named: action.canonicalAction) else {
            let gone = "the action \(action.canonicalAction) is no longer configured"
            let mayHaveTakenEffect = action.mayHaveTakenEffect || context.task.wasInterrupted
            return try await commit(action, nil, context).end(
                mayHaveTakenEffect ? .unknown(reason: gone) : .notDone(reason: gone), detail: gone)
        }
        if context.task.wasInterrupted {
            action.mayHaveTakenEffect = action.mayHaveTakenEffect || definition.isWrite
            try await context.note {
                try $0.recordAttempt(of: id.value, startedAt: $0.now, outcome: "unknown", detail: "the process ended during the call")
            }
        }
        try await attempt(action, definition, brand, context)
    }

    private func attempt(_ known: ActionRecord, _ definition: ActionDefinition, _ brand: BrandRuntime, _ context: TaskContext) async throws
    {
        var action = known
        if action.mayHaveTakenEffect {
            let commit = commit(action, definition, context)
            switch definition.safety {
            case .unsafe:
                return try await commit.end(.unknown(reason: "an earlier attempt may have taken effect"), detail: "not repeated: unsafe")
            case .queryable:
                if let settled = await lookUp(action, definition, brand) { return try await settle(settled, commit, definition) }
                // The brand has nothing under our reference: whatever was sent before took no effect.
                action.mayHaveTakenEffect = false
            case .read, .idempotent: break
            }
        }
        try await send(action, definition, brand, context)
    }

    private func commit(_ action: ActionRecord, _ definition: ActionDefinition?, _ context: TaskContext) -> ActionCommit {
        ActionCommit(action: action, definition: definition, context: context, screen: registry.screen(of: action.instance))
    }

    private func send(_ action: ActionRecord, _ definition: ActionDefinition, _ brand: BrandRuntime, _ context: TaskContext) async throws {
        let commit = commit(action, definition, context)
        let started = context.store.clock.now
        let outcome = try await context.act(mayAct: definition.isWrite) {
            await withProgress(action, definition, context) { await call(action, definition, brand, now: started) }
        }
        if Task.isCancelled, case .unknown = outcome, !definition.isWrite { throw CancellationError() }
        CrashPoint.responseNotStored.pass()
        if case .held(let reason) = outcome { return try await hold(commit, reason: reason) }
        let seconds = (context.store.clock.now - started).seconds
        metrics.action(brand: brand.id, action: definition.canonicalName, outcome: outcome.name, seconds: seconds)
        log(outcome, action, context, brand, seconds: seconds)
        try await store(outcome, commit, definition, context, startedAt: started)
    }

    private func call(_ action: ActionRecord, _ definition: ActionDefinition, _ brand: BrandRuntime, now: Timestamp) async -> CallOutcome {
        var headers = [
            (name: "Idempotency-Key", value: Base64.encodeURL(action.idempotencyKey)),
            (name: "traceparent", value: "00-\(Hex.encode(action.id.bytes))-\(Hex.encode(action.taskID.bytes.suffix(8)))-01"),
        ]
        if let body = action.body { headers += brand.webhooks.headers(id: "act_\(action.id)", at: now, body: body) }
        let request = brand.call(
            method: action.method, target: action.target, body: action.body, timeout: definition.timeout, headers: headers,
            subject: action.id.description)
        CrashPoint.decisionStoredNotSent.pass()
        let result = await http.call(request)
        CrashPoint.sentNoResponse.pass()
        return Outcome.of(
            result, notDoneStatuses: definition.notDoneStatuses, conflict: definition.conflict, now: now,
            isReadable: { $0.isEmpty || (try? JSONValue(parsing: $0)) != nil })
    }

    /// Asks the brand whether our earlier attempt took effect; nil when it did not.
    private func lookUp(_ action: ActionRecord, _ definition: ActionDefinition, _ brand: BrandRuntime) async -> CallOutcome? {
        guard let template = definition.lookup else { return .unknown(reason: "no look-up is configured") }
        let extra: [String: JSONValue] = [
            "idempotency_key": .string(Base64.encodeURL(action.idempotencyKey)), "task_id": .string(action.taskID.description),
        ]
        let user = User(id: action.user, tier: "", isVerified: false)
        guard let filled = try? RequestFilling.fill(template, params: action.params, user: user, schemas: [:], extra: extra) else {
            return .unknown(reason: "the look-up cannot be filled")
        }
        let request = brand.call(
            method: filled.method, target: filled.target, timeout: definition.timeout, subject: action.id.description)
        switch await http.call(request) {
        case .answer(let answer) where (200..<300).contains(answer.status):
            guard let body = try? JSONValue(parsing: answer.body) else { return .unknown(reason: "the look-up's answer cannot be read") }
            // A search that found nothing answers an empty list.
            if body.isNull || body.array?.isEmpty == true { return nil }
            return .done(status: answer.status, body: answer.body)
        case .answer(let answer) where answer.status == 404: return nil
        case .answer(let answer): return .unknown(reason: "the look-up answered \(answer.status)")
        case .failed(let failure):
            let reason = "the look-up failed: \(failure.detail)"
            if failure.kind == .breakerOpen { return .held(reason: reason) }
            return [.invalidRequest, .forbiddenAddress].contains(failure.kind) ? .notSendable(reason: reason) : .unknown(reason: reason)
        }
    }

    private func settle(_ outcome: CallOutcome, _ commit: ActionCommit, _ definition: ActionDefinition) async throws {
        switch outcome {
        case .done(_, let body):
            try await commit.done(body: (try? JSONValue(parsing: body)) ?? .null, startedAt: commit.context.store.clock.now)
        case .unknown(let reason):
            try await again(commit, definition, reason: reason, retryAfter: nil, unknown: true, startedAt: commit.context.store.clock.now)
        case .notSendable(let reason): try await commit.end(.unknown(reason: reason), detail: reason)
        case .held(let reason): try await hold(commit, reason: reason)
        case .notSent, .refused: preconditionFailure("a look-up settles or stays unknown")
        }
    }

    private func store(
        _ outcome: CallOutcome, _ commit: ActionCommit, _ definition: ActionDefinition, _ context: TaskContext, startedAt: Timestamp
    ) async throws {
        let wasUnknown = commit.action.mayHaveTakenEffect
        switch outcome {
        case .done(_, let body): try await commit.done(body: (try? JSONValue(parsing: body)) ?? .null, startedAt: startedAt)
        case .refused(let status, let body):
            if wasUnknown {
                // "Not booked" could be a lie: an earlier attempt may have taken effect.
                return try await commit.end(
                    .unknown(reason: "refused with \(status) after an unknown attempt"), detail: "status \(status)", startedAt: startedAt)
            }
            let detail = (try? JSONValue(parsing: body)).flatMap(RefusalText.detail)
            try await commit.end(.refused(status: status, detail: detail), detail: "status \(status)", startedAt: startedAt)
        case .notSent(let reason, let retryAfter):
            try await again(commit, definition, reason: reason, retryAfter: retryAfter, unknown: false, startedAt: startedAt)
        case .held(let reason): try await hold(commit, reason: reason)
        case .notSendable(let reason):
            try await commit.end(wasUnknown ? .unknown(reason: reason) : .notDone(reason: reason), detail: reason, startedAt: startedAt)
        case .unknown(let reason):
            if definition.safety == .unsafe { return try await commit.end(.unknown(reason: reason), detail: reason, startedAt: startedAt) }
            try await again(commit, definition, reason: reason, retryAfter: nil, unknown: definition.isWrite, startedAt: startedAt)
        }
    }

    /// Another attempt after its backoff, or the end when there are no more.
    private func again(
        _ commit: ActionCommit, _ definition: ActionDefinition, reason: String, retryAfter: Duration?, unknown: Bool, startedAt: Timestamp
    ) async throws {
        let number = commit.context.task.attempts
        let backoff = Backoff(definition.retry, jitterFraction: jitterFraction)
        if let wait = backoff.delay(afterAttempt: number, jitter: jitter, retryAfter: retryAfter) {
            return try await commit.retry(after: wait, reason: reason, unknown: unknown, startedAt: startedAt)
        }
        if let latest = parking?.latest(for: commit.context, ofOpenCircuit: true) {
            return try await park(commit, latest: latest, reason: reason, failedAt: startedAt, unknown: unknown)
        }
        let isUnknown = unknown || commit.action.mayHaveTakenEffect
        try await commit.end(isUnknown ? .unknown(reason: reason) : .notDone(reason: reason), detail: reason, startedAt: startedAt)
    }

    /// The brand is away: its work waits, at no cost of an attempt, until it is back or its time is over.
    private func hold(_ commit: ActionCommit, reason: String) async throws {
        if let latest = parking?.latest(for: commit.context, ofOpenCircuit: false) {
            return try await park(commit, latest: latest, reason: reason)
        }
        try await commit.end(commit.action.mayHaveTakenEffect ? .unknown(reason: reason) : .notDone(reason: reason), detail: reason)
    }

    private func park(
        _ commit: ActionCommit, latest: Timestamp, reason: String, failedAt: Timestamp? = nil, unknown: Bool = false
    ) async throws {
        try await commit.park(latest: latest, reason: reason, failedAt: failedAt, unknown: unknown)
        parking?.holds(commit.context.lease.brand)
        logger.info(
            "brand call parked",
            metadata: [
                "brand": "\(commit.context.lease.brand)", "action": "\(commit.action.canonicalAction)", "action_id": "\(commit.action.id)",
                "until": "\(latest)", "reason": "\(reason)",
            ])
    }

    private func log(_ outcome: CallOutcome, _ action: ActionRecord, _ context: TaskContext, _ brand: BrandRuntime, seconds: Double) {
        logger.info(
            "brand call",
            metadata: [
                "brand": "\(brand.id)", "action": "\(action.canonicalAction)", "action_id": "\(action.id)",
                "attempt": "\(context.task.attempts)",
                "outcome": "\(outcome.name)", "detail": "\(outcome.summary)", "seconds": "\(seconds)",
            ])
    }

    package func giveUp(_ task: QueueTask, lane: String, error: any Error, in transaction: BrandTransaction) throws {
        guard let id = task.payload["action"]?.string.flatMap({ ActionID($0) }) else {
            throw StageError(stage: .action, retryable: false, cause: "an action task without an action")
        }
        guard let action = try transaction.action(id) else { return }
        try transaction.lock(ActionCommit.conversation(of: action, transaction))
        guard try transaction.isQueued(id) else { return }
        try ActionCommit.store(
            .unknown(reason: "\(error)"), of: action, screen: registry.screen(of: action.instance), in: transaction,
            redrive: RedrivableTask(task, lane: lane, pool: .action), detail: "\(error)")
    }
}

extension CallOutcome {
    var name: String {
        switch self {
        case .notSent: "not_sent"
        case .notSendable: "not_sendable"
        case .held: "held"
        case .refused: "refused"
        case .done: "done"
        case .unknown: "unknown"
        }
    }

    var summary: String {
        switch self {
        case .notSent(let reason, _), .notSendable(let reason), .held(let reason), .unknown(let reason): reason
        case .refused(let status, _), .done(let status, _): "status \(status)"
        }
    }
}
