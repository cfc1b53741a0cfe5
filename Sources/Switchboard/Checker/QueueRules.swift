#if Sandbox
    import Conversation
    import Storage

    /// After the drain nothing waits without a time to come, no task runs, and nobody holds a lane.
    enum QueueRules {
        private static let tasks = SQL("SELECT kind, lane, state, run_at FROM tasks ORDER BY brand_id, lane")
        private static let held = SQL("SELECT lane FROM lanes WHERE held_by IS NOT NULL AND held_by <> 'retry' ORDER BY lane")
        private static let inboxes = SQL("SELECT lane FROM lanes WHERE inbox IS NOT NULL ORDER BY lane")

        /// Throws `StorageError`.
        static func look(_ view: StoreView) throws -> [BrokenPromise] {
            guard view.isSettled else { return [] }
            let waiting = try view.rows(tasks).compactMap { row -> BrokenPromise? in
                let (kind, state) = (try row.text(0), try row.text(2))
                let isFuture = try row.time(3) > view.now
                return state == "pending" && isFuture ? nil : BrokenPromise(.settled, "task \(kind) of lane \(try row.text(1)) is \(state)")
            }
            return try waiting + view.each(held, breaks: .settled) { "lane \(try $0.text(0)) is held" }
                + view.each(inboxes, breaks: .settled) { "a message waits in the inbox of lane \(try $0.text(0))" }
        }
    }
#endif
