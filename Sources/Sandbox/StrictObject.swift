import Conversation

/// What is wrong with a field of a request.
struct FieldError: Error, Equatable {
    /// Dotted, such as `interactive.action.buttons[1].reply.title`.
    var field: String
    var problem: String
    var sentence: String { "\(field) \(problem)" }
    /// The same place as a JSON Pointer (RFC 6901).
    var pointer: String {
        field.split { $0 == "." || $0 == "[" }.map { "/" + $0.replacing("]", with: "") }.joined()
    }
}

/// Reads an object field by field and refuses whatever was not asked for. A member that is null counts as left out, as Meta's API has it.
struct StrictObject {
    let path: String
    /// Without those that are null.
    private let members: [String: JSONValue]
    private let keys: Set<String>
    private var known: Set<String> = []

    /// Throws when the value is missing or no object.
    init(_ value: JSONValue?, path: String = "") throws {
        guard let members = value?.object else {
            throw FieldError(field: path.isEmpty ? "body" : path, problem: value == nil ? "is missing or not JSON" : "must be an object")
        }
        self.path = path
        keys = Set(members.keys)
        self.members = members.filter { !$0.value.isNull }
    }

    func field(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }
    func failure(_ key: String, _ problem: String) -> FieldError { FieldError(field: field(key), problem: problem) }
    func has(_ key: String) -> Bool { members[key] != nil }

    mutating func value(_ key: String) -> JSONValue? {
        known.insert(key)
        return members[key]
    }

    mutating func required(_ key: String) throws -> JSONValue {
        guard let found = value(key) else { throw failure(key, "is required") }
        return found
    }

    /// A text of 1 (or 0 when `mayBeEmpty`) to `max` code points; nil when it is absent.
    mutating func optionalText(_ key: String, max: Int = 4096, mayBeEmpty: Bool = false) throws -> String? {
        guard let found = value(key) else { return nil }
        guard let text = found.string else { throw failure(key, "must be a string") }
        if text.isEmpty && !mayBeEmpty { throw failure(key, "must not be empty") }
        if text.unicodeScalars.count > max { throw failure(key, "must be at most \(max) characters long") }
        return text
    }

    mutating func text(_ key: String, max: Int = 4096, mayBeEmpty: Bool = false) throws -> String {
        guard let text = try optionalText(key, max: max, mayBeEmpty: mayBeEmpty) else { throw failure(key, "is required") }
        return text
    }

    mutating func text(_ key: String, oneOf allowed: [String], ignoringCase: Bool = false) throws -> String {
        let written = try text(key)
        let text = ignoringCase ? written.lowercased() : written
        guard allowed.contains(text) else { throw failure(key, "must be one of: \(allowed.joined(separator: ", "))") }
        return text
    }

    mutating func optionalBool(_ key: String) throws -> Bool? {
        guard let found = value(key) else { return nil }
        guard let flag = found.bool else { throw failure(key, "must be true or false") }
        return flag
    }

    mutating func optionalInteger(_ key: String, in range: ClosedRange<Int>) throws -> Int? {
        guard let found = value(key) else { return nil }
        guard let number = found.integer, range.contains(Int(clamping: number)) else {
            throw failure(key, "must be a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return Int(number)
    }

    mutating func number(_ key: String, in range: ClosedRange<Double>) throws -> Double {
        guard let number = try required(key).double, range.contains(number) else {
            throw failure(key, "must be a number from \(Int(range.lowerBound)) to \(Int(range.upperBound))")
        }
        return number
    }

    mutating func optionalObject(_ key: String) throws -> StrictObject? {
        guard let found = value(key) else { return nil }
        return try StrictObject(found, path: field(key))
    }

    mutating func object(_ key: String) throws -> StrictObject { try StrictObject(try required(key), path: field(key)) }

    /// The items of a list, each with its place; throws when there are fewer or more than `count` allows.
    mutating func list(_ key: String, count: ClosedRange<Int>) throws -> [(path: String, value: JSONValue)] {
        guard let items = try required(key).array else { throw failure(key, "must be a list") }
        guard count.contains(items.count) else {
            throw failure(key, "must have \(count.lowerBound) to \(count.upperBound) items and has \(items.count)")
        }
        return items.enumerated().map { ("\(field(key))[\($0.offset)]", $0.element) }
    }

    /// Throws when the object has a member that was never asked for, also one that is null.
    func finish() throws {
        guard let stranger = keys.subtracting(known).min() else { return }
        throw failure(stranger, "is not a known field here")
    }
}
