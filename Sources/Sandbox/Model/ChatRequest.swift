import Conversation

/// One message of a chat, its parts joined.
struct ChatMessage: Sendable, Hashable {
    enum Role: String, CaseIterable { case system, developer, user, assistant }
    var role: Role
    var text: String
    var isInstruction: Bool { role == .system || role == .developer }
}

/// What the answer must look like.
enum AnswerFormat: Sendable, Hashable {
    case text
    /// Any JSON object.
    case object
    case schema(name: String, JSONValue)
}

/// A request for a completion, read as strictly as the endpoints that it stands for read it.
struct ChatRequest: Sendable {
    var model: String
    var messages: [ChatMessage]
    var format: AnswerFormat
    /// Tokens that the answer may have.
    var limit: Int?

    var instructions: String { messages.filter(\.isInstruction).map(\.text).joined(separator: "\n") }
    /// What the customer said last; empty when nobody said anything.
    var lastWords: String { messages.last { $0.role == .user }?.text ?? "" }

    /// Fields that are checked for their kind and change nothing in a deterministic stand-in.
    private static let numbers: [String: ClosedRange<Double>] = [
        "temperature": 0...2, "top_p": 0...1, "presence_penalty": -2...2, "frequency_penalty": -2...2,
    ]
    private static let texts = ["user", "safety_identifier", "prompt_cache_key", "service_tier"]

    /// Throws `FieldError` or `ModelError`.
    init(_ body: JSONValue?) throws {
        guard body?.object != nil else { throw ModelError("We could not parse the JSON body of your request.") }
        var fields = try StrictObject(body)
        model = try fields.text("model", max: 256)
        messages = try fields.list("messages", count: 1...2048).map { try Self.message($0.value, path: $0.path) }
        format = try Self.format(&fields)
        for (name, range) in Self.numbers where fields.has(name) { _ = try fields.number(name, in: range) }
        for name in Self.texts { _ = try fields.optionalText(name, max: 512) }
        _ = try fields.optionalInteger("seed", in: Int.min...Int.max)
        _ = try fields.optionalBool("store")
        if try fields.optionalInteger("n", in: 1...128) ?? 1 > 1 { throw Self.unsupported("n") }
        if try fields.optionalBool("stream") ?? false { throw Self.unsupported("stream") }
        limit = try Self.limit(&fields)
        try fields.finish()
        if format == .object, !messages.contains(where: { $0.text.lowercased().contains("json") }) {
            throw ModelError(
                "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.",
                parameter: "messages")
        }
    }

    private static func unsupported(_ name: String) -> ModelError {
        ModelError("Unsupported value: '\(name)' is not offered here.", parameter: name, code: "unsupported_value")
    }

    private static func limit(_ fields: inout StrictObject) throws -> Int? {
        let old = try fields.optionalInteger("max_tokens", in: 1...1_000_000)
        let new = try fields.optionalInteger("max_completion_tokens", in: 1...1_000_000)
        if old != nil && new != nil { throw fields.failure("max_tokens", "must not stand beside max_completion_tokens") }
        return old ?? new
    }

    private static func message(_ value: JSONValue, path: String) throws -> ChatMessage {
        var fields = try StrictObject(value, path: path)
        let name = try fields.text("role", oneOf: ChatMessage.Role.allCases.map(\.rawValue))
        guard let role = ChatMessage.Role(rawValue: name) else { throw fields.failure("role", "is not a role") }
        _ = try fields.optionalText("name", max: 64)
        let text = try content(try fields.required("content"), of: fields)
        try fields.finish()
        return ChatMessage(role: role, text: text)
    }

    /// A text, or a list of texts.
    private static func content(_ value: JSONValue, of fields: StrictObject) throws -> String {
        if let text = value.string { return text }
        guard let parts = value.array, !parts.isEmpty else { throw fields.failure("content", "must be a string or a list of parts") }
        return try parts.enumerated().map { index, part in
            var part = try StrictObject(part, path: "\(fields.field("content"))[\(index)]")
            _ = try part.text("type", oneOf: ["text"])
            let text = try part.text("text", max: 1_000_000, mayBeEmpty: true)
            try part.finish()
            return text
        }.joined(separator: "\n")
    }

    private static func format(_ fields: inout StrictObject) throws -> AnswerFormat {
        guard var format = try fields.optionalObject("response_format") else { return .text }
        let type = try format.text("type", oneOf: ["text", "json_object", "json_schema"])
        guard type == "json_schema" else {
            try format.finish()
            return type == "text" ? .text : .object
        }
        var named = try format.object("json_schema")
        let name = try named.text("name", max: 64)
        guard name.utf8.allSatisfy({ $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-") || Character(UnicodeScalar($0)).isASCIIWord })
        else {
            throw named.failure("name", "must match ^[a-zA-Z0-9_-]+$")
        }
        _ = try named.optionalText("description")
        let isStrict = try named.optionalBool("strict") ?? false
        let schema = try named.required("schema")
        try named.finish()
        try format.finish()
        try SchemaCheck.check(schema, name: name, isStrict: isStrict)
        return .schema(name: name, schema)
    }
}

extension Character {
    fileprivate var isASCIIWord: Bool { isASCII && (isLetter || isNumber) }
}

/// What the endpoints demand of the schema of a structured output.
enum SchemaCheck {
    /// In strict mode every object names all its members as required and allows no others, and only these keywords are known.
    private static let unknownInStrict = ["patternProperties", "unevaluatedProperties", "propertyNames", "minProperties", "allOf", "not"]

    /// Throws `ModelError`.
    static func check(_ schema: JSONValue, name: String, isStrict: Bool) throws {
        guard schema["type"] == "object" else { throw invalid(name, [], "schema must be of type 'object'") }
        try walk(schema, name: name, path: [], isStrict: isStrict)
    }

    private static func walk(_ schema: JSONValue, name: String, path: [String], isStrict: Bool) throws {
        guard schema.object != nil else { throw invalid(name, path, "a schema must be an object") }
        if isStrict { try checkStrict(schema, name: name, path: path) }
        for (key, property) in schema["properties"]?.object ?? [:] {
            try walk(property, name: name, path: path + ["properties", key], isStrict: isStrict)
        }
        if let items = schema["items"] { try walk(items, name: name, path: path + ["items"], isStrict: isStrict) }
        for (index, choice) in (schema["anyOf"]?.array ?? []).enumerated() {
            try walk(choice, name: name, path: path + ["anyOf", "\(index)"], isStrict: isStrict)
        }
    }

    private static func checkStrict(_ schema: JSONValue, name: String, path: [String]) throws {
        if let keyword = unknownInStrict.first(where: { schema[$0] != nil }) { throw invalid(name, path, "'\(keyword)' is not permitted") }
        let type = schema["type"]
        guard type == "object" || type?.array?.contains("object") == true else { return }
        guard schema["additionalProperties"] == false else {
            throw invalid(name, path, "'additionalProperties' is required to be supplied and to be false")
        }
        let properties = Set((schema["properties"]?.object ?? [:]).keys)
        let required = Set((schema["required"]?.array ?? []).compactMap(\.string))
        guard properties == required else {
            throw invalid(name, path, "'required' is required to be supplied and to be an array including every key in properties")
        }
    }

    private static func invalid(_ name: String, _ path: [String], _ problem: String) -> ModelError {
        let place = path.map { "'\($0)'" }.joined(separator: ", ")
        return ModelError(
            "Invalid schema for response_format '\(name)': In context=(\(place)), \(problem).", parameter: "response_format",
            code: "invalid_json_schema")
    }
}
