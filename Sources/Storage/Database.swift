package import Conversation

/// A store of rows that survives the process. Two drivers implement it with the same statements; what truly differs is in `Dialect`.
///
/// Units of work are synchronous closures that run on the driver's own thread. Units that arrive together share one commit.
/// **A unit may be run a second time** (when a neighbour in its group failed), so it touches nothing but the connection it is given.
package protocol Database: AnyObject, Sendable {
    var dialect: Dialect { get }
    /// Returns after the unit's effects are durable. Throws what the unit threw (its effects are undone, its neighbours' are not),
    /// or `StorageError` when nothing could be made durable.
    func write<Result: Sendable>(_ scope: Scope, _ unit: @escaping @Sendable (any Connection) throws -> Result) async throws -> Result
    /// Reads a consistent snapshot that holds every write that returned before.
    func read<Result: Sendable>(_ scope: Scope, _ unit: @escaping @Sendable (any Connection) throws -> Result) async throws -> Result
    /// Finishes what was handed in and closes. Later calls throw `StorageError.closed`.
    func close() async
}

/// Whose rows a unit may touch.
package enum Scope: Sendable, Hashable {
    case brand(BrandID)
    /// The few tables without a brand, and the claiming of lanes.
    case installation
}

/// What a unit of work runs statements on. Valid only inside the unit.
package protocol Connection {
    /// Runs the statement and returns its rows. Throws `StorageError`.
    func rows(_ statement: SQL, _ values: [SQLValue]) throws -> [Row]
    /// Runs the statement; returns the number of rows it changed. Throws `StorageError`.
    @discardableResult func run(_ statement: SQL, _ values: [SQLValue]) throws -> Int
    /// Runs the statement without waiting for its answer where that saves a round trip: an error may come with a later statement of the
    /// unit, or at its end. Throws `StorageError`.
    func send(_ statement: SQL, _ values: [SQLValue]) throws
    /// The same for a statement whose rows matter, but not yet: `take` gets them with a later statement of the unit, or at its end before
    /// anything is durable. What it throws undoes the unit, whose error it is. It may run when the connection belongs to another unit of the
    /// group already, so it runs no statement.
    func send(_ statement: SQL, _ values: [SQLValue], then take: @escaping ([Row]) throws -> Void) throws
    /// The database's own clock, where several machines share it: leases end by this one, not by any node's. Nil where the program's
    /// clock is the only one.
    var time: Timestamp? { get }
    /// Whether rows must be locked that are read to be written back: in a unit that writes, where other nodes write too.
    var locksRows: Bool { get }
}

extension Connection {
    package func send(_ statement: SQL, _ values: [SQLValue]) throws { try run(statement, values) }
    package func send(_ statement: SQL, _ values: [SQLValue], then take: @escaping ([Row]) throws -> Void) throws {
        try take(rows(statement, values))
    }
    package var time: Timestamp? { nil }
    package var locksRows: Bool { false }
}

/// What the two databases say differently.
package struct Dialect: Sendable {
    /// The type of raw bytes.
    package var bytes: String
    /// Stores a table's rows in the order of its primary key, where that exists.
    package var clustered: String
    /// Lets several nodes claim without waiting for each other.
    package var skipLocked: String
    /// Holds the rows that were read until the unit's end, where units run beside each other: what was found then still stands.
    package var forUpdate: String
    /// How texts compare in a column: by their bytes, on both, so that lists and pages have one order everywhere.
    package var collation: String
    /// Other processes may have the same store open: what was begun before a start may still be running elsewhere.
    package var isShared: Bool

    package static let sqlite = Dialect(
        bytes: "BLOB", clustered: " WITHOUT ROWID", skipLocked: "", forUpdate: "", collation: "", isShared: false)
    package static let postgreSQL = Dialect(
        bytes: "BYTEA", clustered: "", skipLocked: " FOR UPDATE SKIP LOCKED", forUpdate: " FOR UPDATE", collation: " COLLATE \"C\"",
        isShared: true)

    /// Fills `{bytes}`, `{clustered}`, `{skip_locked}` and `{for_update}`.
    package func fill(_ text: String) -> String {
        guard text.contains("{") else { return text }
        let words = [("bytes}", bytes), ("clustered}", clustered), ("skip_locked}", skipLocked), ("for_update}", forUpdate)]
        return text.split(separator: "{", omittingEmptySubsequences: false).enumerated().map { index, part in
            if index == 0 { return String(part) }
            for (name, value) in words where part.hasPrefix(name) { return value + part.dropFirst(name.count) }
            return "{" + part
        }.joined()
    }

    /// Fills the text of a migration, where `TEXT` is nothing but the type of a column.
    package func definition(_ text: String) -> String { fill(text).replacing(" TEXT", with: " TEXT" + collation) }
}

package enum StorageError: Error, Sendable, Hashable, CustomStringConvertible {
    case closed
    /// No room; goes on by itself when there is room again.
    case full(String)
    /// The database cannot be reached or does not answer in time; goes on by itself when it does again. Whether the unit took effect is
    /// unknown only when the connection broke during its commit.
    case unavailable(String)
    /// Two rows where one may be.
    case duplicate(String)
    /// Anything else the database said.
    case failed(code: Int, String)
    /// A value stood in a column where it cannot be.
    case unreadable(String)
    case cannotOpen(String)

    package var description: String {
        switch self {
        case .closed: "the store is closed"
        case .full(let text): "the disk is full: \(text)"
        case .unavailable(let text): "the store cannot be reached: \(text)"
        case .duplicate(let text): "duplicate: \(text)"
        case .failed(let code, let text): "store error \(code): \(text)"
        case .unreadable(let text): "unreadable row: \(text)"
        case .cannotOpen(let text): "cannot open the store: \(text)"
        }
    }
}
