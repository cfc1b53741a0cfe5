internal import Brain
internal import Conversation

/// The policies of one turn, asked at their three points.
struct TurnPolicy: Sendable {
    let brand: BrandRuntime
    let lane: Lane
    let limiter: RateLimiter
    let metrics: GatewayMetrics
    let now: Timestamp

    private var engine: PolicyEngine { brand.policy }
    private var configuration: BrandConfiguration { brand.configuration }

    // MARK: Before a message is understood

    /// Takes the message's token, the same one for every attempt of its turn. Nil when it may go on.
    func limit(_ message: MessageID) -> MessageRefusal? {
        switch limiter.take(for: message.value, lane: lane, limits: configuration.policies.limits, now: now) {
        case .allowed: return nil
        case .limited(let bucket, let retryAfter, let isFirst):
            metrics.rateLimited(brand: brand.id, bucket: bucket)
            let text = engine.words.text(["rate_limited"], ["retry_after": PolicyWords.words(retryAfter)])
            let verdict = PolicyVerdict(
                result: .rateLimit, rule: "rate_limited:\(bucket)", text: text, retryAfter: retryAfter, remainingQuota: 0)
            count(verdict, at: .preExecution)
            return MessageRefusal(verdict: verdict, text: isFirst && bucket == "user" ? text : nil)
        }
    }

    /// The message had its turn.
    func settle(_ message: MessageID?) {
        if let message { limiter.settle(message.value) }
    }

    enum Admission {
        /// `warning` is what the answer must carry.
        case admitted(warning: String?)
        case refused(MessageRefusal)
        /// People answer it instead of a decision.
        case handedOver(TurnResult)
    }

    /// Holds the words of a message against the filters.
    func admit(_ event: LaneEvent, in state: ConversationState) -> Admission {
        guard case .message(let message) = event, let text = message.content.text, let verdict = engine.inbound(text) else {
            return .admitted(warning: nil)
        }
        count(verdict, at: .preExecution)
        switch verdict.result {
        case .allow: return .admitted(warning: nil)
        case .warn: return .admitted(warning: verdict.text)
        case .deny, .rateLimit: return .refused(MessageRefusal(verdict: verdict, text: verdict.text))
        case .handover: return .handedOver(handOver(verdict, state, message))
        }
    }

    private func handOver(_ verdict: PolicyVerdict, _ state: ConversationState, _ message: StoredMessage) -> TurnResult {
        var state = state
        state.turn += 1
        state.closeQuestion()
        state.lastRepliedAt = now
        if let text = message.content.text, StopWords.isOptOut(text) { state.optedOutOfMarketing = true }
        let narrative = Narrative(instruction: .handover, primary: verdict.text, must: [verdict.text])
        return TurnResult(
            state: state,
            effects: [
                .handover(HandoverRequest(trigger: .policyViolation, summary: "A message of the customer matched \(verdict.rule)")),
                .update(verdict.update(at: now)),
                .reply(Reply(content: .text(verdict.text), narrative: narrative, inReplyTo: message.providerID)),
            ])
    }

    // MARK: Before a call is queued

    enum Review {
        /// `warnings` are what the answer must carry.
        case passed(warnings: [String])
        /// The turn is decided again with these in mind.
        case refused([String: ActionRefusal])
    }

    /// Holds every decided call against the rules, and takes tokens only when none is refused: what is not queued costs nothing. A call
    /// whose commit fails is decided again and takes another token.
    func review(_ result: TurnResult, tier: String) -> Review {
        let calls = result.effects.compactMap { effect -> ActionDecision? in
            if case .queue(let decision) = effect { decision } else { nil }
        }
        guard !calls.isEmpty else { return .passed(warnings: []) }
        var refusals: [String: ActionRefusal] = [:]
        var warnings: [PolicyVerdict] = []
        for call in calls {
            guard let action = configuration.action(named: call.canonicalAction) else { continue }
            for verdict in engine.call(of: action, params: call.params, tier: tier, now: now) {
                if let refusal = verdict.refusal {
                    count(verdict, at: .preTool)
                    refusals[action.canonicalName] = refusal
                } else {
                    warnings.append(verdict)
                }
            }
        }
        if refusals.isEmpty { refusals = take(calls) }
        guard refusals.isEmpty else { return .refused(refusals) }
        for warning in warnings { count(warning, at: .preTool) }
        return .passed(warnings: warnings.map(\.text))
    }

