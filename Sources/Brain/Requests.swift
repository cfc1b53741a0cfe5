package import Conversation

/// A request with every placeholder filled.
package struct FilledRequest: Sendable, Hashable {
    /// Upper case, as the template has it.
    package var method: String
    /// Path and query, percent-encoded.
    package var target: String
    /// Nil when the template has none.
    package var body: JSONValue?
}

/// A placeholder of a request has no value.
package struct MissingValues: Error, Sendable, Hashable {
    /// As written in the template, such as `user.email`.
    package var names: [String]
}

/// Makes requests of templates, for decided calls and for look-ups of their effect.
package enum RequestFilling {
    /// Fills a template. Members and query items that hold an `optional` placeholder without a value are left out; any other missing
    /// value is thrown as a missing parameter, never sent as an empty text. `extra` holds values such as `task_id`.
    package static func fill(
        _ template: RequestTemplate, params: [String: Entity], user: User, schemas: [String: SchemaState],
        definitions: [SchemaDefinition] = [], extra: [String: JSONValue] = [:], optional: Set<String> = []
    ) throws(MissingValues) -> FilledRequest {
        let scope = PlaceholderScope(user: user, params: params, schemas: schemas, definitions: definitions, values: extra)
        var filler = RequestFiller(scope: scope, optional: optional)
        let target = filler.target(template)
        let body = template.body.map { filler.body($0) ?? .null }
        guard filler.missing.isEmpty else { throw MissingValues(names: filler.missing) }
        return FilledRequest(method: template.method, target: target, body: body)
    }
}

/// Requests for what a brand knows of a customer.
package enum SchemaRequests {
    /// Path and query of a schema's request for this customer; nil when a placeholder has no value, which makes the schema `.absent`.
    package static func target(for schema: SchemaDefinition, user: User) -> String? {
        var filler = RequestFiller(scope: PlaceholderScope(user: user), optional: [])
        let target = filler.target(schema.request)
        return filler.missing.isEmpty ? target : nil
    }
}

private struct RequestFiller {
    let scope: PlaceholderScope
    let optional: Set<String>
    var missing: [String] = []

    mutating func target(_ template: RequestTemplate) -> String {
        let path = text(template.path, isRequired: true) { value in
            // A part that is only dots would climb the path at servers that normalize.
            value == "." || value == ".." ? nil : Placeholders.percentEncoded(value)
        }
        var items: [String] = []
        for (name, value) in template.query.sorted(by: { $0.key < $1.key }) {
            guard let filled = text(value, isRequired: false, encode: Placeholders.percentEncoded) else { continue }
            let constant = Placeholders.names(value).isEmpty
            items.append("\(Placeholders.percentEncoded(name))=\(constant ? Placeholders.percentEncoded(value) : filled)")
        }
        let base = path ?? template.path
        guard !items.isEmpty else { return base }
        return base + (base.contains("?") ? "&" : "?") + items.joined(separator: "&")
    }

    mutating func body(_ template: JSONValue) -> JSONValue? {
        switch template {
        case .string(let words):
            if case .name(let name, _)? = Placeholders.parts(words).first, Placeholders.parts(words).count == 1 {
                let value = scope.value(name)
                if value == nil { note(name, isRequired: false) }
                return value
            }
            return text(words, isRequired: false) { $0 }.map(JSONValue.string)
        case .array(let items): return .array(items.compactMap { body($0) })
        case .object(let members):
            var filled: [String: JSONValue] = [:]
            for (key, value) in members.sorted(by: { $0.key < $1.key }) { filled[key] = body(value) }
            return .object(filled)
        case .null, .bool, .integer, .number: return template
        }
    }

    private mutating func text(_ template: String, isRequired: Bool, encode: (String) -> String?) -> String? {
        var text = ""
        var isComplete = true
        for part in Placeholders.parts(template) {
            switch part {
            case .text(let words): text += words
            case .name(let name, _):
                if let value = scope.value(name)?.plainText, let encoded = encode(value) {
                    text += encoded
                } else {
                    note(name, isRequired: isRequired)
                    isComplete = false
                }
            }
        }
        return isComplete ? text : nil
    }

    private mutating func note(_ name: String, isRequired: Bool) {
        let root = name.split(separator: ".").first.map(String.init) ?? name
        if (isRequired || !optional.contains(root)), !missing.contains(name) { missing.append(name) }
    }
}
