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
        let now: Timestamp

        private static let buried = SQL("SELECT subject_id FROM dead_letters WHERE subject_id IS NOT NULL")

        /// Throws `StorageError`, like everything here.
        init(_ connection: any Connection, _ dialect: Dialect, isSettled: Bool) throws {
            self.connection = connection
            self.dialect = dialect
            self.isSettled = isSettled
            letters = Set(try connection.rows(Self.buried, []).map { try $0.id(0) })
            now = connection.time ?? SystemClock().now
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
        /// Provider's ids of messages that came in.
        var messages: Set<String> = []
        /// Raw bodies that are kept because they could not be read or belonged to nobody.
        var kept: [String] = []
        /// Idempotency keys of actions.
        var keys: Set<String> = []
        var replies = 0

        /// Throws `StorageError`.
        init(_ view: StoreView, records: CallBook, canaries: [Canary]) throws {
            let messages = try MessageRules.look(view)
            (self.messages, kept) = (messages.ids, messages.kept)
            let replies = try ReplyRules.look(view)
            self.replies = replies.count
            let actions = try ActionRules.look(view, records)
            keys = actions.keys
            broken = messages.broken + replies.broken + actions.broken
            broken += try QueueRules.look(view) + CanaryRules.look(view, canaries)
        }

        init() {}

        mutating func add(_ other: StoreFindings) {
            broken += other.broken
            messages.formUnion(other.messages)
            kept += other.kept
            keys.formUnion(other.keys)
            replies += other.replies
        }
    }
#endif
