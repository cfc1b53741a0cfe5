package import Conversation
import Metrics

/// Counters and timers of the data path. Labels never carry anything a customer wrote.
package struct GatewayMetrics: Sendable {
    package init() {}

    package func received(channel: ChannelName, _ receipt: IntakeReceipt) {
        let counts = [
            ("accepted", receipt.accepted), ("duplicate", receipt.duplicates), ("ignored", receipt.ignored),
            ("quarantined", receipt.quarantined),
        ]
        for (result, count) in counts where count > 0 {
            Counter(label: "switchboard_intake_items_total", dimensions: [("channel", channel.rawValue), ("result", result)])
                .increment(by: count)
        }
    }

    package func turn(brand: BrandID, event: String, seconds: Double) {
        Metrics.Timer(label: "switchboard_turn_seconds", dimensions: [("brand", brand.rawValue), ("event", event)]).recordSeconds(seconds)
    }

    package func action(brand: BrandID, action: String, outcome: String, seconds: Double) {
        Metrics.Timer(label: "switchboard_action_seconds", dimensions: [("brand", brand.rawValue), ("action", action), ("outcome", outcome)])
            .recordSeconds(seconds)
    }

    package func delivery(brand: BrandID, outcome: String) {
        Counter(label: "switchboard_deliveries_total", dimensions: [("brand", brand.rawValue), ("outcome", outcome)]).increment()
    }

    package func deadLetter(brand: BrandID, kind: String) {
        Counter(label: "switchboard_dead_letters_total", dimensions: [("brand", brand.rawValue), ("kind", kind)]).increment()
    }

    package func rateLimited(brand: BrandID, bucket: String) {
        Counter(label: "switchboard_rate_limited_total", dimensions: [("brand", brand.rawValue), ("bucket", bucket)]).increment()
    }
}
