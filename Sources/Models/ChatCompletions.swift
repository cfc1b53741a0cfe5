package import Conversation
internal import HTTPCalls
import Synchronization

/// A brand's model behind an OpenAI-compatible endpoint: `POST {base_url}/chat/completions`. One instance per brand; it keeps to the brand's
/// concurrency, budget and deadline, and records what every call used. What is asked and answered, and the key, are in no error text.
package final class ChatCompletions: LanguageModel {
    /// Calls for one answer: a second one only when the first certainly brought nothing.
    static let attempts = 2
    /// Before a second call when the endpoint names no wait.
    static let pause = Duration.milliseconds(250)
    /// A second call needs at least that much time to be worth it.
    static let leastTime = Duration.milliseconds(300)

    private let brand: BrandID
    private let configuration: ModelConfiguration
    private let http: any HTTPClient
    private let clock: any WallClock
    private let ids: any IDSource
    private let usage: any UsageLedger
    private let line: CallLine
    private let breaker: Mutex<EndpointBreaker>

    package init(
        brand: BrandID, configuration: ModelConfiguration, http: any HTTPClient, clock: any WallClock, ids: any IDSource,
        usage: any UsageLedger
    ) {
        self.brand = brand
        self.configuration = configuration
        self.http = http
        self.clock = clock
        self.ids = ids
        self.usage = usage
        breaker = Mutex(EndpointBreaker(pause: configuration.pause))
        line = CallLine(limit: configuration.maxConcurrent, clock: clock)
    }

    package func serves(_ function: ModelFunction) -> Bool { configuration.functions[function] != nil }

    package func complete(_ prompt: ModelPrompt) async -> ModelResult {
        guard let settings = configuration.functions[prompt.function] else {
            return .failed(ModelFailure(.notConfigured, "no model for \(prompt.function.rawValue)"))
        }
        let request = ChatRequest(prompt, settings: settings)
        if let refusal = pause(probing: false) { return await skipped(request, refusal) }
        guard await line.enter(until: prompt.deadline) else {
            return await skipped(request, ModelFailure(.busy, "\(configuration.maxConcurrent) calls are under way"))
        }
        defer { line.leave() }
        for attempt in 1...Self.attempts {
            switch await call(request) {
            case .answer(let text): return .answer(text)
            case .failed(let failure):
                guard attempt < Self.attempts, let wait = wait(after: failure, until: prompt.deadline) else { return .failed(failure) }
                do {
                    try await clock.sleep(until: clock.now + wait)
                } catch {
                    return .failed(failure)
                }
            }
        }
        return .failed(ModelFailure(.unavailable, "no attempt was made"))
    }

    /// Nil when another call cannot help, or not in time.
    private func wait(after failure: ModelFailure, until deadline: Timestamp) -> Duration? {
        switch failure.kind {
        case .rateLimited, .unavailable: break
        case .notConfigured, .overBudget, .busy, .timeout, .refused, .tooLarge, .unreadable, .rejected, .paused: return nil
        }
        let wait = failure.retryAfter ?? Self.pause
        let next = clock.now + wait
        if breaker.withLock({ $0.rests(at: next) }) != nil { return nil }
        return next + Self.leastTime <= deadline && !Task.isCancelled ? wait : nil
    }

    private func call(_ request: ChatRequest) async -> ModelResult {
        let id = ids.next()
        let began = clock.now
        let timeout = min(configuration.timeout, request.prompt.deadline - began)
        guard timeout > .zero else { return .failed(ModelFailure(.timeout, "no time is left")) }
        if let refusal = pause(probing: true) { return await skipped(request, refusal) }
        guard await usage.reserve(request.mostTokens, id: id, brand: brand, dailyTokens: configuration.dailyTokens) else {
            breaker.withLock { $0.gaveUp() }
            return await skipped(request, ModelFailure(.overBudget, "the brand's tokens of this day are used up"))
        }
        let reading = ChatAnswer.read(
            await http.call(call(request.body, timeout: timeout)), isJSON: request.prompt.schema != nil, now: clock.now)
        breaker.withLock { $0.ended(reading.result.failure, allowed: timeout, at: clock.now) }
        await usage.record(record(reading, of: request, id: id, began: began))
        if case .answer = reading.result { CrashPoint.modelAnsweredNotStored.pass() }
        return reading.result
    }

    /// Why the endpoint is not asked now; nil when it may be. Who asks `probing` makes the call.
    private func pause(probing: Bool) -> ModelFailure? {
        let now = clock.now
        let wait = breaker.withLock { probing ? $0.refuses(at: now) : $0.rests(at: now) }
        return wait.map { ModelFailure(.paused, "the endpoint failed repeatedly or asked for patience", retryAfter: $0) }
    }

    /// Puts on record, and into the metrics, that and why a call was not made.
    private func skipped(_ request: ChatRequest, _ failure: ModelFailure) async -> ModelResult {
        await usage.record(
            ModelUsage(
                id: ids.next(), subject: request.prompt.subject, function: request.prompt.function, model: request.settings.model,
                inputTokens: 0, outputTokens: 0, isEstimated: false, failure: failure.kind, at: clock.now, duration: .zero))
        return .failed(failure)
    }

    private func call(_ body: [UInt8], timeout: Duration) -> HTTPCall {
        var headers = [(name: "Content-Type", value: "application/json"), (name: "Accept", value: "application/json")]
        if let key = configuration.apiKey, !key.isEmpty { headers.append((name: "Authorization", value: "Bearer \(key.reveal())")) }
        let base = configuration.baseURL.hasSuffix("/") ? String(configuration.baseURL.dropLast()) : configuration.baseURL
        return HTTPCall(
            method: "POST", url: base + "/chat/completions", headers: headers, body: body, timeout: timeout, maxResponseBytes: 262_144,
            pool: "llm:\(brand)", maxConcurrent: max(1, configuration.maxConcurrent),
            allowPrivateAddresses: configuration.allowPrivateAddresses)
    }

    /// What the endpoint says it used counts, whatever its answer is worth. It is estimated only when there is an answer and no word of it.
    private func record(_ reading: ChatAnswer, of request: ChatRequest, id: UniqueID, began: Timestamp) -> ModelUsage {
        var tokens = (input: reading.usage?.input ?? 0, output: reading.usage?.output ?? 0)
        var failure: ModelFailure.Kind?
        var isEstimated = false
        switch reading.result {
        case .failed(let reason): failure = reason.kind
        case .answer(let text) where reading.usage == nil:
            tokens = (request.promptTokens, ModelTokens.estimate(text))
            isEstimated = true
        case .answer: break
        }
        return ModelUsage(
            id: id, subject: request.prompt.subject, function: request.prompt.function, model: request.settings.model,
            inputTokens: tokens.input, outputTokens: tokens.output, isEstimated: isEstimated, plannedTokens: request.prompt.plannedTokens,
            price: configuration.prices[request.settings.model], failure: failure, at: began, duration: clock.now - began)
    }
}

extension ModelResult {
    fileprivate var failure: ModelFailure? { if case .failed(let failure) = self { failure } else { nil } }
}
