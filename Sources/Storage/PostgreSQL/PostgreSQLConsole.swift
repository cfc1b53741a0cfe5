import Foundation

/// Texts of several statements, run on a connection of their own outside of any unit: for what only an operator does.
package enum PostgreSQLConsole {
    /// The rows of the last statement, as text. Each text is one transaction unless it says otherwise. Throws `StorageError`.
    @discardableResult package static func run(
        _ text: String, at url: String, answerTime: Duration = .seconds(60)
    ) async throws -> [[String?]] {
        try await OwnThread.run(name: "postgresql-console") { try runBlocking(text, at: url, answerTime: answerTime) }
    }

    /// The same on the caller's thread, which it blocks.
    @discardableResult package static func runBlocking(
        _ text: String, at url: String, answerTime: Duration = .seconds(60)
    ) throws -> [[String?]] {
        let link = try PostgreSQLLink(url: url, applicationName: "switchboard-console", connectTimeout: .seconds(3))
        defer { link.close() }
        link.answerTime = Int64(answerTime.components.seconds) * 1000
        return try link.execute(text)
    }
}
