/// A brand's model that completes chats. Implementations keep to the brand's budget and concurrency, and record what each call used.
package protocol LanguageModel: Sendable {
    /// Whether the brand configured a model for that function.
    func serves(_ function: ModelFunction) -> Bool
    /// Never throws: whatever happened is in the result. Ends by the prompt's deadline.
    func complete(_ prompt: ModelPrompt) async -> ModelResult
}

/// What a model is asked for. Each may have its own model and settings.
package enum ModelFunction: String, Sendable, Codable, CaseIterable {
    /// Intents, slots, clarification and deviation of one message.
    case intent
    /// The same while a task is open, where a brand sets it apart.
    case deviation
    /// The words of a reply.
    case response
    /// The summary of a session, with its topics.
    case summary
}

package struct ModelPrompt: Sendable {
    package var function: ModelFunction
    package var system: String
    package var messages: [ModelMessage]
    /// The JSON the answer must be; nil for free text.
    package var schema: ModelSchema?
    /// What the call belongs to, for usage and cost.
    package var subject: ModelSubject
    /// Tokens that the plan of the session set aside for this call; nil when it has none.
    package var plannedTokens: Int?
    package var deadline: Timestamp

    package init(
        function: ModelFunction, system: String, messages: [ModelMessage], schema: ModelSchema? = nil, subject: ModelSubject,
        plannedTokens: Int? = nil, deadline: Timestamp
    ) {
        self.function = function
        self.system = system
        self.messages = messages
        self.schema = schema
        self.subject = subject
        self.plannedTokens = plannedTokens
        self.deadline = deadline
    }
}

package struct ModelMessage: Sendable, Hashable {
    package enum Role: String, Sendable { case user, assistant }
    package var role: Role
    package var text: String

    package init(role: Role, text: String) {
        self.role = role
        self.text = text
    }
}

/// A JSON Schema under a name, as structured outputs ask for it.
package struct ModelSchema: Sendable {
    package var name: String
    package var schema: JSONValue

    package init(name: String, schema: JSONValue) {
        self.name = name
        self.schema = schema
    }
}

/// Whose conversation a call serves.
package struct ModelSubject: Sendable, Hashable {
    package var brand: BrandID
    package var instance: InstanceID
    package var session: SessionID?
    package var user: UserID?

    package init(brand: BrandID, instance: InstanceID, session: SessionID? = nil, user: UserID? = nil) {
        self.brand = brand
        self.instance = instance
        self.session = session
        self.user = user
    }
}

package enum ModelResult: Sendable {
    /// What the model wrote, as it is: whoever asked for JSON reads it with suspicion.
    case answer(String)
    case failed(ModelFailure)
}

package struct ModelFailure: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Kind: String, Sendable, Codable {
        /// The brand has no model for this.
        case notConfigured = "not_configured"
        /// The brand's tokens of this day are used up.
        case overBudget = "over_budget"
        /// Too many calls of this brand are under way.
        case busy
        /// The endpoint failed again and again, or asked to be left alone: nobody asks it for a while.
        case paused
        /// 429.
        case rateLimited = "rate_limited"
        /// 5xx, or no connection.
        case unavailable
        case timeout
        /// The model declined, or a filter of its provider did.
        case refused
        case tooLarge = "too_large"
        /// An answer without the fields that the format asks for.
        case unreadable
        /// 4xx: our request or its key is wrong; trying again cannot help.
        case rejected
    }

    package var kind: Kind
    package var detail: String
    package var retryAfter: Duration?

    package init(_ kind: Kind, _ detail: String, retryAfter: Duration? = nil) {
        self.kind = kind
        self.detail = detail
        self.retryAfter = retryAfter
    }
    package var description: String { "\(kind.rawValue): \(detail)" }
}

/// Where calls are counted and paid.
package protocol UsageLedger: Sendable {
    /// Sets tokens aside until the call is recorded under the same id; false when the brand's day has not that many left.
    func reserve(_ tokens: Int, id: UniqueID, brand: BrandID, dailyTokens: Int?) async -> Bool
    /// What a call used, failed calls included; ends its reservation. A usage that cannot be stored now is kept and stored later.
    func record(_ usage: ModelUsage) async
}

/// One call of a model.
package struct ModelUsage: Sendable, Hashable {
    package var id: UniqueID
    package var subject: ModelSubject
    package var function: ModelFunction
    package var model: String
    /// As the endpoint reported them; estimated from the texts when it reported none and `isEstimated`.
    package var inputTokens: Int
    package var outputTokens: Int
    package var isEstimated: Bool
    package var plannedTokens: Int?
    /// The price when the call was made; nil when the brand gave none.
    package var price: ModelPrice?
    /// Nil for an answer that was read.
    package var failure: ModelFailure.Kind?
    package var at: Timestamp
    package var duration: Duration

    package init(
        id: UniqueID, subject: ModelSubject, function: ModelFunction, model: String, inputTokens: Int, outputTokens: Int, isEstimated: Bool,
        plannedTokens: Int? = nil, price: ModelPrice? = nil, failure: ModelFailure.Kind? = nil, at: Timestamp, duration: Duration
    ) {
        self.id = id
        self.subject = subject
        self.function = function
        self.model = model
        self.inputTokens = inputTokens
        self.outputTokens = outputTokens
        self.isEstimated = isEstimated
        self.plannedTokens = plannedTokens
        self.price = price
        self.failure = failure
        self.at = at
        self.duration = duration
    }
}
