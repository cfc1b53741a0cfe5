#if Sandbox
    import Conversation
    import Storage

    /// One store, as it stands before the rules.
    struct StoreView {
        let connection: any Connection
        let dialect: Dialect
        /// Whether all work should be over.
        let isSettled: Bool
        /// Subjects of dead letters: messages, actions, replies.
        let letters: Set<UniqueID>
        /// When nothing was done any more.
        let stopped: Timestamp

        private static let buried = SQL("SELECT subject_id FROM dead_letters WHERE subject_id IS NOT NULL")

        /// `stopped` is when the gateway ended; nil when the store does not tell, and then it is now. Throws `StorageError`, like everything here.
        init(_ connection: any Connection, _ dialect: Dialect, isSettled: Bool, stopped: Timestamp?) throws {
            self.connection = connection
            self.dialect = dialect
            self.isSettled = isSettled
            letters = Set(try connection.rows(Self.buried, []).map { try $0.id(0) })
            let now = connection.time ?? SystemClock().now
            self.stopped = stopped.map { min($0, now) } ?? now
        }

        func rows(_ statement: SQL) throws -> [Row] { try connection.rows(statement, []) }

        /// One complaint for each row.
        func each(_ statement: SQL, breaks promise: Promise, _ what: (Row) throws -> String) throws -> [BrokenPromise] {
            try rows(statement).map { BrokenPromise(promise, try what($0)) }
        }
    }

    /// What the rules found in one store, and what is compared with other stores and with the stand-ins' records.
    struct StoreFindings: Sendable {
        var broken: [BrokenPromise] = []
        /// Provider's ids of messages that came in, and under which brands they stand.
        var messages: [String: Set<String>] = [:]
        /// Raw bodies that are kept because they could not be read or belonged to nobody.
        var kept: [String] = []
        /// Idempotency keys of actions.
        var keys: Set<String> = []
        var replies = 0
        /// How often people had a reply sent again, by its reference.
        var redriven: [String: Int] = [:]

        /// Throws `StorageError`.
        init(_ view: StoreView, records: CallBook, canaries: [Canary]) throws {
            let messages = try MessageRules.look(view)
            (self.messages, kept) = (messages.brands, messages.kept)
            let replies = try ReplyRules.look(view)
            (self.replies, redriven) = (replies.count, replies.redriven)
            let actions = try ActionRules.look(view, records)
            keys = actions.keys
            broken = messages.broken + replies.broken + actions.broken
            broken += try QueueRules.look(view) + CanaryRules.look(view, canaries)
        }

        init() {}

        mutating func add(_ other: StoreFindings) {
            broken += other.broken
            messages.merge(other.messages) { $0.union($1) }
            kept += other.kept
            keys.formUnion(other.keys)
            replies += other.replies
            redriven.merge(other.redriven, uniquingKeysWith: +)
        }
    }
#endif
