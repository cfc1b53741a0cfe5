/// Everything one brand configured, validated. A turn works on one such snapshot from begin to end.
package struct BrandConfiguration: Sendable {
    package var id: BrandID
    package var name: String
    /// BCP 47, such as `en-US`.
    package var locale: String
    /// IANA name, such as `America/New_York`.
    package var timeZone: String
    /// How much of the workers' time the brand gets beside others, 1 to 100, when there is not enough for all.
    package var weight: Int
    package var keys: [BrandKey]
    package var api: BrandAPI
    /// Ascending: a later tier may do all that an earlier one may.
    package var tiers: [String]
    /// Canonical names of 3 to 7 actions.
    package var popularActions: [String]
    package var instances: [InstanceConfiguration]
    package var actions: [ActionDefinition]
    package var schemas: [SchemaDefinition]
    package var blockers: [BlockerDefinition]
    /// Patterns and example sentences for intents that are no actions, and extra ones for those that are.
    package var intents: [IntentDefinition]
    /// Reply texts by key, such as `greeting` or `report_completion.book_service`; placeholders in braces.
    package var templates: [String: String]
    package var policies: Policies
    /// Nil: the embedded classifier and templates alone.
    package var llm: ModelConfiguration?
    package var handover: HandoverConfiguration

    package init(
        id: BrandID, name: String, locale: String = "en-US", timeZone: String = "UTC", weight: Int = 1, keys: [BrandKey] = [],
        api: BrandAPI,
        tiers: [String] = ["guest", "verified"], popularActions: [String] = [], instances: [InstanceConfiguration] = [],
        actions: [ActionDefinition] = [], schemas: [SchemaDefinition] = [], blockers: [BlockerDefinition] = [],
        intents: [IntentDefinition] = [], templates: [String: String] = [:], policies: Policies = .init(), llm: ModelConfiguration? = nil,
        handover: HandoverConfiguration = .init()
    ) {
        self.id = id
        self.name = name
        self.locale = locale
        self.timeZone = timeZone
        self.weight = weight
        self.keys = keys
        self.api = api
        self.tiers = tiers
        self.popularActions = popularActions
        self.instances = instances
        self.actions = actions
        self.schemas = schemas
        self.blockers = blockers
        self.intents = intents
        self.templates = templates
        self.policies = policies
        self.llm = llm
        self.handover = handover
    }

    package func action(named name: String) -> ActionDefinition? { actions.first { $0.canonicalName == name } }
    package func schema(named name: String) -> SchemaDefinition? { schemas.first { $0.name == name } }
    package func instance(_ id: InstanceID) -> InstanceConfiguration? { instances.first { $0.id == id } }
}

/// What a brand's key may do: `read` looks, `agent` also speaks to customers, `admin` does all of its brand.
package enum Role: String, Sendable, Codable, CaseIterable, Comparable {
    case read, agent, admin

    package static func < (left: Role, right: Role) -> Bool { left.rank < right.rank }
    private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}

package struct BrandKey: Sendable {
    package var key: Secret
    package var role: Role
    package init(key: Secret, role: Role) {
        self.key = key
        self.role = role
    }
}

/// The brand's own systems.
package struct BrandAPI: Sendable {
    package var baseURL: String
    package var auth: APIAuthentication
    /// `whsec_…` secrets (Standard Webhooks). Each adds a signature to a call; the first keys the idempotency HMAC.
    package var signingSecrets: [Secret]
    package var timeout: Duration
    /// Calls at once, over all hosts of this brand.
    package var maxConcurrent: Int
    package var allowPrivateAddresses: [AddressRule]
    /// How long the brand knows an idempotency key again; a call repeated later may take effect twice.
    package var keyRetention: Duration

    package init(
        baseURL: String, auth: APIAuthentication = .none, signingSecrets: [Secret] = [], timeout: Duration = .seconds(30),
        maxConcurrent: Int = 64, allowPrivateAddresses: [AddressRule] = [], keyRetention: Duration = .seconds(86_400)
    ) {
        self.keyRetention = keyRetention
        self.baseURL = baseURL
        self.auth = auth
        self.signingSecrets = signingSecrets
        self.timeout = timeout
        self.maxConcurrent = maxConcurrent
        self.allowPrivateAddresses = allowPrivateAddresses
    }
}

package enum APIAuthentication: Sendable {
    case none
    case bearer(Secret)
    case basic(user: String, password: Secret)
    case header(name: String, value: Secret)
}

package struct IntentDefinition: Sendable, Hashable {
    package var type: IntentType
    /// For `type: action` the action's canonical name, else nil.
    package var action: String?
    package var examples: [String]
    /// RE2 patterns.
    package var patterns: [String]

    package init(type: IntentType, action: String? = nil, examples: [String] = [], patterns: [String] = []) {
        self.type = type
        self.action = action
        self.examples = examples
        self.patterns = patterns
    }
}
