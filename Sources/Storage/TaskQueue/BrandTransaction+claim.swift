package import Conversation

/// Taking work. A claim is a page of lanes and the first due task of each, in three statements however many they are.
extension BrandTransaction {
    private enum Statements {
        /// When the first lane of each priority wants a worker, highest priority first, and whether the brand is paused.
        static let look: SQL = {
            let first = Priority.allCases.reversed().map {
                "(SELECT min(ready_at) FROM lanes WHERE brand_id = $1 AND pool = $2 AND priority = \($0.rank) AND paused = 0 "
                    + "AND ready_at IS NOT NULL)"
            }
            return SQL("SELECT \(first.joined(separator: ", ")), (SELECT paused_at FROM brand_pauses WHERE brand_id = $1)")
        }()
        static let claim = SQL(
            """
            WITH due AS MATERIALIZED (
                SELECT lane FROM lanes WHERE brand_id = $1 AND pool = $2 AND priority = $3 AND paused = 0 AND ready_at <= $4
                ORDER BY ready_at LIMIT $5{skip_locked})
            UPDATE lanes SET epoch = epoch + 1, taken_from = held_by, held_by = $6, ready_at = $7
            WHERE brand_id = $1 AND lane IN (SELECT lane FROM due) RETURNING lane, epoch
            """)
        /// For up to 1, 8 and 64 lanes.
        static let startAtClaim = [1, 8, 64].map { (lanes: $0, statement: start(lanes: $0, isClaim: true)) }
        static let startNext = start(lanes: 1, isClaim: false)
        /// The task of a lane that its holder works on.
        static let taken = SQL(
            """
            SELECT lane, task_id, kind, payload, priority, attempts, crashes, created_at, node, interrupted, parked_since FROM tasks
            WHERE brand_id = $1 AND lane = $2 AND state = 'processing' ORDER BY priority DESC, task_id LIMIT 1
            """)
        static let delete = SQL("DELETE FROM tasks WHERE brand_id = $1 AND lane = $2 AND task_id = $3")

        /// The attempt is counted, and so is a crash of the worker from whom the lane was taken over.
        private static func start(lanes: Int, isClaim: Bool) -> SQL {
            let places = (0..<lanes).map { "$\($0 + 3)" }.joined(separator: ", ")
            // The same expression on both sides: SQLite uses the index only where neither is a column.
            let lane = Migrations.laneInOrder.replacing("lane", with: "l.lane")
            // A node that takes over from itself lives: that its answer was lost, or its lease ran out, tells nothing of the task.
            let wasHeld =
                "CASE WHEN l.taken_from IS NULL OR l.taken_from IN ('\(QueueTask.retry)', '\(QueueTask.parked)', l.held_by) THEN 0 ELSE 1 END"
            let isWanted = " AND l.paused = 0 AND NOT EXISTS (SELECT 1 FROM brand_pauses p WHERE p.brand_id = l.brand_id)"
            return SQL(
                """
                WITH due AS MATERIALIZED (
                    SELECT l.brand_id AS due_brand, l.lane AS due_lane, \(isClaim ? wasHeld : "0") AS crashed,
                        (SELECT t.task_id FROM tasks t WHERE t.brand_id = l.brand_id AND (\(Migrations.laneInOrder)) = (\(lane))
                                AND t.run_at <= $2
                            ORDER BY t.priority DESC, t.task_id LIMIT 1) AS due_task
                    FROM lanes l WHERE l.brand_id = $1 AND l.lane IN (\(places))\(isClaim ? "" : isWanted))
                UPDATE tasks SET interrupted = CASE WHEN state = 'processing' THEN 1 ELSE 0 END, state = 'processing',
                    attempts = attempts + 1, crashes = CASE WHEN state = 'processing' AND crashes <> \(QueueTask.suspect)
                        AND due.crashed = 1 THEN crashes + 1 ELSE crashes END
                FROM due WHERE brand_id = due.due_brand AND lane = due.due_lane AND task_id = due.due_task
                RETURNING lane, task_id, kind, payload, priority, attempts, crashes, created_at, node, interrupted, parked_since
                """)
        }
    }

    /// What a claim came to.
    package struct Claim: Sendable {
        package var work: [(lease: LaneLease, task: QueueTask)] = []
        /// Lanes that were ready; more than `work` when tasks had to be taken out of some.
        package var lanes = 0
        /// When the next lane wants a worker; nil when none will without new work. Now, when there may be more.
        package var next: Timestamp?
    }

