/// One thing a brand lets its customers do, as `actions.yaml` describes it.
package struct ActionDefinition: Sendable {
    package var canonicalName: String
    package var displayName: String
    package var description: String
    package var category: String
    package var type: ActionType
    package var synonyms: [String]
    package var examples: [String]
    package var params: [ParameterDefinition]
    /// Text of the confirmation question, with placeholders; nil when the action runs unasked.
    package var confirm: String?
    package var request: RequestTemplate
    /// Name → JSON Pointer into the answer.
    package var result: [String: String]
    /// How a list in the answer is told; nil when the answer is no list.
    package var resultList: ResultList?
    package var progress: [String]
    package var eligibility: EligibilityRule
    package var safety: Safety
    package var notDoneStatuses: [Int]
    package var conflict: ConflictMeaning
    /// For `safety: queryable`: how the effect is looked up by `{idempotency_key}` or `{task_id}`; a 2xx answer means done, 404 not done.
    package var lookup: RequestTemplate?
    package var priority: Priority
    package var retry: RetryPolicy
    package var timeout: Duration
    package var compensate: String?
    package var triggersWorkflow: String?
    /// The parameter that a refusal (422 and the like) most likely concerns; it is asked for again.
    package var refusedParameter: String?

    package init(
        canonicalName: String, displayName: String, description: String = "", category: String = "", type: ActionType = .brandAPI,
        synonyms: [String] = [], examples: [String] = [], params: [ParameterDefinition] = [], confirm: String? = nil,
        request: RequestTemplate, result: [String: String] = [:], resultList: ResultList? = nil, progress: [String] = [],
        eligibility: EligibilityRule = .init(), safety: Safety? = nil, notDoneStatuses: [Int] = [], conflict: ConflictMeaning = .refused,
        lookup: RequestTemplate? = nil, priority: Priority = .normal, retry: RetryPolicy = .init(), timeout: Duration = .seconds(30),
        compensate: String? = nil, triggersWorkflow: String? = nil, refusedParameter: String? = nil
    ) {
        self.canonicalName = canonicalName
        self.displayName = displayName
        self.description = description
        self.category = category
        self.type = type
        self.synonyms = synonyms
        self.examples = examples
        self.params = params
        self.confirm = confirm
        self.request = request
        self.result = result
        self.resultList = resultList
        self.progress = progress
        self.eligibility = eligibility
        self.safety = safety ?? (request.method == "GET" ? .read : .unsafe)
        self.notDoneStatuses = notDoneStatuses
        self.conflict = conflict
        self.lookup = lookup
        self.priority = priority
        self.retry = retry
        self.timeout = timeout
        self.compensate = compensate
        self.triggersWorkflow = triggersWorkflow
        self.refusedParameter = refusedParameter
    }

    package var isWrite: Bool { safety != .read }
}

package enum ActionType: String, Sendable, Codable, CaseIterable {
    case brandAPI = "BRAND_API"
    case systemAPI = "SYSTEM_API"
    case factualAPI = "FACTUAL_API"
}

/// What may be done after an attempt whose outcome is unknown.
package enum Safety: String, Sendable, Codable, CaseIterable {
    /// No effect: retry freely.
    case read
    /// The brand honours the idempotency key: retry with the same key and bytes.
    case idempotent
    /// Look the effect up by our reference first.
    case queryable
    /// Retry only what was certainly not done; an unknown outcome goes to a person.
    case unsafe
}

/// What a 409 means for an action.
package enum ConflictMeaning: String, Sendable, Codable, CaseIterable {
    case refused, done, retry
}

package enum Priority: String, Sendable, Codable, CaseIterable, Comparable {
    case low, normal, high, interrupt

    /// 0 (low) to 3 (interrupt), as stored.
    package var rank: Int { Self.allCases.firstIndex(of: self) ?? 1 }
    package static func < (left: Priority, right: Priority) -> Bool { left.rank < right.rank }
    package init(rank: Int) { self = Self.allCases.indices.contains(rank) ? Self.allCases[rank] : .normal }
}

package struct RetryPolicy: Sendable, Codable, Hashable {
    /// All attempts, the first one included.
    package var attempts: Int
    /// Waits in seconds before the second, third … attempt; the last one repeats.
    package var backoff: [Double]

    package init(attempts: Int = 5, backoff: [Double] = [2, 4, 8, 16]) {
        self.attempts = attempts
        self.backoff = backoff
    }
}

