package import Conversation
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
    /// however often and after whatever crash it comes. A key that comes with another `body` is refused; without a body the first command
    /// counts, whatever later ones say. Throws what the store throws; then trying again with the same key is safe.
    package func send(
        _ command: SendCommand, brand: BrandID, key: String?, body: [UInt8]? = nil, by origin: Origin
    ) async throws -> Answer {
        let answer = try await decide(command, brand: brand, key: key.map { SendKey($0, of: origin, body: body) }, by: origin)
        switch answer {
        case .accepted: metrics.command(brand: brand, origin: origin, outcome: "accepted")
        case .refused(let refusal): metrics.command(brand: brand, origin: origin, outcome: refusal.code)
        case .known: metrics.command(brand: brand, origin: origin, outcome: "duplicate")
        }
        return answer
    }

    private func decide(_ command: SendCommand, brand: BrandID, key: SendKey?, by origin: Origin) async throws -> Answer {
        let runtime = registry.brand(brand)
        guard let runtime, let instance = runtime.configuration.instance(command.instance) else { return .refused(.unknownInstance) }
        guard let channel = registry.channel(instance.channel) else { return .refused(.cannotSend) }
        let addressee = Addressee(command.recipient, channel: instance.channel)
        let (known, found) = try await store.brand(brand).read { (try key?.answer(in: $0), try addressee.user(in: $0)) }
        if let known { return known }
        guard let user = found else { return .refused(.unknownUser) }
        let lane = Lane(brand: brand, instance: instance.id, user: user)
        var command = command
        if let refusal = screen(&command.content, runtime) { return .refused(refusal) }
        let attempt = store.ids.next()
        defer { limiter.settle(attempt) }
        let acceptance = SendAcceptance(
            command: command, addressee: addressee, instance: instance, channel: channel, lane: lane, policy: policy, key: key,
            origin: origin, limit: { limit(lane, runtime, attempt) })
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

    /// Takes one token, however often the transaction of this attempt runs.
    private func limit(_ lane: Lane, _ brand: BrandRuntime, _ attempt: UniqueID) -> SendRefusal? {
        switch limiter.take(for: attempt, lane: lane, limits: brand.configuration.policies.limits, now: registry.clock.now) {
        case .allowed: return nil
        case .limited(let bucket, let wait, _):
            return SendRefusal(.limited, "rate_limited:\(bucket)", "too many messages a minute to this \(bucket)", retryAfter: wait)
        }
    }
}
