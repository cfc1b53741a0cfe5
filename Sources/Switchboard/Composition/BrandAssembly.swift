import Brain
import ConfigurationLoading
import Conversation
import Gateway
import Signing
import Synchronization
import Text
import Understanding

/// Makes a configured brand ready to work.
enum BrandAssembly {
    /// Throws when a secret or a pattern cannot be used; the loader has checked both before.
    static func make(
        _ configuration: BrandConfiguration, queue: QueueConfiguration, ids: any IDSource, desk: (any TicketDesk)? = nil
    ) throws -> BrandRuntime {
        guard let first = configuration.api.signingSecrets.first else {
            throw StartProblem("brand \(configuration.id) has no signing secret")
        }
        let signer = try IdempotencySigner(secret: first)
        let patterns = PatternCache()
        let brain = Brain(
            configuration: configuration, slots: SlotExtractor(), signer: signer, ids: ids, inlineWait: queue.inlineWait,
            matches: { patterns.matchesWhole($0, $1) })
        let topics = try PatternSet(configuration.handover.sensitiveTopics)
        return BrandRuntime(
            configuration: configuration,
            classifier: try EmbeddedClassifier(
                actions: configuration.actions, intents: configuration.intents, locale: configuration.locale),
            brain: brain, webhooks: try StandardWebhooks(secrets: configuration.api.signingSecrets), signer: signer,
            desk: desk, sensitiveTopic: { topics.matches($0).first.map { topics.patterns[$0] } })
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
