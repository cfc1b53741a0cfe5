package import Brain
package import Conversation
package import Signing

/// One brand's configuration, made ready to work: patterns compiled, classifier trained, keys prepared.
/// A turn uses one of these from begin to end, whatever is loaded meanwhile.
package struct BrandRuntime: Sendable {
    package let configuration: BrandConfiguration
    package let classifier: any IntentClassifying
    package let brain: Brain
    package let webhooks: StandardWebhooks
    /// The idempotency HMAC, keyed by the first signing secret.
    package let signer: any DecisionSigner
    /// Nil for a brand without a model.
    package let model: (any LanguageModel)?
    package let policy: PolicyEngine
    /// Nil for a brand whose handovers wait in our own queue.
    package let desk: (any TicketDesk)?
    /// The brand's pattern that a text fits whose topic is for people; nil when none does.
    package let sensitiveTopic: @Sendable (String) -> String?

    /// Without `policy` the configuration must have no filters: those need compiling, which can fail.
    package init(
        configuration: BrandConfiguration, classifier: any IntentClassifying, brain: Brain, webhooks: StandardWebhooks,
        signer: any DecisionSigner, model: (any LanguageModel)? = nil, policy: PolicyEngine? = nil, desk: (any TicketDesk)? = nil,
        sensitiveTopic: @escaping @Sendable (String) -> String? = { _ in nil }
    ) {
        self.desk = desk
        self.sensitiveTopic = sensitiveTopic
        self.model = model
        self.policy = policy ?? PolicyEngine(unfiltered: configuration)
        self.configuration = configuration
        self.classifier = classifier
        self.brain = brain
        self.webhooks = webhooks
        self.signer = signer
    }

    package var id: BrandID { configuration.id }
}
