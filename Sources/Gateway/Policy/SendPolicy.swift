@_spi(Policy) package import Conversation

/// The last word before a message leaves. Nothing can be sent without the permit this makes.
package struct SendPolicy: Sendable {
    /// The code of a refusal because the customer wants no more of a kind.
    package static let optedOut = "opted_out"

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
            return .denied(ChannelError(code: Self.optedOut, message: "the customer wants no marketing", reaction: .stopContact))
        }
        if let refusal = channel.refusal(of: content, lastInboundAt: lastInboundAt, now: now) { return .denied(refusal) }
        return .allowed(SendPermit(brand: brand, message: message))
    }
}
