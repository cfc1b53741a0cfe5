/// Where on its way a message was when something went wrong. The stage decides whether trying again can help.
package enum Stage: String, Sendable, Codable, Hashable {
    case intake, identity, session, understanding, brain, policy, action, outbox, channel, storage, bus, configuration,
        handover
}

/// An error with its stage, whether a retry can help, a text for the user, and the cause for the operator, kept apart.
package struct StageError: Error, Sendable, CustomStringConvertible {
    package let stage: Stage
    package let retryable: Bool
    /// What a customer may be told; nil when there is nothing sensible to say.
    package let userText: String?
    /// For logs and dead letters; never sent to a customer.
    package let cause: String

    package init(stage: Stage, retryable: Bool, userText: String? = nil, cause: String) {
        self.stage = stage
        self.retryable = retryable
        self.userText = userText
        self.cause = cause
    }

    package var description: String { "\(stage.rawValue): \(cause)" }
}
