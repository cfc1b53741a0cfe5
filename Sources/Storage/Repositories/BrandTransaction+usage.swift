package import Conversation

/// What models used. A row is written once and never changed: what a call cost is settled when it is made.
extension BrandTransaction {
    private enum Statements {
        static let insert = SQL(
            """
            INSERT INTO usage (brand_id, usage_id, instance_id, session_id, user_id, function, model, input_tokens, output_tokens,
                is_estimated, planned_tokens, price, currency, cost_nanos, failure, at, duration_ms)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
            ON CONFLICT (brand_id, usage_id) DO NOTHING
            """)
        static let tokens = SQL(
            "SELECT coalesce(sum(input_tokens + output_tokens), 0) FROM usage WHERE brand_id = $1 AND at >= $2 AND at < $3")
        static let total = SQL("SELECT \(sums) FROM usage WHERE brand_id = $1 AND at >= $2 AND at < $3 GROUP BY currency")
        static let ofSession = SQL("SELECT \(sums) FROM usage WHERE brand_id = $1 AND session_id = $2 GROUP BY currency")
        static let byDay = grouped("at / 86400000", after: "$4")
        static let bySession = grouped("coalesce(session_id, $6)", after: "$4")
        static let byModel = grouped("model", after: "$4")
        static let byFunction = grouped("function", after: "$4")
        static let byInstance = grouped("instance_id", after: "$4")

        /// Failures of calls that were never made: they are on record with their reason, and are no calls.
        private static let skipped = [ModelFailure.Kind.overBudget, .busy, .paused].map { "'\($0.rawValue)'" }.joined(separator: ", ")
        private static let sums = """
            currency, sum(CASE WHEN coalesce(failure, '') IN (\(skipped)) THEN 0 ELSE 1 END), \
            sum(CASE WHEN coalesce(failure, '') IN ('', \(skipped)) THEN 0 ELSE 1 END), sum(input_tokens), sum(output_tokens), \
            coalesce(sum(planned_tokens), 0), sum(CASE WHEN planned_tokens IS NULL THEN 0 ELSE input_tokens + output_tokens END), \
            sum(is_estimated), sum(CASE WHEN currency IS NULL AND input_tokens + output_tokens > 0 THEN 1 ELSE 0 END), \
            coalesce(sum(cost_nanos), 0)
            """

        /// The groups after one of them, in order, each once for every currency in it. The comparison stands before the look for NULL, so
        /// that PostgreSQL learns the type of the parameter from it.
        private static func grouped(_ key: String, after: String) -> SQL {
            let range = "FROM usage WHERE brand_id = $1 AND at >= $2 AND at < $3"
            return SQL(
                """
                SELECT \(sums), \(key) AS part \(range) AND \(key) IN
                    (SELECT DISTINCT \(key) \(range) AND (\(key) > \(after) OR \(after) IS NULL) ORDER BY 1 LIMIT $5)
                GROUP BY part, currency ORDER BY part
                """)
        }
    }

    /// Stores one call; false when it was stored before: then nothing changes. `costNanos` is nil when the call had no price.
    package func insertUsage(_ usage: ModelUsage, costNanos: Int64?) throws -> Bool {
        try run(
            Statements.insert, SQLValue(usage.id), SQLValue(usage.subject.instance), SQLValue(usage.subject.session),
            SQLValue(usage.subject.user), .text(usage.function.rawValue), .text(usage.model), SQLValue(usage.inputTokens),
            SQLValue(usage.outputTokens), SQLValue(usage.isEstimated), usage.plannedTokens.map { SQLValue($0) } ?? .null,
            SQLValue(try usage.price.map { try StoredJSON.encode($0) }), SQLValue(usage.price?.currency),
            costNanos.map { .integer($0) } ?? .null, SQLValue(usage.failure?.rawValue), SQLValue(usage.at),
            .integer(usage.duration.milliseconds)) == 1
    }

    /// Tokens, in and out together, of the calls made in that time.
    package func tokensUsed(in period: UsagePeriod) throws -> Int {
        try row(Statements.tokens, SQLValue(period.from), SQLValue(period.to))?.int(0) ?? 0
    }

    package func usage(in period: UsagePeriod) throws -> UsageSums {
        try rows(Statements.total, SQLValue(period.from), SQLValue(period.to)).reduce(into: UsageSums()) { $0.add(try Self.sums($1)) }
    }

    package func usage(of session: SessionID) throws -> UsageSums {
        try rows(Statements.ofSession, SQLValue(session)).reduce(into: UsageSums()) { $0.add(try Self.sums($1)) }
    }

    /// At most `limit` groups that follow `after`, in ascending order of their keys. Calls of no session come first among sessions.
    package func usage(
        in period: UsagePeriod, by grouping: UsageGrouping, after: UsageKey?, limit: Int
    ) throws -> [(key: UsageKey, sums: UsageSums)] {
        let (from, to, count) = (SQLValue(period.from), SQLValue(period.to), SQLValue(limit))
        let last = Self.value(after)
        let rows =
            switch grouping {
            case .day: try rows(Statements.byDay, from, to, last, count)
            case .session: try rows(Statements.bySession, from, to, last, count, Self.noSession)
            case .model: try rows(Statements.byModel, from, to, last, count)
            case .function: try rows(Statements.byFunction, from, to, last, count)
            case .instance: try rows(Statements.byInstance, from, to, last, count)
            }
        var groups: [(key: UsageKey, sums: UsageSums)] = []
        for row in rows {
            let key = try Self.key(row, grouping)
            if groups.last?.key != key { groups.append((key, UsageSums())) }
            groups[groups.count - 1].sums.add(try Self.sums(row))
        }
        return groups
    }

    /// Stands for calls that belong to no session: smaller than every id.
    private static let noSession = SQLValue.bytes([UInt8](repeating: 0, count: 16))

    private static func value(_ key: UsageKey?) -> SQLValue {
        switch key {
        case nil: .null
        case .day(let day): .integer(day)
        case .session(let session): session.map { SQLValue($0) } ?? noSession
        case .name(let name): .text(name)
        }
    }

    private static func key(_ row: Row, _ grouping: UsageGrouping) throws -> UsageKey {
        switch grouping {
        case .day: .day(try row.integer(10))
        case .session: .session(row.values[10] == noSession ? nil : try row.entity(10))
        case .model, .function, .instance: .name(try row.text(10))
        }
    }

    private static func sums(_ row: Row) throws -> UsageSums {
        var sums = UsageSums()
        (sums.calls, sums.failedCalls) = (try row.int(1), try row.int(2))
        (sums.inputTokens, sums.outputTokens) = (try row.int(3), try row.int(4))
        (sums.plannedTokens, sums.usedOfPlannedTokens) = (try row.int(5), try row.int(6))
        (sums.estimatedCalls, sums.unpricedCalls) = (try row.int(7), try row.int(8))
        if !row.isNull(0) { sums.costNanos = [try row.text(0): try row.integer(9)] }
        return sums
    }
}
