package import Conversation
package import Storage
import Synchronization

/// A store as another one, that may say of itself that others share it, go by a clock of its own, and refuse for a while to be reached.
package final class WrappedDatabase: Database {
    private let inner: any Database
    package let dialect: Dialect
    private let problem = Mutex<StorageError?>(nil)
    private let clock: (any WallClock)?

    package init(_ inner: any Database, isShared: Bool = false, clock: (any WallClock)? = nil) {
        self.inner = inner
        self.clock = clock
        var dialect = inner.dialect
        dialect.isShared = isShared
        self.dialect = dialect
    }

    /// While it is away every unit throws `StorageError.unavailable`, and none is run.
    package var isAway: Bool {
        get { problem.withLock { $0 } == Self.absence }
        set { fails(newValue ? Self.absence : nil) }
    }

    private static let absence = StorageError.unavailable("away for a while")

    /// Every unit throws it from now on, and none is run; nil ends that.
    package func fails(_ error: StorageError?) { problem.withLock { $0 = error } }

    private func check() throws {
        if let error = problem.withLock({ $0 }) { throw error }
    }

    package func write<Result: Sendable>(
        _ scope: Scope, _ unit: @escaping @Sendable (any Connection) throws -> Result
    ) async throws -> Result {
        try check()
        return try await inner.write(scope) { [clock] in try unit(Clocked(inner: $0, time: clock?.now ?? $0.time)) }
    }

    package func read<Result: Sendable>(
        _ scope: Scope, _ unit: @escaping @Sendable (any Connection) throws -> Result
    ) async throws -> Result {
        try check()
        return try await inner.read(scope) { [clock] in try unit(Clocked(inner: $0, time: clock?.now ?? $0.time)) }
    }

    private struct Clocked: Connection {
        let inner: any Connection
        let time: Timestamp?
        var locksRows: Bool { inner.locksRows }
        func rows(_ statement: SQL, _ values: [SQLValue]) throws -> [Row] { try inner.rows(statement, values) }
        func run(_ statement: SQL, _ values: [SQLValue]) throws -> Int { try inner.run(statement, values) }
        func send(_ statement: SQL, _ values: [SQLValue]) throws { try inner.send(statement, values) }
        func send(_ statement: SQL, _ values: [SQLValue], then take: @escaping ([Row]) throws -> Void) throws {
            try inner.send(statement, values, then: take)
        }
    }

    package func close() async { await inner.close() }
}
