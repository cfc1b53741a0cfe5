package import Conversation
package import Logging
package import Storage

/// Sends replies in the order of their conversation. Where a channel has no idempotency, as WhatsApp, a send whose end nobody knows is
/// marked unknown, settled by the status that comes back, and never resent blindly; where it has, it is simply sent again.
package struct DeliveryHandler: TaskHandler {
    private let registry: Registry
    private let policy: SendPolicy
    private let reading: ReadingSignals
    private let unknownReply: Duration
    private let backoff: Backoff
    private let jitter: any JitterSource
    private let metrics: GatewayMetrics
    private let logger: Logger

    /// `unknownReply`: how long a status is waited for before an unknown send becomes a dead letter.
    package init(
        registry: Registry, policy: SendPolicy, reading: ReadingSignals, unknownReply: Duration, backoff: Backoff,
        jitter: any JitterSource, metrics: GatewayMetrics, logger: Logger
    ) {
        self.registry = registry
        self.policy = policy
        self.reading = reading
        self.unknownReply = unknownReply
        self.backoff = backoff
        self.jitter = jitter
        self.metrics = metrics
        self.logger = logger
    }

    package func handle(_ context: TaskContext) async throws {
        guard let id = context.task.payload["message"]?.string.flatMap({ MessageID($0) }) else {
            throw StageError(stage: .outbox, retryable: false, cause: "a delivery without a message")
        }
        if context.task.kind == Outbox.settle { return try await settle(id, context) }
        let loaded = try await context.brand.read { transaction -> (MessageRecord, User, SessionRecord, isUnwanted: Bool)? in
            guard let message = try transaction.outboundMessage(id), message.sendState == "queued",
                let user = try transaction.user(message.user), var session = try transaction.session(message.session)
            else { return nil }
            // The window counts from the customer's last message, which may stand in a later session than the one this belongs to.
            let latest = try transaction.activeSession(instance: message.instance, user: message.user)?.lastInboundAt
            session.lastInboundAt = [session.lastInboundAt, latest].compactMap { $0 }.max()
            let isUnwanted = try message.isMarketing && transaction.isOptedOut(message.user, topic: OptOutTopic.marketing)
            return (message, user, session, isUnwanted)
        }
        guard let (message, user, session, isUnwanted) = loaded, let content = OutboundContent(json: message.content) else {
            return try await context.finish { _ in }
        }
        guard let instance = registry.instance(message.instance), let channel = registry.channel(instance.channel) else {
            return try await context.finish(.parked(until: context.store.clock.now + .seconds(30))) { _ in }
        }
        if context.task.wasInterrupted, !channel.capabilities.isRepeatable {
            return try await markUnknown(message, context, reason: "the process ended while it was being sent")
        }
        let part = OutboundPart(
            reference: id, instance: instance, recipient: user.identifiers, content: content, inReplyTo: message.inReplyTo)
        try await send(part, message, session, isUnwanted, channel, context)
    }

    private func send(
        _ part: OutboundPart, _ message: MessageRecord, _ session: SessionRecord, _ isUnwanted: Bool, _ channel: any Channel,
        _ context: TaskContext
    ) async throws {
        let clock = context.store.clock
        let verdict = policy.decide(
            part.content, message: message.id, brand: context.lease.brand, channel: channel, lastInboundAt: session.lastInboundAt,
            isOptedOut: isUnwanted, now: clock.now)
        switch verdict {
        case .denied(let refusal): try await refuse(message, refusal, context, startedAt: clock.now)
        case .allowed(let permit):
            let startedAt = clock.now
            let lane = Lane(brand: context.lease.brand, instance: message.instance, user: message.user)
            reading.replied(lane: lane)
            CrashPoint.replyQueuedNotSent.pass()
            let outcome = try await context.act(mayAct: true) { await channel.send(part, permit: permit) }
            CrashPoint.sentToChannelIDNotStored.pass()
            try await store(outcome, message, channel.capabilities, context, startedAt: startedAt)
        }
    }

    private func store(
        _ outcome: SendOutcome, _ message: MessageRecord, _ capabilities: ChannelCapabilities, _ context: TaskContext, startedAt: Timestamp
    ) async throws {
        switch outcome {
        case .sent(let providerID):
            try await context.finish { transaction in
                try transaction.markSent(message.id, providerID: providerID)
                try transaction.applyEarlyStatus(providerID: providerID, instance: message.instance)
                try transaction.record(
                    .messageSent, instance: message.instance,
                    data: [
                        "message_id": .string(message.id.description), "provider_message_id": .string(providerID),
                        "content": message.content,
                        "user_id": .string(message.user.description), "session_id": .string(message.session.description),
                    ])
                guard capabilities.keepsFeed else { return }
                try transaction.appendFeed(
                    FeedMessage(id: message.id, isInbound: false, content: message.content, at: transaction.now),
                    instance: message.instance, user: message.user)
            }
            metrics.delivery(brand: context.lease.brand, outcome: "sent")
        case .notSent(let reason, let retryAfter): try await retry(message, context, reason, retryAfter, startedAt)
        case .refused(let error): try await refuse(message, error, context, startedAt: startedAt)
        case .unknown(let reason) where capabilities.isRepeatable: try await retry(message, context, reason, nil, startedAt)
        case .unknown(let reason): try await markUnknown(message, context, reason: reason)
        }
    }

    private func retry(
        _ message: MessageRecord, _ context: TaskContext, _ reason: String, _ retryAfter: Duration?, _ startedAt: Timestamp
    ) async throws {
        metrics.delivery(brand: context.lease.brand, outcome: "not_sent")
        guard let wait = backoff.delay(afterAttempt: context.task.attempts, jitter: jitter, retryAfter: retryAfter) else {
            return try await refuse(
                message, ChannelError(code: "not_sent", message: reason, reaction: .page), context, startedAt: startedAt)
        }
        try await context.finish(.again(at: context.store.clock.now + wait, holdingLane: true)) { transaction in
            try transaction.recordAttempt(of: message.id.value, startedAt: startedAt, outcome: "not_sent", detail: reason)
        }
    }

    private func refuse(_ message: MessageRecord, _ error: ChannelError, _ context: TaskContext, startedAt: Timestamp) async throws {
        let (task, lane) = (context.task, context.lease.lane)
        try await context.finish { transaction in
            try transaction.recordAttempt(of: message.id.value, startedAt: startedAt, outcome: "refused", detail: error.description)
            try transaction.setSendState("failed", of: message.id, error: error.description)
            try transaction.noteUndelivered(message, error)
            // The platform knows before us that the customer stopped offers. What our own rules say, they know from us.
            if error.reaction == .stopContact, error.code != SendPolicy.optedOut {
                try transaction.optOut(message.user, topic: OptOutTopic.marketing, proof: error.description)
            }
            try transaction.record(
                .messageStatus, instance: message.instance,
                data: [
                    "message_id": .string(message.id.description), "provider_message_id": .null, "status": "failed",
                    "at": .string(transaction.now.description), "error": .string(error.description),
                ])
            try Self.bury(
                transaction, kind: "delivery", reason: error.code,
                ["error": .string(error.message), "reaction": .string(error.reaction.rawValue)],
                message, task: RedrivableTask(task, lane: lane, pool: .delivery).json)
        }
        metrics.delivery(brand: context.lease.brand, outcome: "refused")
        logger.warning(
            "a reply was refused",
            metadata: [
                "brand": "\(context.lease.brand)", "message": "\(message.id)", "code": "\(error.code)",
                "reaction": "\(error.reaction.rawValue)",
            ])
    }

    private func markUnknown(_ message: MessageRecord, _ context: TaskContext, reason: String) async throws {
        try await context.finish { try storeUnknown(message.id, reason: reason, in: $0) }
        metrics.delivery(brand: context.lease.brand, outcome: "unknown")
    }

    private func storeUnknown(_ id: MessageID, reason: String, in transaction: BrandTransaction) throws {
        // A status that came meanwhile has settled it already.
        guard try transaction.outboundMessage(id)?.sendState == "queued" else { return }
        try transaction.recordAttempt(of: id.value, startedAt: transaction.now, outcome: "unknown", detail: reason)
        try transaction.setSendState("unknown", of: id, error: reason)
        try transaction.enqueue(
            NewTask(
                id: QueueTaskID(transaction.newID()), lane: "settle:\(id)", pool: .delivery, kind: Outbox.settle,
                payload: ["message": .string(id.description)], runAt: transaction.now + unknownReply))
    }

    /// No status came in time: a person should look. A later status still settles it.
    private func settle(_ id: MessageID, _ context: TaskContext) async throws {
        try await context.finish { try Self.storeUnsettled(id, in: $0) }
    }

    private static func storeUnsettled(_ id: MessageID, in transaction: BrandTransaction) throws {
        guard let message = try transaction.outboundMessage(id), message.sendState == "unknown" else { return }
        try bury(
            transaction, kind: "unknown", reason: "no status came for a send whose end is unknown", ["error": JSONValue(message.error)],
            message, task: .null)
    }

    private static func bury(
        _ transaction: BrandTransaction, kind: String, reason: String, _ detail: JSONValue, _ message: MessageRecord, task: JSONValue
    ) throws {
        try transaction.insertDeadLetter(
            kind: kind, reason: reason, detail: detail,
            about: .init(id: message.id.value, session: message.session, instance: message.instance, user: message.user), task: task)
    }

    package func giveUp(_ task: QueueTask, lane: String, error: any Error, in transaction: BrandTransaction) throws {
        guard let id = task.payload["message"]?.string.flatMap({ MessageID($0) }) else {
            throw StageError(stage: .outbox, retryable: false, cause: "a delivery without a message")
        }
        if task.kind == Outbox.settle { return try Self.storeUnsettled(id, in: transaction) }
        // Not sent for certain, or it must not be offered for another send.
        if task.wasInterrupted { return try storeUnknown(id, reason: "\(error)", in: transaction) }
        guard let message = try transaction.outboundMessage(id), message.sendState == "queued" else { return }
        try transaction.setSendState("failed", of: id, error: "\(error)")
        try Self.bury(
            transaction, kind: "delivery", reason: "failed", ["error": .string("\(error)")], message,
            task: RedrivableTask(task, lane: lane, pool: .delivery).json)
    }
}

extension MessageRecord {
    /// Whether the brand said of a message of its own that it is an offer.
    fileprivate var isMarketing: Bool { context?["category"]?.string == SendCommand.Category.marketing.rawValue }
}
