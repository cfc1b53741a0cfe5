#if Sandbox
    import Conversation
    import Sandbox
    import Storage

    /// Messages that came in: each ended, in one turn, in its order.
    enum MessageRules {
        /// How a message may end, up to the first colon.
        private static let outcomes: Set<String> = ["answered", "forwarded", "merged", "no_reply", "dropped", "dead_letter"]
        /// Those that say why behind the colon.
        private static let needsReason: Set<String> = ["no_reply", "dropped"]

        private static let inbound = SQL(
            "SELECT provider_id, outcome, message_id, brand_id FROM messages WHERE direction = 'in' ORDER BY message_id")
        private static let quarantined = SQL("SELECT body FROM quarantine UNION ALL SELECT body FROM unrouted")
        private static let sharedTurns = SQL(
            """
            SELECT turn_id, count(*) FROM messages WHERE direction = 'in' AND turn_id IS NOT NULL GROUP BY brand_id, turn_id
            HAVING count(*) > 1
            """)
        /// A message names its last turn only; the replies of an earlier one still name theirs.
        private static let repeatedTurns = SQL(
            """
            SELECT DISTINCT a.provider_id FROM messages a JOIN messages b
            ON a.brand_id = b.brand_id AND a.instance_id = b.instance_id AND a.provider_id = b.in_reply_to
            WHERE a.direction = 'in' AND b.direction = 'out' AND a.turn_id IS DISTINCT FROM b.turn_id
            """)
        /// Each turn beside the one of the message before it: where any two are in the wrong order, some neighbours are.
        private static let inversions = SQL(
            """
            SELECT earlier, provider_id FROM (
                SELECT provider_id, turn_id, lag(provider_id) OVER conversation AS earlier, lag(turn_id) OVER conversation AS earlier_turn
                FROM messages WHERE direction = 'in' AND turn_id IS NOT NULL
                WINDOW conversation AS (PARTITION BY brand_id, session_id ORDER BY message_id)) turns
            WHERE earlier_turn > turn_id
            """)

        /// Throws `StorageError`.
        static func look(_ view: StoreView) throws -> (broken: [BrokenPromise], brands: [String: Set<String>], kept: [String]) {
            var broken: [BrokenPromise] = []
            var brands: [String: Set<String>] = [:]
            for row in try view.rows(inbound) {
                let id = try row.optional(0) { $0.text } ?? "\(try row.id(2))"
                brands[id, default: []].insert(try row.text(3))
                let fault = complaint(try row.optional(1) { $0.text }, hasLetter: view.letters.contains(try row.id(2)), view.isSettled)
                if let fault { broken.append(BrokenPromise(.outcome, "message \(id) \(fault)")) }
            }
            broken += try view.each(sharedTurns, breaks: .oneTurn) { "turn \(try $0.id(0)) answered \(try $0.integer(1)) messages" }
            broken += try view.each(repeatedTurns, breaks: .oneTurn) { "message \(try name($0, 0)) was answered in more than one turn" }
            broken += try view.each(inversions, breaks: .order) { "message \(try name($0, 1)) had its turn before \(try name($0, 0))" }
            let kept = try view.rows(quarantined).map { String(decoding: try $0.bytes(0), as: UTF8.self) }
            return (broken, brands, kept)
        }

        /// Acknowledged messages that no store has, and that nobody keeps as they came; or that another brand has.
        static func lost(_ acknowledged: Set<StandInRecords.Acknowledged>, _ found: StoreFindings) -> [BrokenPromise] {
            // Two brands may have been sent messages of one id.
            let owners = Dictionary(grouping: acknowledged, by: \.id).mapValues { Set($0.compactMap(\.brand)) }
            return Set(acknowledged.compactMap { complaint($0, owners[$0.id] ?? [], found) }).sorted { $0.line < $1.line }
        }

        private static func complaint(
            _ message: StandInRecords.Acknowledged, _ owners: Set<String>, _ found: StoreFindings
        ) -> BrokenPromise? {
            guard let brands = found.messages[message.id] else {
                let isKept = found.kept.contains { $0.contains(message.id) }
                return isKept ? nil : BrokenPromise(.outcome, "acknowledged message \(message.id) is not in the store")
            }
            guard let brand = message.brand, !brands.contains(brand) || !brands.isSubset(of: owners) else { return nil }
            let all = brands.sorted().joined(separator: " and ")
            return BrokenPromise(.brandsApart, "acknowledged message \(message.id) was written to \(brand) and is stored under \(all)")
        }

        private static func complaint(_ outcome: String?, hasLetter: Bool, _ isSettled: Bool) -> String? {
            guard let outcome else { return isSettled ? "has no outcome" : nil }
            let parts = outcome.split(separator: ":", maxSplits: 1).map(String.init)
            guard let kind = parts.first, outcomes.contains(kind) else { return "ended as \(outcome)" }
            if needsReason.contains(kind), parts.count < 2 { return "ended as \(outcome) without a reason" }
            return kind == "dead_letter" && !hasLetter ? "has no dead letter" : nil
        }

        private static func name(_ row: Row, _ column: Int) throws -> String { try row.optional(column) { $0.text } ?? "without an id" }
    }
#endif
