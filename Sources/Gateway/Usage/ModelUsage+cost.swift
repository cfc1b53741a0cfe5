internal import Conversation

extension ModelUsage {
    /// No single call is larger: what an endpoint reports beyond this is a mistake that must not spoil every sum.
    private static let mostTokens = 100_000_000
    /// A million of the currency, in billionths.
    private static let mostNanos = 1_000_000_000_000_000

    /// The same call with numbers and texts that the store can keep.
    var bounded: ModelUsage {
        var usage = self
        usage.inputTokens = min(max(inputTokens, 0), Self.mostTokens)
        usage.outputTokens = min(max(outputTokens, 0), Self.mostTokens)
        usage.plannedTokens = plannedTokens.map { min(max($0, 0), Self.mostTokens) }
        usage.price = price.flatMap { $0.isUsable ? $0 : nil }
        usage.model = String(model.unicodeScalars.filter { $0.value >= 32 }.prefix(200).map(Character.init))
        return usage
    }

    /// What the call cost in billionths of the currency, at the price it was made at; nil without a price.
    var costNanos: Int64? {
        guard let price else { return nil }
        let nanos = 1_000 * (Double(inputTokens) * price.inputPerMillion + Double(outputTokens) * price.outputPerMillion)
        guard nanos < Double(Self.mostNanos) else { return Int64(Self.mostNanos) }
        return price.nanos(input: inputTokens, output: outputTokens)
    }
}

extension ModelPrice {
    /// Amounts that can be paid.
    fileprivate var isUsable: Bool {
        [inputPerMillion, outputPerMillion].allSatisfy { $0.isFinite && $0 >= 0 }
    }
}
