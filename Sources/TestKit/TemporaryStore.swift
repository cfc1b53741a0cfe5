package import Conversation
import Foundation
package import Storage

/// A store in a folder of its own, gone when the test ends.
package struct TemporaryStore {
    package let path: String
    package let store: Store

    package init(clock: any WallClock = SystemClock(), ids: any IDSource = SystemIDs(), node: String = "test") throws {
        path = NSTemporaryDirectory() + "switchboard-test-\(UUID().uuidString).sqlite"
        store = Store(database: try SQLiteDatabase(path: path), clock: clock, ids: ids, node: node)
    }

    package static func with<Result>(
        clock: any WallClock = SystemClock(), ids: any IDSource = SystemIDs(), _ body: (Store) async throws -> Result
    ) async throws -> Result {
        let temporary = try TemporaryStore(clock: clock, ids: ids)
        do {
            let result = try await body(temporary.store)
            await temporary.remove()
            return result
        } catch {
            await temporary.remove()
            throw error
        }
    }

    package func remove() async {
        await store.close()
        for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + suffix) }
    }
}