/// A request with placeholders. A lone placeholder keeps its JSON type; path parts are percent-encoded when filled.
package struct RequestTemplate: Sendable {
    package var method: String
    package var path: String
    package var query: [String: String]
    package var body: JSONValue?

    package init(method: String, path: String, query: [String: String] = [:], body: JSONValue? = nil) {
        self.method = method
        self.path = path
        self.query = query
        self.body = body
    }
}

package struct ResultList: Sendable {
    /// JSON Pointer to the array.
    package var path: String
    /// Text of one line, with placeholders into the item.
    package var item: String
    /// What is said when the array is empty.
    package var empty: String
    /// How each placeholder of `item` reads: a name → entity kind (`datetime`, `money`), so an instant becomes a phrase.
    package var formats: [String: EntityKind]

    package init(path: String, item: String, empty: String, formats: [String: EntityKind] = [:]) {
        self.path = path
        self.item = item
        self.empty = empty
        self.formats = formats
    }
}

package enum EntityKind: String, Sendable, Codable, CaseIterable {
    case choice, datetime, date, time, number, money, phone, email, text, url
}

package struct ParameterDefinition: Sendable {
    package var name: String
    package var entity: EntityKind
    package var required: Bool
    /// Where the options of a choice come from.
    package var source: OptionSource?
    /// Fixed options of a choice.
    package var options: [ChoiceOption]
    /// Where the opening hours stand that a datetime must fall into.
    package var open: OpeningSource?
    /// A placeholder such as `{user.phone}`, used when nothing was said.
    package var defaultValue: String?
    package var ask: String
    /// RE2; for `text` and `url`.
    package var pattern: String?
    package var minimum: Double?
    package var maximum: Double?
    /// A text that takes what a wish is about: the words of it that belong to no other value and are not the action's own.
    package var takesRest: Bool

    package init(
        name: String, entity: EntityKind, required: Bool = true, source: OptionSource? = nil, options: [ChoiceOption] = [],
        open: OpeningSource? = nil, defaultValue: String? = nil, ask: String = "", pattern: String? = nil, minimum: Double? = nil,
        maximum: Double? = nil, takesRest: Bool = false
    ) {
        self.name = name
        self.entity = entity
        self.required = required
        self.source = source
        self.options = options
        self.open = open
        self.defaultValue = defaultValue
        self.ask = ask
        self.pattern = pattern
        self.minimum = minimum
        self.maximum = maximum
        self.takesRest = takesRest
    }
}

/// Options read from a schema's answer: an array at `path`, whose items hold an id and a label.
package struct OptionSource: Sendable, Hashable {
    package var schema: String
    package var path: String
    package var id: String
    /// A template over the item, `{name}` by default; `formats` say how its placeholders read.
    package var label: String
    package var synonyms: String?
    package var formats: [String: EntityKind]

    package init(
        schema: String, path: String, id: String = "/id", label: String = "{name}", synonyms: String? = "/synonyms",
        formats: [String: EntityKind] = [:]
    ) {
        self.schema = schema
        self.path = path
        self.id = id
        self.label = label
        self.synonyms = synonyms
        self.formats = formats
    }
}

/// Opening hours read from a schema's answer. The object at `path` maps `mon` … `sun` to arrays of `HH:MM-HH:MM` in the brand's
/// zone, and may hold `closed`, an array of dates `YYYY-MM-DD`.
package struct OpeningSource: Sendable, Hashable {
    package var schema: String
    package var path: String
    package init(schema: String, path: String) {
        self.schema = schema
        self.path = path
    }
}

/// One option of a choice.
package struct ChoiceOption: Sendable, Hashable, Codable {
    package var id: String
    package var label: String
    package var synonyms: [String]
    package var description: String?
    /// The whole item of the brand's answer, for placeholders such as `{service.price}`.
    package var item: JSONValue

    package init(id: String, label: String, synonyms: [String] = [], description: String? = nil, item: JSONValue = .null) {
        self.id = id
        self.label = label
        self.synonyms = synonyms
        self.description = description
        self.item = item
    }
}

package struct EligibilityRule: Sendable {
    package var userTier: String?
    package var requiresAuth: Bool
    /// Schema name → keys that must be complete.
    package var schemas: [String: [String]]
    package var blockers: [String]
    /// Actions that must have completed before.
    package var after: [String]
    package var opposites: [String]

    package init(
        userTier: String? = nil, requiresAuth: Bool = false, schemas: [String: [String]] = [:], blockers: [String] = [],
        after: [String] = [],
        opposites: [String] = []
    ) {
        self.userTier = userTier
        self.requiresAuth = requiresAuth
        self.schemas = schemas
        self.blockers = blockers
        self.after = after
        self.opposites = opposites
    }
}
