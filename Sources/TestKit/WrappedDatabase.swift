package import Storage
import Synchronization

/// A store as another one, that may say of itself that others share it, and refuse for a while to be reached.
package final class WrappedDatabase: Database {
    private let inner: any Database
    package let dialect: Dialect
    private let away = Mutex(false)

    package init(_ inner: any Database, isShared: Bool = false) {
        self.inner = inner
        var dialect = inner.dialect
        dialect.isShared = isShared
        self.dialect = dialect
    }

    /// While it is away every unit throws `StorageError.unavailable`, and none is run.
    package var isAway: Bool {
        get { away.withLock { $0 } }
        set { away.withLock { $0 = newValue } }
    }

    package func write<Result: Sendable>(
        _ scope: Scope, _ unit: @escaping @Sendable (any Connection) throws -> Result
    ) async throws -> Result {
        if isAway { throw StorageError.unavailable("away for a while") }
        return try await inner.write(scope, unit)
    }

    package func read<Result: Sendable>(
        _ scope: Scope, _ unit: @escaping @Sendable (any Connection) throws -> Result
    ) async throws -> Result {
        if isAway { throw StorageError.unavailable("away for a while") }
        return try await inner.read(scope, unit)
    }

    package func close() async { await inner.close() }
}
