@_spi(Policy) package import Conversation

/// The last word before a message leaves. Nothing can be sent without the permit this makes.
package struct SendPolicy: Sendable {
    package init() {}

    package enum Verdict: Sendable {
        case allowed(SendPermit)
        case denied(ChannelError)
    }

    /// `isOptedOut`: the message is of a kind that the customer wants no more of.
    package func decide(
        _ content: OutboundContent, message: MessageID, brand: BrandID, channel: any Channel, lastInboundAt: Timestamp?,
        isOptedOut: Bool, now: Timestamp
    ) -> Verdict {
        if isOptedOut {
            return .denied(ChannelError(code: "opted_out", message: "the customer wants no marketing", reaction: .stopContact))
        }
        if let refusal = channel.refusal(of: content, lastInboundAt: lastInboundAt, now: now) { return .denied(refusal) }
        return .allowed(SendPermit(brand: brand, message: message))
    }
}
