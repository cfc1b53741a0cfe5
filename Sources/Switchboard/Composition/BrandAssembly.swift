import Brain
import ConfigurationLoading
import Conversation
import Gateway
import Models
import Signing
import Synchronization
import Text
import Understanding

/// Makes a configured brand ready to work.
enum BrandAssembly {
    /// Throws when a secret or a pattern cannot be used; the loader has checked both before.
    static func make(
        _ configuration: BrandConfiguration, queue: QueueConfiguration, http: any HTTPClient, clock: any WallClock, ids: any IDSource,
        usage: any UsageLedger
    ) throws -> BrandRuntime {
        guard let first = configuration.api.signingSecrets.first else {
            throw StartProblem("brand \(configuration.id) has no signing secret")
        }
        let signer = try IdempotencySigner(secret: first)
        let patterns = PatternCache()
        let brain = Brain(
            configuration: configuration, slots: SlotExtractor(), signer: signer, ids: ids, inlineWait: queue.inlineWait,
            matches: { patterns.matchesWhole($0, $1) })
        let model = configuration.llm.map {
            ChatCompletions(brand: configuration.id, configuration: $0, http: http, clock: clock, ids: ids, usage: usage)
        }
        return BrandRuntime(
            configuration: configuration, classifier: try classifier(configuration, model: model, clock: clock), brain: brain,
            webhooks: try StandardWebhooks(secrets: configuration.api.signingSecrets), signer: signer, model: model)
    }

    private static func classifier(
        _ configuration: BrandConfiguration, model: (any LanguageModel)?, clock: any WallClock
    ) throws -> any IntentClassifying {
        let embedded = try EmbeddedClassifier(
            actions: configuration.actions, intents: configuration.intents, locale: configuration.locale)
        guard let model, model.serves(.intent) || model.serves(.deviation) else { return embedded }
        return HybridClassifier(embedded: embedded, model: model, configuration: configuration, clock: clock)
    }
}

/// Compiled patterns by their text.
private final class PatternCache: Sendable {
    private let compiled = Mutex<[String: Pattern]>([:])

    /// False for a pattern that does not compile; the loader refuses those.
    func matchesWhole(_ pattern: String, _ text: String) -> Bool {
        let found = compiled.withLock { compiled -> Pattern? in
            if let known = compiled[pattern] { return known }
            guard let new = try? Pattern(pattern, caseSensitive: true) else { return nil }
            compiled[pattern] = new
            return new
        }
        return found?.matchesWhole(text) ?? false
    }
}
