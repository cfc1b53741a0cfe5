package import Conversation
package import Storage

/// A store of its own for one test, of the kind that this run tests (see `TestDatabase`), gone when the test ends.
package enum TemporaryStore {
    package static func with<Result>(
        _ kind: TestDatabase.Kind = .ofThisRun, clock: any WallClock = SystemClock(), ids: any IDSource = SystemIDs(),
        node: String = "test",
        _ body: (Store) async throws -> Result
    ) async throws -> Result {
        let temporary = try await TestDatabase.make(kind)
        let store = Store(database: temporary.database, clock: clock, ids: ids, node: node)
        do {
            let result = try await body(store)
            try await temporary.remove()
            return result
        } catch {
            try await temporary.remove()
            throw error
        }
    }
}
