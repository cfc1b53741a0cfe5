import Conversation

/// `{name}`, `{name.field.field}` or, with the way it reads, `{name:money}` inside a text.
struct Placeholder: Hashable {
    let name: String
    let fields: [String]
    let format: EntityKind?

    /// What stands between the braces.
    var body: String { ([name] + fields).joined(separator: ".") }

    /// All placeholders of a text, and the first thing in it that looks like one and is none.
    static func parse(_ text: String) -> (placeholders: [Placeholder], fault: String?) {
        var found: [Placeholder] = []
        var rest = text[...]
        while let brace = rest.firstIndex(where: { $0 == "{" || $0 == "}" }) {
            guard rest[brace] == "{" else { return (found, "\"}\" closes no placeholder") }
            let inner = rest[rest.index(after: brace)...]
            guard let end = inner.firstIndex(of: "}") else { return (found, "\"{\" is not closed") }
            guard let placeholder = Placeholder(inner[..<end]) else { return (found, "\"{\(inner[..<end])}\" is not a placeholder") }
            found.append(placeholder)
            rest = inner[inner.index(after: end)...]
        }
        return (found, nil)
    }

    private init?(_ body: Substring) {
        let halves = body.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let parts = (halves.first ?? "").split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        let areNames = parts.allSatisfy { part in
            !part.isEmpty
                && part.utf8.allSatisfy { (97...122).contains($0) || (65...90).contains($0) || (48...57).contains($0) || $0 == 95 }
        }
        guard areNames, let first = parts.first, first.first?.isNumber == false else { return nil }
        format = halves.count == 2 ? EntityKind(rawValue: String(halves[1])) : nil
        if halves.count == 2, format == nil { return nil }
        name = first
        fields = Array(parts.dropFirst())
    }
}

/// What placeholders at one place may refer to.
struct PlaceholderScope {
    static let userFields = ["id", "phone", "bsuid", "email", "name", "tier"]

    var params: [ParameterDefinition]
    /// Nil when the schemas could not be read: then no schema is reported as unknown.
    var schemas: [String]?
    /// Names of the action's results, for `{result.…}`; nil where any is possible.
    var results: [String]? = []
    /// Further names, such as `task_id` or `brand.name`.
    var extras: [String] = []
    /// For texts of many occasions, each with names of its own.
    var allowsLoneNames = false
    /// Requests take values as they are; only texts say how a value reads.
    var allowsFormats = true

    /// For requests that are made before anything is known but who the customer is.
    static let customer = PlaceholderScope()

    init(reading: BrandReading, params: [ParameterDefinition]) {
        self.params = params
        schemas = reading.schemas.map { $0.map(\.name) }
    }

    private init() {
        params = []
        schemas = []
        allowsFormats = false
    }

    func check(_ text: String, at entry: Entry) {
        let parsed = Placeholder.parse(text)
        if let fault = parsed.fault {
            let kinds = EntityKind.allCases.map(\.rawValue).joined(separator: ", ")
            entry.problem(
                fault,
                allowsFormats ? "write {name}, {name.field} or {name:kind}, where kind is one of \(kinds)" : "write {name} or {name.field}")
        }
        for placeholder in parsed.placeholders {
            guard let (what, remedy) = fault(of: placeholder) else { continue }
            entry.problem("{\(placeholder.body)}: \(what)", remedy)
        }
    }

    private func fault(of placeholder: Placeholder) -> (String, String)? {
        if placeholder.format != nil, !allowsFormats { return ("a request takes the value as it is", "write {\(placeholder.body)}") }
        let name = placeholder.name
        let field = placeholder.fields.first
        if name == "user" { return userFault(placeholder.fields) }
        if let parameter = params.first(where: { $0.name == name }) {
            if field == nil || parameter.entity == .choice || allowsLoneNames { return nil }
            return ("a \(parameter.entity.rawValue) has no fields", "write {\(name)}")
        }
        if name == "result", results == nil || !(results ?? []).isEmpty || allowsLoneNames {
            guard let results else { return nil }
            guard let field else { return ("names no result", "write {result.name}") }
            return results.contains(field)
                ? nil : ("the action has no result \"\(field)\"", Suggestion.remedy(for: field, in: results, noun: "result"))
        }
        if let schemas, schemas.contains(name) { return field == nil ? ("names no field of the schema", "write {\(name).field}") : nil }
        if extras.contains(placeholder.body) || allowsLoneNames && field == nil { return nil }
        // Without the schemas a dotted name may well be one of theirs.
        if schemas == nil, field != nil { return nil }
        let known = params.map(\.name) + (schemas ?? []).map { $0 + ".…" } + extras + Self.userFields.map { "user." + $0 }
        return ("nothing has this name", Suggestion.remedy(for: placeholder.body, in: known, noun: "placeholder"))
    }

    private func userFault(_ fields: [String]) -> (String, String)? {
        guard let field = fields.first, fields.count == 1 else { return ("is no field of the customer", "write one of " + userNames) }
        if Self.userFields.contains(field) { return nil }
        let near = Suggestion.nearest(to: field, in: Self.userFields).map { "did you mean {user.\($0)}?" }
        return ("the customer has no \"\(field)\"", near ?? "write one of " + userNames)
    }

    private var userNames: String { Self.userFields.map { "{user.\($0)}" }.joined(separator: ", ") }
}
