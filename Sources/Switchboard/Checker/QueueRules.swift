#if Sandbox
    import Conversation
    import Storage

    /// After the drain nothing waits without a time to come, no task runs, and nobody holds a lane. What came due after the gateway was
    /// stopped is nobody's fault.
    enum QueueRules {
        private static let tasks = SQL("SELECT kind, lane, state, run_at FROM tasks ORDER BY brand_id, lane")
        private static let held = SQL("SELECT lane FROM lanes WHERE held_by IS NOT NULL AND held_by <> 'retry' ORDER BY lane")
        private static let inboxes = SQL("SELECT lane FROM lanes WHERE inbox IS NOT NULL ORDER BY lane")

        /// Throws `StorageError`.
        static func look(_ view: StoreView) throws -> [BrokenPromise] {
            guard view.isSettled else { return [] }
            let waiting = try view.rows(tasks).compactMap { row -> BrokenPromise? in
                let (kind, lane, state, due) = (try row.text(0), try row.text(1), try row.text(2), try row.time(3))
                guard state == "pending" else { return BrokenPromise(.settled, "task \(kind) of lane \(lane) is \(state)") }
                guard due <= view.stopped else { return nil }
                return BrokenPromise(.settled, "task \(kind) of lane \(lane) is pending since \(due) (if stopped before: --unsettled)")
            }
            return try waiting + view.each(held, breaks: .settled) { "lane \(try $0.text(0)) is held" }
                + view.each(inboxes, breaks: .settled) { "a message waits in the inbox of lane \(try $0.text(0))" }
        }
    }
#endif