    /// Takes up to `limit` ready lanes of this brand, highest priority first, each until `until` and with its first task. What cannot be
    /// read is taken out into a dead letter on its own, and its lane goes on. A paused brand has no work.
    package func claim(pool: LanePool, limit: Int, until: Timestamp) throws -> Claim {
        let look = try row(Statements.look, .text(pool.rawValue)).map(\.values) ?? []
        guard look.last == .null else { return Claim() }
        let first = zip(Priority.allCases.reversed(), look.dropLast()).compactMap { priority, value -> (Priority, Timestamp)? in
            guard case .integer(let time) = value else { return nil }
            return (priority, Timestamp(milliseconds: time))
        }
        var claim = Claim(next: first.map(\.1).min())
        var leases: [LaneLease] = []
        for (priority, readyAt) in first where readyAt <= now && leases.count < limit {
            leases += try claimLanes(pool: pool, priority: priority, limit: limit - leases.count, until: until)
        }
        claim.lanes = leases.count
        claim.work = try start(leases)
        return claim
    }

    /// Takes up to `limit` ready lanes of this brand, highest priority first, each until `until`; without their tasks.
    package func claimLanes(pool: LanePool, limit: Int, until: Timestamp) throws -> [LaneLease] {
        try Priority.allCases.reversed().reduce(into: []) { leases, priority in
            guard leases.count < limit else { return }
            leases += try claimLanes(pool: pool, priority: priority, limit: limit - leases.count, until: until)
        }
    }

    private func claimLanes(pool: LanePool, priority: Priority, limit: Int, until: Timestamp) throws -> [LaneLease] {
        try rows(
            Statements.claim, .text(pool.rawValue), SQLValue(priority.rank), SQLValue(now), SQLValue(limit), .text(node), SQLValue(until)
        ).map { LaneLease(brand: brand, lane: try $0.text(0), pool: pool, epoch: try $0.integer(1)) }
    }

    /// The first due task of each lane, its attempt counted; lanes that have none are released.
    private func start(_ leases: [LaneLease]) throws -> [(lease: LaneLease, task: QueueTask)] {
        for lease in leases where lease.pool == .turn { try openInbox(of: lease.lane) }
        var work: [(lease: LaneLease, task: QueueTask)] = []
        var rest = leases[...]
        while !rest.isEmpty {
            guard let (size, statement) = Statements.startAtClaim.first(where: { $0.lanes >= rest.count }) ?? Statements.startAtClaim.last
            else { break }
            let page = rest.prefix(size)
            rest = rest.dropFirst(size)
            // What is left of the places names the last lane again.
            let names = page.map(\.lane) + Array(repeating: page.last?.lane ?? "", count: size - page.count)
            let rows = try connection.rows(statement, [key, SQLValue(now)] + names.map { .text($0) })
            let found = Dictionary(try rows.map { (try $0.text(0), $0) }) { first, _ in first }
            for lease in page {
                let task = try found[lease.lane].flatMap { try read($0, lease) } ?? (found[lease.lane] == nil ? nil : takeNext(lease))
                if let task { work.append((lease, task)) } else { try release(lease) }
            }
        }
        return work
    }

    /// The lane's next task that is due, its attempt counted; nil when there is none, or when brand or lane are paused. What cannot be
    /// read is taken out into a dead letter.
    package func takeNext(_ lease: LaneLease) throws -> QueueTask? {
        if lease.pool == .turn { try openInbox(of: lease.lane) }
        while let row = try row(Statements.startNext, SQLValue(now), .text(lease.lane)) {
            if let task = try read(row, lease) { return task }
        }
        return nil
    }

    /// What the holder of the lane has taken already; nil when nothing.
    func taken(_ lease: LaneLease) throws -> QueueTask? {
        try row(Statements.taken, .text(lease.lane)).flatMap { try read($0, lease) }
    }

    /// Nil for what cannot be read: it is in a dead letter then.
    private func read(_ row: Row, _ lease: LaneLease) throws -> QueueTask? {
        do {
            return QueueTask(
                id: try row.entity(1), kind: try row.text(2), payload: try JSONValue(stored: row.text(3)),
                priority: Priority(rank: try row.int(4)), attempts: try row.int(5), crashes: try row.int(6), createdAt: try row.time(7),
                node: try row.text(8), wasInterrupted: try row.flag(9), parkedSince: try row.optional(10) { $0.time })
        } catch let error as StorageError {
            try bury(row, lease, error)
            return nil
        }
    }

    private func bury(_ row: Row, _ lease: LaneLease, _ error: StorageError) throws {
        let shown = row.values.dropFirst().prefix(3).map { JSONValue.string(String($0.shown.prefix(2000))) }
        try insertDeadLetter(
            kind: lease.pool.deadLetterKind, reason: "unreadable",
            detail: ["error": .string("\(error)"), "lane": .string(lease.lane), "task": .array(Array(shown))], about: .init(id: nil),
            task: .null)
        try connection.run(Statements.delete, [key, .text(lease.lane), row.values[1]])
    }
}

extension LanePool {
    /// What a dead letter of this pool's work is called.
    var deadLetterKind: String { self == .desk ? "handover" : rawValue }
}

extension SQLValue {
    /// For a person who looks at a row that no program could read.
    fileprivate var shown: String {
        switch self {
        case .null: "null"
        case .integer(let value): "\(value)"
        case .real(let value): "\(value)"
        case .text(let value): value
        case .bytes(let value): Hex.encode(value)
        }
    }
}
