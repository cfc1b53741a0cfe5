#if Sandbox
    import Conversation
    import Sandbox
    import Signing
    import Storage

    /// What the brands' APIs received and did, by idempotency key.
    struct CallBook: Sendable {
        let calls: [String: [StandInRecords.Call]]
        let effects: [String: Int]
        /// Calls that carried no key.
        let withoutKey: Int

        init(_ records: StandInRecords) {
            calls = Dictionary(grouping: records.calls.filter { $0.key != nil }) { $0.key ?? "" }
            effects = records.effects.reduce(into: [:]) { counts, effect in if let key = effect.key { counts[key, default: 0] += 1 } }
            withoutKey = records.calls.count { $0.key == nil }
        }

        /// At most one effect a key, identical bytes in all calls of a key, and no call without one.
        var broken: [BrokenPromise] {
            let differing = calls.filter { Set($0.value.map(\.bodyHash)).count > 1 }.keys.sorted().map {
                BrokenPromise(.sameBytes, "key \($0) came with different bodies")
            }
            let doubled = effects.filter { $0.value > 1 }.sorted { $0.key < $1.key }.map {
                BrokenPromise(.oneEffect, "key \($0.key) took effect \($0.value) times")
            }
            let bare = withoutKey > 0 ? [BrokenPromise(.sameBytes, "\(withoutKey) write calls came without a key")] : []
            return differing + doubled + bare
        }

        /// Keys that no action of any store has.
        func foreign(_ known: Set<String>) -> [BrokenPromise] {
            Set(calls.keys).subtracting(known).sorted().map {
                BrokenPromise(.sameBytes, "a call came with the key \"\($0)\", which no action has")
            }
        }
    }

    /// What the store says of a call is what the brand saw: done means one effect, not done means none, and every body is the stored one.
    enum ActionRules {
        private static let actions = SQL("SELECT action_id, idempotency_key, state, method, body FROM actions ORDER BY action_id")

        /// Throws `StorageError`.
        static func look(_ view: StoreView, _ book: CallBook) throws -> (broken: [BrokenPromise], keys: Set<String>) {
            var broken: [BrokenPromise] = []
            var keys: Set<String> = []
            for row in try view.rows(actions) {
                let (id, key, state) = (try row.id(0), Base64.encodeURL(try row.bytes(1)), try row.text(2))
                keys.insert(key)
                if view.isSettled { broken += unsettled(id, state, hasLetter: view.letters.contains(id)) }
                guard try row.text(3) != "GET" else { continue }
                broken += effects(id, state, book.effects[key] ?? 0)
                let stored = try row.optional(4) { $0.bytes }.map { String(decoding: $0, as: UTF8.self) } ?? ""
                for call in book.calls[key] ?? [] where call.body != stored {
                    broken.append(BrokenPromise(.sameBytes, "action \(id) was sent with other bytes than stored"))
                }
            }
            return (broken, keys)
        }

        private static func unsettled(_ id: UniqueID, _ state: String, hasLetter: Bool) -> [BrokenPromise] {
            switch state {
            case "queued": [BrokenPromise(.settled, "action \(id) is still queued (if stopped before it was at rest: --unsettled)")]
            case "unknown", "failed": hasLetter ? [] : [BrokenPromise(.outcome, "action \(id) is \(state) without a dead letter")]
            default: []
            }
        }

        private static func effects(_ id: UniqueID, _ state: String, _ count: Int) -> [BrokenPromise] {
            switch state {
            case "done" where count != 1: [BrokenPromise(.oneEffect, "action \(id) is done with \(count) effects")]
            case "failed" where count != 0, "refused" where count != 0, "cancelled" where count != 0:
                [BrokenPromise(.oneEffect, "action \(id) is \(state) with \(count) effects")]
            default: []
            }
        }
    }
#endif
