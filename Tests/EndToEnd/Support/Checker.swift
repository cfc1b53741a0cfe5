import Conversation
import Foundation
import Signing
import Storage
import Testing

/// Reads the store of a stopped gateway and what the stand-ins saw, and says what does not hold. Run after each scenario.
struct Checker {
    let rig: Rig

    /// Every promise that was broken; empty when all hold. `settled`: nothing may be waiting any more. `canaries`: words that were only ever
    /// said to one brand, by brand.
    func faults(acknowledged: Set<String>, settled: Bool = true, canaries: [String: String] = [:]) async throws -> [String] {
        let calls = try lines("ledger")
        let effects = try lines("effects")
        let found = try await rig.withStore { database in
            try await database.read(.installation) { connection in
                try lost(connection, acknowledged, settled) + doubledTurns(connection) + inversions(connection)
                    + replies(connection, settled) + actions(connection, calls, effects, settled) + (settled ? pending(connection) : [])
                    + strays(connection, canaries)
            }
        }
        return try await found + ledgerFaults(calls, effects) + sends() + foreignCalls(canaries)
    }

    // MARK: Messages

    /// How a message may end, up to the first colon.
    private static let outcomes: Set<String> = ["answered", "forwarded", "merged", "no_reply", "dropped", "dead_letter"]

    /// Every acknowledged message stands in the store and ended in a recorded outcome, or lies in quarantine.
    private func lost(_ connection: any Connection, _ acknowledged: Set<String>, _ settled: Bool) throws -> [String] {
        let rows = try connection.rows(SQL("SELECT provider_id, outcome, message_id FROM messages WHERE direction = 'in'"), [])
        let letters = try buried(connection)
        var outcomes: [String: (text: String?, letter: Bool)] = [:]
        for row in rows {
            outcomes[try row.text(0)] = (try row.optional(1) { $0.text }, letters.contains(try row.id(2)))
        }
        let kept = try connection.rows(SQL("SELECT body FROM quarantine UNION ALL SELECT body FROM unrouted"), []).map {
            String(decoding: try $0.bytes(0), as: UTF8.self)
        }
        return acknowledged.sorted().compactMap { id in
            guard let outcome = outcomes[id] else {
                return kept.contains { $0.contains(id) } ? nil : "acknowledged message \(id) is not in the store"
            }
            guard let text = outcome.text else { return settled ? "message \(id) has no outcome" : nil }
            let kind = text.split(separator: ":", maxSplits: 1).map(String.init)
            if !Self.outcomes.contains(kind.first ?? "") { return "message \(id) ended as \(text)" }
            if ["no_reply", "dropped"].contains(kind.first), kind.count < 2 { return "message \(id) ended as \(text) without a reason" }
            return text == "dead_letter" && !outcome.letter ? "message \(id) has no dead letter" : nil
        }
    }

    /// What dead letters are about.
    private func buried(_ connection: any Connection) throws -> Set<UniqueID> {
        let rows = try connection.rows(SQL("SELECT subject_id FROM dead_letters WHERE subject_id IS NOT NULL"), [])
        return Set(try rows.map { try $0.id(0) })
    }

