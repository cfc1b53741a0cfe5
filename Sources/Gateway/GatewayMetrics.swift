package import Conversation
import Metrics
package import Storage
import Synchronization

/// Counters and timers of the data path. Labels never carry anything a customer wrote.
package struct GatewayMetrics: Sendable {
    /// Made once for each channel: looking a counter up costs more than counting.
    private struct IntakeCounters {
        let accepted, duplicates, ignored, quarantined: Counter

        init(_ channel: ChannelName) {
            func counter(_ result: String) -> Counter {
                Counter(label: "switchboard_intake_items_total", dimensions: [("channel", channel.rawValue), ("result", result)])
            }
            (accepted, duplicates) = (counter("accepted"), counter("duplicate"))
            (ignored, quarantined) = (counter("ignored"), counter("quarantined"))
        }
    }

    private let intake = IntakeCounterTable()

    private final class IntakeCounterTable: Sendable {
        private let counters = Mutex<[ChannelName: IntakeCounters]>([:])

        func of(_ channel: ChannelName) -> IntakeCounters {
            counters.withLock { counters in
                if let known = counters[channel] { return known }
                let new = IntakeCounters(channel)
                counters[channel] = new
                return new
            }
        }
    }

    package init() {}

    package func received(channel: ChannelName, _ receipt: IntakeReceipt) {
        let counters = intake.of(channel)
        if receipt.accepted > 0 { counters.accepted.increment(by: receipt.accepted) }
        if receipt.duplicates > 0 { counters.duplicates.increment(by: receipt.duplicates) }
        if receipt.ignored > 0 { counters.ignored.increment(by: receipt.ignored) }
        if receipt.quarantined > 0 { counters.quarantined.increment(by: receipt.quarantined) }
    }

    package func turn(brand: BrandID, event: String, seconds: Double) {
        Metrics.Timer(label: "switchboard_turn_seconds", dimensions: [("brand", brand.rawValue), ("event", event)]).recordSeconds(seconds)
    }

    package func action(brand: BrandID, action: String, outcome: String, seconds: Double) {
        Metrics.Timer(
            label: "switchboard_action_seconds", dimensions: [("brand", brand.rawValue), ("action", action), ("outcome", outcome)]
        )
        .recordSeconds(seconds)
    }

    /// Whether calls to a brand's systems wait because most of them failed: 1, else 0.
    package func breaker(brand: BrandID, isOpen: Bool) {
        Meter(label: "switchboard_breaker_open", dimensions: [("brand", brand.rawValue)]).set(isOpen ? 1 : 0)
    }

    /// Calls that wait for a brand's systems to come back.
    package func parked(brand: BrandID, _ tasks: Int) {
        Meter(label: "switchboard_parked_tasks", dimensions: [("brand", brand.rawValue)]).set(tasks)
    }

    package func delivery(brand: BrandID, outcome: String) {
        Counter(label: "switchboard_deliveries_total", dimensions: [("brand", brand.rawValue), ("outcome", outcome)]).increment()
    }

    /// A message that a brand wanted sent outside a turn: `accepted`, `duplicate`, or why it was not.
    package func command(brand: BrandID, origin: SendDesk.Origin, outcome: String) {
        Counter(
            label: "switchboard_sends_total",
            dimensions: [("brand", brand.rawValue), ("by", origin.rawValue), ("outcome", outcome)]
        ).increment()
    }

    /// Counts every dead letter that the store keeps, whoever made it, once its commit stands.
    package func countDeadLetters(of store: Store) {
        store.onDeadLetters { brand, kinds in
            for kind in kinds {
                Counter(label: "switchboard_dead_letters_total", dimensions: [("brand", brand.rawValue), ("kind", kind)]).increment()
            }
        }
    }

    /// Counts what happens to handovers, by reason, and how long customers waited for a person, once the commits stand.
    package func countHandovers(of store: Store) {
        store.onHandovers { brand, news in
            for item in news {
                let about = [("brand", brand.rawValue), ("reason", item.reason.rawValue)]
                Counter(label: "switchboard_handovers_total", dimensions: about + [("event", item.kind.rawValue)]).increment()
                guard item.kind == .answered else { continue }
                Metrics.Timer(label: "switchboard_handover_wait_seconds", dimensions: about).recordSeconds(item.after.seconds)
            }
        }
    }

    package func rateLimited(brand: BrandID, bucket: String) {
        Counter(label: "switchboard_rate_limited_total", dimensions: [("brand", brand.rawValue), ("bucket", bucket)]).increment()
    }

    /// Counts what a policy said; a message, call or reply that no policy speaks of is not counted.
    package func policy(brand: BrandID, point: PolicyPoint, _ verdict: PolicyVerdict) {
        Counter(
            label: "switchboard_policy_verdicts_total",
            dimensions: [
                ("brand", brand.rawValue), ("point", point.rawValue), ("verdict", verdict.result.rawValue), ("rule", verdict.rule),
            ]
        ).increment()
    }

    /// One call of a model, once it is stored.
    package func modelCall(_ usage: ModelUsage, costNanos: Int64?) {
        let labels = [("brand", usage.subject.brand.rawValue), ("model", usage.model), ("function", usage.function.rawValue)]
        Counter(label: "switchboard_model_calls_total", dimensions: labels + [("outcome", usage.failure?.rawValue ?? "answered")])
            .increment()
        for (direction, tokens) in [("input", usage.inputTokens), ("output", usage.outputTokens)] where tokens > 0 {
            Counter(label: "switchboard_model_tokens_total", dimensions: labels + [("direction", direction)]).increment(by: tokens)
        }
        guard let costNanos, costNanos > 0, let currency = usage.price?.currency else { return }
        FloatingPointCounter(
            label: "switchboard_model_cost_total", dimensions: [("brand", usage.subject.brand.rawValue), ("currency", currency)]
        ).increment(by: Double(costNanos) / 1e9)
    }

    /// Configurations read anew while running; incomplete when some of it was refused.
    package func reloaded(isComplete: Bool) {
        Counter(label: "switchboard_configuration_reloads_total", dimensions: [("result", isComplete ? "complete" : "refused")]).increment()
    }

    /// A call that could neither be stored nor kept.
    package func usageLost(brand: BrandID) {
        Counter(label: "switchboard_model_usage_lost_total", dimensions: [("brand", brand.rawValue)]).increment()
    }
}
