package import Conversation

/// Decides what a turn does: a function of the conversation's state and one event, with no input or output of its own.
/// The turn asks, fetches what is needed, asks again, and carries out the effects.
package struct Brain: Sendable {
    /// Whether a whole text matches an RE2 pattern.
    package typealias PatternMatch = @Sendable (_ pattern: String, _ text: String) -> Bool

    let configuration: BrandConfiguration
    let slots: any SlotExtracting
    let signer: any DecisionSigner
    let ids: any IDSource
    let inlineWait: Duration
    let matches: PatternMatch

    /// `inlineWait` is how long a customer waits for a result before "working on it" is said.
    package init(
        configuration: BrandConfiguration, slots: any SlotExtracting, signer: any DecisionSigner, ids: any IDSource,
        inlineWait: Duration = .seconds(5), matches: @escaping PatternMatch
    ) {
        self.configuration = configuration
        self.slots = slots
        self.signer = signer
        self.ids = ids
        self.inlineWait = inlineWait
        self.matches = matches
    }

    /// One step: either the schemas without which nothing can be decided, or the new state with its effects.
    package func step(_ input: TurnInput) -> TurnStep {
        var turn = Turn(brain: self, input: input)
        do throws(SchemasMissing) {
            try turn.run()
            return .decided(turn.finish())
        } catch {
            return .needs(error.needs)
        }
    }

    /// The actions a customer hears of first: the configured popular ones, else the first seven.
    package var popularActions: [ActionDefinition] {
        let named = configuration.popularActions.compactMap(configuration.action(named:))
        return Array((named.isEmpty ? configuration.actions : named).prefix(7))
    }
}

/// Unwinds a decision that cannot go on before these have been fetched.
struct SchemasMissing: Error {
    var needs: [SchemaNeed]
}

extension Brain {
    /// The brand's words, or ours, for what is said outside a decision. `key` names a template.
    package func words(_ key: String, user: User, now: Timestamp) -> String {
        let phrases = Phrases(locale: user.locale ?? configuration.locale, timeZone: configuration.timeZone, now: now)
        return Responder(configuration: configuration, phrases: phrases, user: user).text([key])
    }
}