    private func take(_ calls: [ActionDecision]) -> [String: ActionRefusal] {
        let limits = configuration.policies.limits
        switch limiter.take(calls: calls.map(\.canonicalAction), lane: lane, limits: limits, now: now) {
        case .allowed: return [:]
        case .limited(let name, let retryAfter, _):
            guard let action = configuration.action(named: name) else { return [:] }
            let verdict = engine.exhausted(action, retryAfter: retryAfter)
            count(verdict, at: .preTool)
            return verdict.refusal.map { [name: $0] } ?? [:]
        }
    }

    // MARK: Before a reply is stored

    /// The result as it may be stored: replies that a filter refuses are replaced, and warnings added. Comes after whoever words the
    /// replies, for what they say is what is held against the filters.
    func screened(_ result: TurnResult, warnings: [String]) -> TurnResult {
        var result = result
        var isHandedOver = result.effects.contains { if case .handover = $0 { true } else { false } }
        for (index, effect) in result.effects.enumerated() {
            guard case .reply(var reply) = effect, let verdict = engine.outbound(reply.content) else { continue }
            count(verdict, at: .postResponse)
            switch verdict.result {
            case .allow: continue
            case .warn: reply.content = reply.content.adding(verdict.text)
            case .deny, .rateLimit, .handover:
                reply.content = .text(verdict.text)
                let isHandover = verdict.result == .handover
                reply.narrative = Narrative(
                    instruction: isHandover ? .handover : .handleBlocker, primary: verdict.text, must: [verdict.text])
                // Nobody can answer a question that was never shown.
                result.state.closeQuestion()
                if isHandover, !isHandedOver {
                    isHandedOver = true
                    let summary = "A reply was held back: it matched \(verdict.rule)"
                    result.effects.append(.handover(HandoverRequest(trigger: .policyViolation, summary: summary)))
                }
            }
            result.effects[index] = .reply(reply)
        }
        result.add(warnings, at: now)
        return result
    }

    private func count(_ verdict: PolicyVerdict, at point: PolicyPoint) {
        metrics.policy(brand: brand.id, point: point, verdict)
    }
}

extension ConversationState {
    /// Nothing is asked any more.
    fileprivate mutating func closeQuestion() {
        expectingResponse = false
        answerSheet = nil
        clarification.state = .none
    }
}

extension TurnResult {
    /// The first reply begins with the warnings, so that a question stays at its end; without a reply they are one.
    fileprivate mutating func add(_ warnings: [String], at now: Timestamp) {
        var seen: Set<String> = []
        let text = warnings.filter { !$0.isEmpty && seen.insert($0).inserted }.joined(separator: "\n")
        guard !text.isEmpty else { return }
        for (index, effect) in effects.enumerated() {
            guard case .reply(var reply) = effect else { continue }
            reply.content = reply.content.adding(text, inFront: true)
            reply.narrative.must.insert(text, at: 0)
            effects[index] = .reply(reply)
            return
        }
        effects.append(
            .reply(Reply(content: .text(text), narrative: Narrative(instruction: .handleBlocker, primary: text, must: [text]))))
        state.lastRepliedAt = now
    }
}

extension OutboundContent {
    /// The content with a line before or after its words; what has no words stays as it is.
    func adding(_ line: String, inFront: Bool = false) -> OutboundContent {
        func joined(_ text: String) -> String { inFront ? "\(line)\n\(text)" : "\(text)\n\(line)" }
        switch self {
        case .text(let text): return .text(joined(text))
        case .choices(var prompt):
            prompt.text = joined(prompt.text)
            return .choices(prompt)
        case .media(var media):
            media.caption = media.caption.map(joined) ?? line
            return .media(media)
        case .template, .reaction: return self
        }
    }
}
