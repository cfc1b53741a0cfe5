package import Conversation
internal import Signing
package import Storage

/// Takes messages that a brand sends outside a turn. What may not be sent is refused before anything of it is stored; what is taken goes
/// through the conversation's own lane, behind what was there before, and then the way of every reply.
package struct SendDesk: Sendable {
    /// Where a command came from.
    package enum Origin: String, Sendable { case api, bus }

    package enum Answer: Sendable, Hashable {
        case accepted(SendReceipt)
        case refused(SendRefusal)
        /// A command of this key was answered before: so.
        case known(status: Int, body: [UInt8])
    }

    /// What a caller is answered when the message is on its way.
    package static let acceptedStatus = 202

    private let store: Store
    private let registry: Registry
    private let limiter: RateLimiter
    private let policy = SendPolicy()
    private let metrics: GatewayMetrics

    /// `limiter` counts what brands send; it is none that counts what customers write.
    package init(store: Store, registry: Registry, limiter: RateLimiter = RateLimiter(), metrics: GatewayMetrics) {
        self.store = store
        self.registry = registry
        self.limiter = limiter
        self.metrics = metrics
    }

    /// Stores the message and puts it on its way, in one transaction with the note that `key` was used: of one key there is one message,
    /// however often and after whatever crash it comes. Throws what the store throws; then trying again with the same key is safe.
    package func send(_ command: SendCommand, brand: BrandID, key: String?, by origin: Origin) async throws -> Answer {
        let answer = try await decide(command, brand: brand, key: key.map { "\(origin.rawValue)\n\($0)" }, by: origin)
        switch answer {
        case .accepted: metrics.command(brand: brand, origin: origin, outcome: "accepted")
        case .refused(let refusal): metrics.command(brand: brand, origin: origin, outcome: refusal.code)
        case .known: metrics.command(brand: brand, origin: origin, outcome: "duplicate")
        }
        return answer
    }

    private func decide(_ command: SendCommand, brand: BrandID, key: String?, by origin: Origin) async throws -> Answer {
        let runtime = registry.brand(brand)
        guard let runtime, let instance = runtime.configuration.instance(command.instance) else { return .refused(.unknownInstance) }
        guard let channel = registry.channel(instance.channel) else { return .refused(.cannotSend) }
        let found = try await store.brand(brand).read { transaction in
            (try key.flatMap { try transaction.answer(toRequest: $0) }, try transaction.user(command.recipient, at: instance)?.id)
        }
        if let (status, body) = found.0 { return .known(status: status, body: body) }
        guard let user = found.1 else { return .refused(.unknownUser) }
        let lane = Lane(brand: brand, instance: instance.id, user: user)
        var command = command
        if let refusal = screen(&command.content, runtime) ?? limit(lane, runtime) { return .refused(refusal) }
        let acceptance = Acceptance(
            command: command, instance: instance, channel: channel, lane: lane, policy: policy, key: key, origin: origin)
        return try await store.brand(brand).write { try acceptance.store(in: $0) }
    }

    /// Holds the words against the brand's filters; a warning is added to them.
    private func screen(_ content: inout OutboundContent, _ brand: BrandRuntime) -> SendRefusal? {
        guard let verdict = brand.policy.outbound(content) else { return nil }
        metrics.policy(brand: brand.id, point: .postResponse, verdict)
        switch verdict.result {
        case .allow: return nil
        case .warn:
            content = content.adding(verdict.text)
            return nil
        case .deny, .rateLimit, .handover: return SendRefusal(.forbidden, verdict.rule, "a filter of the brand holds it back")
        }
    }

    private func limit(_ lane: Lane, _ brand: BrandRuntime) -> SendRefusal? {
        switch limiter.take(lane: lane, limits: brand.configuration.policies.limits, now: registry.clock.now) {
        case .allowed: return nil
        case .limited(let bucket, let wait, _):
            return SendRefusal(.limited, "rate_limited:\(bucket)", "too many messages a minute to this \(bucket)", retryAfter: wait)
        }
    }

    /// The mark of a used key. A key says which message is meant, whatever its body says the second time.
    static func digest(of key: String) -> [UInt8] { Digest.sha256(Array(key.utf8)) }
}

