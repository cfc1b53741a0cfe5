#if Sandbox
    import Conversation
    import Sandbox
    import Storage

    /// Messages to customers.
    enum ReplyRules {
        private static let outbound = SQL("SELECT message_id, send_state FROM messages WHERE direction = 'out' ORDER BY message_id")

        private static let redriven = SQL(
            """
            SELECT subject_id, count(*) FROM dead_letters WHERE kind = 'delivery' AND state = 'redriven' AND subject_id IS NOT NULL
            GROUP BY subject_id
            """)

        /// Every reply ended: sent, failed, or unknown and then with a dead letter. Also says how often people had each one sent again, by its
        /// reference. Throws `StorageError`.
        static func look(_ view: StoreView) throws -> (broken: [BrokenPromise], count: Int, redriven: [String: Int]) {
            let rows = try view.rows(outbound)
            let counts = try view.rows(redriven).map { (try $0.id(0).description, try $0.int(1)) }
            let redriven = Dictionary(counts, uniquingKeysWith: +)
            guard view.isSettled else { return ([], rows.count, redriven) }
            let broken = try rows.compactMap { row -> BrokenPromise? in
                let (id, state) = (try row.id(0), try row.optional(1) { $0.text })
                switch state {
                case "sent", "failed": return nil
                case "unknown":
                    return view.letters.contains(id) ? nil : BrokenPromise(.reply, "the unknown reply \(id) has no dead letter")
                case let other: return BrokenPromise(.reply, "reply \(id) ended as \(other ?? "nothing")")
                }
            }
            return (broken, rows.count, redriven)
        }

        /// A reply that may have been accepted is never sent again, but once each time that a person says so.
        static func sentAgain(_ requests: [StandInRecords.Request], redriven: [String: Int]) -> [BrokenPromise] {
            let sends = requests.filter { $0.reference != nil && $0.path.hasPrefix("/graph/") }
            return Dictionary(grouping: sends) { $0.reference ?? "" }.sorted { $0.key < $1.key }.compactMap { reference, sends in
                let possible = sends.filter { $0.status.map { $0 < 300 } ?? true }.count
                let allowed = 1 + (redriven[reference] ?? 0)
                return possible > allowed ? BrokenPromise(.reply, "reply \(reference) may have been sent \(possible) times") : nil
            }
        }
    }
#endif