    /// A turn belongs to one message and a message to one turn.
    private func doubledTurns(_ connection: any Connection) throws -> [String] {
        let shared = try connection.rows(
            SQL(
                """
                SELECT turn_id, count(*) FROM messages WHERE direction = 'in' AND turn_id IS NOT NULL GROUP BY brand_id, turn_id
                HAVING count(*) > 1
                """), []
        ).map { "turn \(try $0.id(0)) answered \(try $0.integer(1)) messages" }
        // A message names its last turn only; the replies of an earlier one still name theirs.
        let doubled = try connection.rows(
            SQL(
                """
                SELECT DISTINCT a.provider_id FROM messages a JOIN messages b
                ON a.brand_id = b.brand_id AND a.instance_id = b.instance_id AND a.provider_id = b.in_reply_to
                WHERE a.direction = 'in' AND b.direction = 'out' AND a.turn_id IS DISTINCT FROM b.turn_id
                """), []
        ).map { "message \(try $0.text(0)) was answered in more than one turn" }
        return shared + doubled
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

    /// Every reply ended: sent, failed, or unknown and then with a dead letter.
    private func replies(_ connection: any Connection, _ settled: Bool) throws -> [String] {
        guard settled else { return [] }
        let letters = try buried(connection)
        let rows = try connection.rows(SQL("SELECT message_id, send_state FROM messages WHERE direction = 'out'"), [])
        return try rows.compactMap { row in
            let (id, state) = (try row.id(0), try row.optional(1) { $0.text })
            switch state {
            case "sent", "failed": return nil
            case "unknown": return letters.contains(id) ? nil : "the unknown reply \(id) has no dead letter"
            case let other: return "reply \(id) ended as \(other ?? "nothing")"
            }
        }
    }

    // MARK: Actions

    /// What the store says of a call is what the brand saw: done means one effect, not done means none, and every body is the stored one.
    private func actions(_ connection: any Connection, _ calls: [JSONValue], _ effects: [JSONValue], _ settled: Bool) throws -> [String] {
        let letters = try buried(connection)
        let counts = Dictionary(grouping: effects.compactMap { $0["key"]?.string }) { $0 }.mapValues(\.count)
        let bodies = Dictionary(grouping: calls) { $0["key"]?.string ?? "" }
        let rows = try connection.rows(SQL("SELECT action_id, idempotency_key, state, method, body FROM actions"), [])
        var known: Set<String> = []
        var faults: [String] = []
        for row in rows {
            let (id, key, state) = (try row.id(0), Base64.encodeURL(try row.bytes(1)), try row.text(2))
            let stored = try row.optional(4) { $0.bytes }.map { String(decoding: $0, as: UTF8.self) }
            known.insert(key)
            if settled, state == "queued" { faults.append("action \(id) is still queued") }
            if settled, ["unknown", "failed"].contains(state), !letters.contains(id) {
                faults.append("action \(id) is \(state) without a dead letter")
            }
            guard try row.text(3) != "GET" else { continue }
            let effect = counts[key] ?? 0
            if state == "done", effect != 1 { faults.append("action \(id) is done with \(effect) effects") }
            if ["failed", "refused", "cancelled"].contains(state), effect != 0 {
                faults.append("action \(id) is \(state) with \(effect) effects")
            }
            for call in bodies[key] ?? [] where call["body"]?.string != stored {
                faults.append("action \(id) was sent with other bytes than stored")
            }
        }
        return faults + Set(bodies.keys).subtracting(known).sorted().map { "a call came with the key \"\($0)\", which no action has" }
    }

    /// Effects per key at most one, and identical bytes for a key.
    private func ledgerFaults(_ calls: [JSONValue], _ effects: [JSONValue]) -> [String] {
        let differing = Dictionary(grouping: calls) { $0["key"]?.string ?? "" }.compactMap { key, calls in
            Set(calls.compactMap { $0["body_sha256"]?.string }).count > 1 ? "key \(key) came with different bodies" : nil
        }
        let doubled = Dictionary(grouping: effects) { $0["key"]?.string ?? "" }.compactMap { key, effects in
            effects.count > 1 ? "key \(key) took effect \(effects.count) times" : nil
        }
        return (differing + doubled).sorted()
    }

    // MARK: Sends

    /// A reply that may have been accepted is never sent again.
    private func sends() async throws -> [String] {
        let requests = try await rig.arrived("/graph", method: "POST").filter { $0["json"]?["biz_opaque_callback_data"]?.string != nil }
        let attempts = Dictionary(grouping: requests) { $0["json"]?["biz_opaque_callback_data"]?.string ?? "" }
        return attempts.compactMap { reference, requests in
            let possible = requests.filter { ($0["status"]?.integer).map { $0 < 300 } ?? true }.count
            return possible > 1 ? "reply \(reference) may have been sent \(possible) times" : nil
        }.sorted()
    }

    // MARK: Queue

    /// After the drain nothing waits without a future time, no task runs, and nobody holds a lane.
    private func pending(_ connection: any Connection) throws -> [String] {
        let now = SystemClock().now
        let tasks = try connection.rows(SQL("SELECT kind, lane, state, run_at FROM tasks"), []).compactMap { row -> String? in
            let (kind, state) = (try row.text(0), try row.text(2))
            let isFuture = try row.time(3) > now
            return state == "pending" && isFuture ? nil : "task \(kind) of lane \(try row.text(1)) is \(state)"
        }
        let lanes = try connection.rows(SQL("SELECT lane FROM lanes WHERE held_by IS NOT NULL AND held_by <> 'retry'"), []).map {
            "lane \(try $0.text(0)) is held"
        }
        let inboxes = try connection.rows(SQL("SELECT lane FROM lanes WHERE inbox IS NOT NULL"), []).map {
            "a message waits in the inbox of lane \(try $0.text(0))"
        }
        return tasks + lanes + inboxes
    }

    // MARK: Brands apart

    /// No row of a brand holds another brand's canary.
    private func strays(_ connection: any Connection, _ canaries: [String: String]) throws -> [String] {
        guard !canaries.isEmpty else { return [] }
        return try Tables.names(connection, rig.isShared).flatMap { table -> [String] in
            let columns = try Tables.columns(of: table, connection, rig.isShared)
            guard columns.contains(where: { $0.name == "brand_id" }) else { return [] }
            return try canaries.flatMap { brand, canary in
                try columns.compactMap { column in
                    let found = Tables.holds(canary, column, rig.isShared)
                    let text = "SELECT count(*) FROM \(table) WHERE brand_id <> '\(brand)' AND \(found)"
                    let count = try connection.rows(SQL(text), []).first?.integer(0) ?? 0
                    return count == 0 ? nil : "\(count) rows of \(table).\(column.name) hold the canary of \(brand)"
                }
            }
        }
    }

    /// No stand-in of a brand was told another brand's canary.
    private func foreignCalls(_ canaries: [String: String]) async throws -> [String] {
        guard !canaries.isEmpty else { return [] }
        let places = [
            "salon": ["/salon", "/graph/v23.0/\(Rig.salonNumber)"], "jobs": ["/jobs", "/graph/v23.0/\(Rig.jobsNumber)"],
        ]
        var faults: [String] = []
        for (brand, paths) in places {
            for path in paths {
                let text = String(decoding: CanonicalJSON.bytes(.array(try await rig.arrived(path))), as: UTF8.self)
                for (owner, canary) in canaries where owner != brand && text.contains(canary) {
                    faults.append("\(path) was told the canary of \(owner)")
                }
            }
        }
        return faults
    }

    // MARK: Files of the stand-ins

    /// Every write call that the brand APIs received.
    func ledger() throws -> [JSONValue] { try lines("ledger") }

    private func lines(_ name: String) throws -> [JSONValue] {
        let path = rig.folder + "/sandbox/\(name).jsonl"
        guard FileManager.default.fileExists(atPath: path) else { return [] }
        return try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map {
            try JSONDecoder().decode(JSONValue.self, from: Data($0.utf8))
        }
    }
}
