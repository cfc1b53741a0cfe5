@_spi(Policy) package import Conversation

/// The last word before a message leaves. Nothing can be sent without the permit this makes.
package struct SendPolicy: Sendable {
    package init() {}

    package enum Verdict: Sendable {
        case allowed(SendPermit)
        case denied(ChannelError)
    }

    package func decide(
        _ content: OutboundContent, message: MessageID, brand: BrandID, channel: any Channel, lastInboundAt: Timestamp?, now: Timestamp
    ) -> Verdict {
        if let refusal = channel.refusal(of: content, lastInboundAt: lastInboundAt, now: now) { return .denied(refusal) }
        return .allowed(SendPermit(brand: brand, message: message))
    }
}
