package import Conversation
import Synchronization

/// A statement in the dialect that SQLite 3.40 and PostgreSQL 15 share, with `$1` parameters. Made once, as a static constant: its
/// number is where drivers keep the prepared form.
package struct SQL: Sendable {
    private static let count = Atomic<Int>(0)

    package let text: String
    let number: Int

    package init(_ text: String) {
        self.text = text
        number = Self.count.add(1, ordering: .relaxed).oldValue
    }
}

package enum SQLValue: Sendable, Hashable {
    case null
    case integer(Int64)
    case real(Double)
    case text(String)
    case bytes([UInt8])

    package init(_ value: Int) { self = .integer(Int64(value)) }
    package init(_ value: Bool) { self = .integer(value ? 1 : 0) }
    package init(_ value: Timestamp) { self = .integer(value.milliseconds) }
    package init(_ value: Timestamp?) { self = value.map { .integer($0.milliseconds) } ?? .null }
    package init(_ value: UniqueID) { self = .bytes(value.bytes) }
    package init<Kind>(_ value: EntityID<Kind>) { self = .bytes(value.bytes) }
    package init<Kind>(_ value: EntityID<Kind>?) { self = value.map { .bytes($0.bytes) } ?? .null }
    package init(_ value: String?) { self = value.map { .text($0) } ?? .null }
    package init(_ value: [UInt8]?) { self = value.map { .bytes($0) } ?? .null }
    package init(_ value: BrandID) { self = .text(value.rawValue) }
    package init(_ value: InstanceID) { self = .text(value.rawValue) }
    package init(json value: JSONValue) { self = .text(CanonicalJSON.text(value)) }
}

/// One row of an answer; columns count from 0.
package struct Row: Sendable {
    package let values: [SQLValue]

    package init(_ values: [SQLValue]) { self.values = values }

    package func isNull(_ column: Int) -> Bool { values[column] == .null }

    package func integer(_ column: Int) throws -> Int64 {
        guard case .integer(let value) = values[column] else { throw wrong(column, "an integer") }
        return value
    }
    package func int(_ column: Int) throws -> Int { Int(try integer(column)) }
    package func flag(_ column: Int) throws -> Bool { try integer(column) != 0 }
    package func text(_ column: Int) throws -> String {
        guard case .text(let value) = values[column] else { throw wrong(column, "text") }
        return value
    }
    package func bytes(_ column: Int) throws -> [UInt8] {
        guard case .bytes(let value) = values[column] else { throw wrong(column, "bytes") }
        return value
    }
    package func time(_ column: Int) throws -> Timestamp { Timestamp(milliseconds: try integer(column)) }
    package func id(_ column: Int) throws -> UniqueID {
        guard let id = UniqueID(bytes: try bytes(column)) else { throw wrong(column, "an id") }
        return id
    }
    package func entity<Kind>(_ column: Int, _ kind: Kind.Type = Kind.self) throws -> EntityID<Kind> { EntityID(try id(column)) }

    /// Nil for NULL, else what `read` makes of the column.
    package func optional<Value>(_ column: Int, _ read: (Row) -> (Int) throws -> Value) throws -> Value? {
        isNull(column) ? nil : try read(self)(column)
    }

    private func wrong(_ column: Int, _ expected: String) -> StorageError { .unreadable("column \(column) holds no \(expected)") }
}
