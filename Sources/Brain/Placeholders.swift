import Conversation

/// `{name}`, `{name.member}` and `{name:money}` in texts, paths and bodies.
/// One pass: a filled-in value is never read again for placeholders.
enum Placeholders {
    enum Part: Equatable {
        case text(String)
        case name(String, EntityKind?)
    }

    static func parts(_ template: String) -> [Part] {
        var parts: [Part] = []
        var text = ""
        var rest = template[...]
        while let open = rest.firstIndex(of: "{") {
            let inner = rest[rest.index(after: open)...]
            guard let close = inner.firstIndex(of: "}"), let part = name(inner[..<close]) else {
                text += rest[...open]
                rest = inner
                continue
            }
            text += rest[..<open]
            if !text.isEmpty { parts.append(.text(text)) }
            text = ""
            parts.append(part)
            rest = inner[inner.index(after: close)...]
        }
        text += rest
        if !text.isEmpty { parts.append(.text(text)) }
        return parts
    }

    static func names(_ template: String) -> [String] {
        parts(template).compactMap { part in
            switch part {
            case .text: nil
            case .name(let name, _): name
            }
        }
    }

    static func names(in value: JSONValue) -> [String] {
        switch value {
        case .string(let text): names(text)
        case .array(let items): items.flatMap(names(in:))
        case .object(let members): members.sorted { $0.key < $1.key }.flatMap { names(in: $0.value) }
        case .null, .bool, .integer, .number: []
        }
    }

    private static func name(_ inner: Substring) -> Part? {
        let pieces = inner.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard let name = pieces.first, let first = name.utf8.first, Self.isLetter(first),
            name.utf8.allSatisfy({ Self.isLetter($0) || ($0 >= 48 && $0 <= 57) || $0 == 46 })
        else { return nil }
        guard pieces.count == 2 else { return .name(String(name), nil) }
        guard let kind = EntityKind(rawValue: String(pieces[1])) else { return nil }
        return .name(String(name), kind)
    }

    private static func isLetter(_ byte: UInt8) -> Bool { (byte | 32 >= 97 && byte | 32 <= 122) || byte == 95 }

    /// A path part or query value: everything but RFC 3986's unreserved characters is encoded.
    static func percentEncoded(_ text: String) -> String {
        var encoded = ""
        for byte in text.utf8 {
            let isUnreserved = (byte | 32 >= 97 && byte | 32 <= 122) || (byte >= 48 && byte <= 57) || [45, 46, 95, 126].contains(byte)
            encoded += isUnreserved ? String(UnicodeScalar(byte)) : "%" + Hex.encode(byte).uppercased()
        }
        return encoded
    }
}

/// Where placeholders find their values.
struct PlaceholderScope: Sendable {
    var user: User?
    var params: [String: Entity] = [:]
    var schemas: [String: SchemaState] = [:]
    var definitions: [SchemaDefinition] = []
    var values: [String: JSONValue] = [:]
    var formats: [String: EntityKind] = [:]

    /// Nil when there is no value, a null or an empty text: a missing value is a missing parameter.
    func value(_ name: String) -> JSONValue? {
        let pieces = name.split(separator: ".").map(String.init)
        guard let root = pieces.first else { return nil }
        return present(raw(root, Array(pieces.dropFirst())))
    }

    private func raw(_ root: String, _ rest: [String]) -> JSONValue? {
        // First, so that no parameter, schema or result can stand in for who the customer is.
        if root == "user" { return rest.count == 1 ? identity(rest[0]) : nil }
        if let entity = params[root] {
            guard entity.isUsable else { return nil }
            return rest.isEmpty ? entity.value : Self.member(entity.item ?? entity.value ?? .null, rest)
        }
        if let state = schemas[root] {
            let key = definitions.first { $0.name == root }?.keys.first { $0.name == rest.joined(separator: ".") }
            return key.map { state.body.at(pointer: $0.path) } ?? Self.member(state.body, rest)
        }
        return values[root].flatMap { Self.member($0, rest) }
    }

    /// Only what the channel or a verified JWT proved.
    private func identity(_ field: String) -> JSONValue? {
        guard let user else { return nil }
        switch field {
        case "id": return .string(user.brandFacingID)
        case "phone": return user.identifier(.phone).map(JSONValue.string)
        case "bsuid": return user.identifier(.bsuid).map(JSONValue.string)
        case "email": return user.identifier(.email).map(JSONValue.string)
        case "name": return user.profileName.map(JSONValue.string)
        case "tier": return .string(user.tier)
        default: return nil
        }
    }

    private func present(_ value: JSONValue?) -> JSONValue? {
        guard let value, !value.isNull, value != .string("") else { return nil }
        return value
    }

    private static func member(_ value: JSONValue, _ path: [String]) -> JSONValue? {
        path.reduce(value as JSONValue?) { current, key in
            guard let current else { return nil }
            return current[key] ?? current.array.flatMap { items in Int(key).flatMap { items.indices.contains($0) ? items[$0] : nil } }
        }
    }

    /// The text with phrases in the place of placeholders, and the names that had no value (those read as nothing).
    func text(_ template: String, _ phrases: Phrases) -> (text: String, missing: [String]) {
        var missing: [String] = []
        var text = ""
        for part in Placeholders.parts(template) {
            switch part {
            case .text(let words): text += words
            case .name(let name, let format):
                if let words = phrase(name, format, phrases) { text += words } else { missing.append(name) }
            }
        }
        return (text, missing)
    }

    private func phrase(_ name: String, _ format: EntityKind?, _ phrases: Phrases) -> String? {
        guard let value = value(name) else { return nil }
        if let kind = format ?? formats[name] { return phrases.text(value, as: kind) }
        guard let entity = params[name] else { return phrases.text(value, as: nil) }
        return entity.label ?? phrases.text(value, as: entity.kind)
    }
}

extension Entity {
    /// Whether it can be sent as it is.
    var isUsable: Bool {
        guard problem == nil, let value else { return false }
        return !value.isNull && value != .string("")
    }
}
