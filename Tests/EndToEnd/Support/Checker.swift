import Conversation
import Foundation
import Storage
import Testing

/// Reads the store of a stopped gateway and the sandbox's ledger, and says what does not hold. Run after each scenario.
struct Checker {
    let rig: Rig

    /// Every promise that was broken; empty when all hold. `settled`: nothing may be waiting any more.
    func faults(acknowledged: Set<String>, settled: Bool = true) async throws -> [String] {
        let database = try SQLiteDatabase(path: rig.data + "/switchboard.sqlite")
        let found = try await database.read(.installation) { connection in
            try unanswered(connection, acknowledged) + doubledTurns(connection) + inversions(connection) + (settled ? pending(connection) : [])
        }
        await database.close()
        return try found + ledgerFaults()
    }

    /// The number of rows in each table.
    static func rowCounts(_ path: String) async throws -> [String: Int64] {
        let database = try SQLiteDatabase(path: path)
        let counts = try await database.read(.installation) { connection in
            let tables = try connection.rows(SQL("SELECT name FROM sqlite_master WHERE type = 'table'"), []).map { try $0.text(0) }
            return try tables.reduce(into: [String: Int64]()) { counts, table in
                counts[table] = try connection.rows(SQL("SELECT count(*) FROM \(table)"), []).first?.integer(0)
            }
        }
        await database.close()
        return counts
    }

    /// Every acknowledged message stands in the store and ended in a recorded outcome, or lies in quarantine.
    private func unanswered(_ connection: any Connection, _ acknowledged: Set<String>) throws -> [String] {
        let rows = try connection.rows(SQL("SELECT provider_id, outcome FROM messages WHERE direction = 'in'"), [])
        var outcomes: [String: String?] = [:]
        for row in rows { outcomes[try row.text(0)] = try row.optional(1) { $0.text } }
        return acknowledged.sorted().compactMap { id in
            guard let outcome = outcomes[id] else { return "acknowledged message \(id) is not in the store" }
            return outcome == nil ? "message \(id) has no outcome" : nil
        }
    }

    /// A turn belongs to one message and a message to one turn; a reply belongs to one turn.
    private func doubledTurns(_ connection: any Connection) throws -> [String] {
        try connection.rows(
            SQL(
                """
                SELECT hex(turn_id), count(*) FROM messages WHERE direction = 'in' AND turn_id IS NOT NULL GROUP BY brand_id, turn_id
                HAVING count(*) > 1
                """), []
        ).map { "turn \(try $0.text(0)) answered \(try $0.integer(1)) messages" }
    }

    /// Turns of a conversation happened in the order in which its messages were accepted.
    private func inversions(_ connection: any Connection) throws -> [String] {
        try connection.rows(
            SQL(
                """
                SELECT a.provider_id, b.provider_id FROM messages a JOIN messages b
                ON a.brand_id = b.brand_id AND a.session_id = b.session_id AND a.direction = 'in' AND b.direction = 'in'
                WHERE a.message_id < b.message_id AND a.turn_id > b.turn_id
                """), []
        ).map { "message \(try $0.text(1)) had its turn before \(try $0.text(0))" }
    }

    /// After the drain nothing waits without a future time.
    private func pending(_ connection: any Connection) throws -> [String] {
        let now = SystemClock().now
        return try connection.rows(SQL("SELECT kind, lane, state, run_at FROM tasks"), []).compactMap { row in
            let (kind, state) = (try row.text(0), try row.text(2))
            let isFuture = try row.time(3) > now
            return state == "pending" && isFuture ? nil : "task \(kind) of lane \(try row.text(1)) is \(state)"
        }
    }

    /// Effects per key at most one, and identical bytes for a key.
    private func ledgerFaults() throws -> [String] {
        let calls = try ledger()
        return Dictionary(grouping: calls.filter { $0["key"]?.string != nil }) { $0["key"]?.string ?? "" }.compactMap { key, calls in
            Set(calls.compactMap { $0["body_sha256"]?.string }).count > 1 ? "key \(key) came with different bodies" : nil
        }
    }

    /// Every write call that the brand APIs received.
    func ledger() throws -> [JSONValue] {
        let path = rig.folder + "/sandbox/ledger.jsonl"
        guard FileManager.default.fileExists(atPath: path) else { return [] }
        return try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map {
            try JSONDecoder().decode(JSONValue.self, from: Data($0.utf8))
        }
    }
}
