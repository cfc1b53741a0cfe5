import Conversation

/// The customers or candidates of a brand: what was put is merged, field by field.
struct People: Sendable {
    private var records: [String: [String: JSONValue]] = [:]
    /// Fields that must be objects; their members are merged too.
    let objects: Set<String>
    let numbers: Set<String>

    init(objects: Set<String> = [], numbers: Set<String> = []) {
        self.objects = objects
        self.numbers = numbers
    }

    var json: JSONValue { .object(records.mapValues(JSONValue.object)) }

    func record(_ id: String) -> JSONValue? { records[id].map(JSONValue.object) }

    /// Makes the record when it is missing. `reference` names the member that may repeat the id. Throws `FieldError`.
    mutating func merge(_ body: JSONValue?, into id: String, reference: String) throws -> JSONValue {
        guard let members = body?.object else { throw FieldError(field: "body", problem: "must be an object") }
        var record = records[id] ?? ["id": .string(id)]
        for (key, value) in members {
            if key == "id" || key == reference {
                guard value.string == id else { throw FieldError(field: key, problem: "must be the id in the path") }
                continue
            }
            try check(key, value)
            record[key] = value.object.map { .object((record[key]?.object ?? [:]).merging($0) { $1 }) } ?? value
        }
        records[id] = record
        return .object(record)
    }

    private func check(_ key: String, _ value: JSONValue) throws {
        if objects.contains(key), value.object == nil { throw FieldError(field: key, problem: "must be an object") }
        if numbers.contains(key), value.double == nil { throw FieldError(field: key, problem: "must be a number") }
        if ["phone", "email", "name", "resume_url"].contains(key), value.string == nil {
            throw FieldError(field: key, problem: "must be a string")
        }
    }

    /// Merges one record for each member of `seed`. Throws `FieldError`.
    mutating func seed(_ seed: JSONValue?, path: String, reference: String) throws {
        guard let seed else { return }
        guard let members = seed.object else { throw FieldError(field: path, problem: "must be an object of records by id") }
        for (id, record) in members { _ = try merge(record, into: id, reference: reference) }
    }
}