/// One command, decided and stored in one transaction.
private struct Acceptance: Sendable {
    let command: SendCommand
    let instance: InstanceConfiguration
    let channel: any Channel
    let lane: Lane
    let policy: SendPolicy
    let key: String?
    let origin: SendDesk.Origin

    func store(in transaction: BrandTransaction) throws -> SendDesk.Answer {
        if let key, let (status, body) = try transaction.answer(toRequest: key) { return .known(status: status, body: body) }
        // Whoever it was a moment ago, the customer may have been merged or have gone.
        guard try transaction.user(command.recipient, at: instance)?.id == lane.user else { return .refused(.unknownUser) }
        guard try transaction.isKnown(lane.user, at: instance.channel) else { return .refused(.noRecipient) }
        if let handover = try transaction.openHandover(instance: instance.id, user: lane.user), handover.mutes {
            return .refused(.handover(handover.id))
        }
        let parts = channel.render(withIDs(command.content, transaction)).map { (id: MessageID(transaction.newID()), content: $0) }
        if let refusal = try refusal(of: parts, transaction) { return .refused(refusal) }
        if let key, let answered = try claim(key, transaction) { return answered }
        let receipt = try keep(parts, transaction)
        if let key {
            try transaction.storeAnswer(key: key, status: SendDesk.acceptedStatus, body: CanonicalJSON.bytes(receipt.json))
        }
        return .accepted(receipt)
    }

    /// The last word is spoken when the message leaves; what is refused already now is not taken.
    private func refusal(
        of parts: [(id: MessageID, content: OutboundContent)], _ transaction: BrandTransaction
    ) throws -> SendRefusal? {
        let inbound = try transaction.lastInbound(instance: instance.id, user: lane.user)
        let isOptedOut = try command.category == .marketing && transaction.isOptedOut(lane.user, topic: OptOutTopic.marketing)
        for part in parts {
            let verdict = policy.decide(
                part.content, message: part.id, brand: lane.brand, channel: channel, lastInboundAt: inbound, isOptedOut: isOptedOut,
                now: transaction.now)
            if case .denied(let error) = verdict { return SendRefusal(error) }
        }
        return nil
    }

    /// Nil when the key is ours now.
    private func claim(_ key: String, _ transaction: BrandTransaction) throws -> SendDesk.Answer? {
        switch try transaction.claimRequest(key: key, bodyHash: SendDesk.digest(of: key)) {
        case .new: return nil
        case .answered(let status, let body): return .known(status: status, body: body)
        case .running, .otherBody:
            throw StageError(stage: .outbox, retryable: true, cause: "a command is in the hands of somebody else")
        }
    }

    private func keep(
        _ parts: [(id: MessageID, content: OutboundContent)], _ transaction: BrandTransaction
    ) throws -> SendReceipt {
        let session = try transaction.outreachSession(instance: instance, user: lane.user)
        let marks: JSONValue = [
            "author": "brand", "by": .string(origin.rawValue), "category": .string(command.category.rawValue),
        ]
        for part in parts {
            try transaction.insertOutbound(
                id: part.id, session: session, instance: instance.id, user: lane.user, content: part.content, narrative: marks,
                inReplyTo: nil, turn: nil)
        }
        let ids = parts.map(\.id)
        try transaction.enqueue(SendTurn.task(ids, lane: lane, now: transaction.now))
        return SendReceipt(messages: ids, session: session, user: lane.user)
    }

    private func withIDs(_ content: OutboundContent, _ transaction: BrandTransaction) -> OutboundContent {
        guard case .choices(var prompt) = content else { return content }
        for index in prompt.options.indices where prompt.options[index].id.isEmpty {
            prompt.options[index].id = transaction.newID().description
        }
        return .choices(prompt)
    }
}

extension BrandTransaction {
    /// Who is meant; nil for nobody of this brand.
    fileprivate func user(_ recipient: SendCommand.Recipient, at instance: InstanceConfiguration) throws -> User? {
        switch recipient {
        case .user(let id): return try user(id)
        case .identifier(let identifier): return try owner(of: identifier, channel: instance.channel).flatMap { try user($0) }
        }
    }
}
