/// Data about the customer (or the shop) that a brand's API answers with, and when each part of it counts as complete.
package struct SchemaDefinition: Sendable {
    package var name: String
    package var request: RequestTemplate
    /// How long an answer is good for.
    package var ttl: Duration
    package var keys: [SchemaKey]
    /// The action that can mend an incomplete key.
    package var collectWith: String?

    package init(
        name: String, request: RequestTemplate, ttl: Duration = .seconds(300), keys: [SchemaKey] = [], collectWith: String? = nil
    ) {
        self.name = name
        self.request = request
        self.ttl = ttl
        self.keys = keys
        self.collectWith = collectWith
    }

    /// Whether the answer depends on who asks, so that it is cached per user.
    package var isPersonal: Bool { request.path.contains("{user.") || request.query.values.contains { $0.contains("{user.") } }
}

package struct SchemaKey: Sendable {
    package var name: String
    /// JSON Pointer into the answer.
    package var path: String
    package var completion: CompletionRule

    package init(name: String, path: String, completion: CompletionRule = .present) {
        self.name = name
        self.path = path
        self.completion = completion
    }
}

package enum CompletionRule: Sendable, Hashable {
    /// Present, not null, not an empty text.
    case present
    /// RE2, matched against the whole text.
    case matches(String)
    /// JSON Pointers below the key; some present means incomplete.
    case allOf([String])
}

package struct BlockerDefinition: Sendable {
    package var name: String
    package var schema: String
    package var path: String
    package var condition: BlockerCondition
    package var say: String

    package init(name: String, schema: String, path: String, condition: BlockerCondition, say: String) {
        self.name = name
        self.schema = schema
        self.path = path
        self.condition = condition
        self.say = say
    }
}

package enum BlockerCondition: Sendable, Hashable {
    case greaterThan(Double)
    case lessThan(Double)
    case equals(JSONValue)
    case present
}

package enum CompletionStatus: String, Sendable, Codable {
    case none, incomplete, complete
}

/// What is known of one schema for one customer at one moment.
package struct SchemaState: Sendable, Codable, Hashable {
    package enum Source: String, Sendable, Codable {
        case fetched, cached
        /// The API failed and an expired answer stands in for it.
        case stale
        /// The customer is not known there (404), or was not within the last hour and the API is silent now, or a placeholder of the
        /// request has no value.
        case absent
        /// The API failed and nothing that is cached can stand in.
        case unavailable
    }

    package var name: String
    package var source: Source
    package var body: JSONValue
    package var fetchedAt: Timestamp

    package init(name: String, source: Source, body: JSONValue = .null, fetchedAt: Timestamp) {
        self.name = name
        self.source = source
        self.body = body
        self.fetchedAt = fetchedAt
    }
}
