import Conversation

/// `policies.yaml`: how much one customer, instance or brand may send.
struct PoliciesDocument {
    let reading: BrandReading

    func read() -> Policies {
        var limits = RateLimits()
        let document = reading.document("policies.yaml").root(required: false)?.members(["limits"])
        guard let members = document?["limits"]?.members(["user_per_minute", "instance_per_minute", "brand_per_minute"]) else {
            return Policies(limits: limits)
        }
        if let rate = members["user_per_minute"]?.integer(1...100_000_000) { limits.userPerMinute = rate }
        if let rate = members["instance_per_minute"]?.integer(1...100_000_000) { limits.instancePerMinute = rate }
        if let rate = members["brand_per_minute"]?.integer(1...100_000_000) { limits.brandPerMinute = rate }
        return Policies(limits: limits)
    }
}
