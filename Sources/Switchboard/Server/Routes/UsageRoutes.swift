import Conversation
import Gateway
import Storage

/// What a brand's models used and cost, with the brand's own key.
struct UsageRoutes: Sendable {
    let store: Store
    let registry: Registry
    let book: UsageBook

    var routes: [APIRoute] {
        [
            APIRoute(
                method: "GET", path: "/v1/usage", access: .brand(.read),
                summary: "Tokens and cost of models; from, to (dates or RFC 3339), by (day, session, model, function, instance)",
                handle: show)
        ]
    }

    @Sendable private func show(_ request: APIRequest) async throws -> ChannelResponse {
        let brand = try request.brand()
        let query = try UsageQuery(request.query, limit: request.limit(), now: store.clock.now)
        let today = try await book.today(brand)
        // One state of the store, so that the groups add up to the total.
        let (total, groups) = try await store.brand(brand).read { transaction in
            (
                try transaction.usage(in: query.period),
                try query.grouping.map { try transaction.usage(in: query.period, by: $0, after: query.after, limit: query.limit + 1) }
            )
        }
        var fields = total.fields
        fields["from"] = .string(query.period.from.description)
        fields["to"] = .string(query.period.to.description)
        fields["today"] = today.json(limit: registry.brand(brand)?.configuration.llm?.dailyTokens)
        if let grouping = query.grouping, let groups {
            let page = groups.prefix(query.limit)
            fields["by"] = .string(grouping.rawValue)
            fields["groups"] = .array(
                page.map { .object($0.sums.fields.merging([grouping.rawValue: JSONValue($0.key.text)]) { $1 }) })
            fields["next"] = groups.count > page.count ? .string(page.last?.key.cursor ?? "") : .null
        }
        return .json(.object(fields))
    }
}

extension UsageSums {
    /// Amounts are decimal strings, exact to the billionth: a number would be rounded by whoever reads it.
    var fields: [String: JSONValue] {
        [
            "calls": .integer(Int64(calls)), "failed_calls": .integer(Int64(failedCalls)),
            "estimated_calls": .integer(Int64(estimatedCalls)), "unpriced_calls": .integer(Int64(unpricedCalls)),
            "input_tokens": .integer(Int64(inputTokens)), "output_tokens": .integer(Int64(outputTokens)),
            "planned_tokens": .integer(Int64(plannedTokens)), "planned_tokens_used": .integer(Int64(usedOfPlannedTokens)),
            "cost": .object(costNanos.mapValues { .string(Self.decimal($0)) }),
        ]
    }

    /// Billionths as a decimal with at least two places.
    static func decimal(_ nanos: Int64) -> String {
        let (whole, rest) = nanos.magnitude.quotientAndRemainder(dividingBy: 1_000_000_000)
        var places = String(rest)
        places = String(repeating: "0", count: 9 - places.count) + places
        while places.count > 2, places.hasSuffix("0") { places.removeLast() }
        return "\(nanos < 0 ? "-" : "")\(whole).\(places)"
    }
}

extension UsageBook.Today {
    fileprivate func json(limit: Int?) -> JSONValue {
        [
            "date": .string(UsageKey.date(day)), "tokens": .integer(Int64(tokens)), "reserved_tokens": .integer(Int64(reserved)),
            "daily_tokens": limit.map { .integer(Int64($0)) } ?? .null,
            "remaining_tokens": limit.map { .integer(Int64(max(0, $0 - tokens - reserved))) } ?? .null,
        ]
    }
}
