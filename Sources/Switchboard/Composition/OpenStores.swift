import ConfigurationLoading
import Conversation
import Storage

/// The databases of a node, opened and, where only one process may, locked.
struct OpenStores: Sendable {
    let main: any Database
    let elsewhere: [BrandID: any Database]
    /// Held for the life of the process, like the data directory's own lock.
    let locks: [StoreFileLock]
    /// What is not as safe as it could be, in the databases' own words.
    let warnings: [String]

    /// Opens all that the plan names; none stays open when one cannot be. Throws `StartProblem`.
    static func open(_ plan: StorePlan) async throws -> OpenStores {
        var opened: [String: any Database] = [:]
        var locks: [StoreFileLock] = []
        var warnings: [String] = []
        do {
            let main = try await open(plan.main, &locks, &warnings)
            opened[""] = main
            for (name, location) in plan.named.sorted(by: { $0.key < $1.key }) {
                opened[name] = try await open(location, &locks, &warnings)
            }
            return OpenStores(main: main, elsewhere: plan.elsewhere.compactMapValues { opened[$0] }, locks: locks, warnings: warnings)
        } catch {
            for database in opened.values { await database.close() }
            throw error
        }
    }

    private static func open(
        _ location: StoreLocation, _ locks: inout [StoreFileLock], _ warnings: inout [String]
    ) async throws -> any Database {
        do {
            switch location {
            case .file(let path):
                locks.append(try StoreFileLock(storePath: path))
                return try SQLiteDatabase(path: path)
            case .postgreSQL(let url):
                let database = try await PostgreSQLDatabase(url: url.reveal())
                warnings += database.warnings.map { "\(location.shown): \($0)" }
                return database
            }
        } catch let problem as StartProblem {
            throw problem
        } catch {
            throw StartProblem("\(location.shown): \(error)")
        }
    }
}
