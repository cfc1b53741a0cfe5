package import Conversation

extension WebChannel {
    /// Says that the part may stand in the conversation; the gateway adds it to the feed in the transaction that notes it as sent. No I/O.
    package func send(_ message: OutboundPart, permit: SendPermit) async -> SendOutcome {
        guard permit.brand == message.instance.brand, permit.message == message.reference else {
            return .refused(ChannelError(code: "permit_mismatch", message: "the permit is for another message", reaction: .page))
        }
        if case .template = message.content { return .refused(Self.noTemplates) }
        return .sent(providerMessageID: message.reference.description)
    }

    /// Shows "typing" to whoever looks at the conversation of the message's writer.
    package func signalReading(providerMessageID: String, instance: InstanceConfiguration) async {
        guard let user = WebEvent.user(ofProviderID: providerMessageID) else { return }
        feed.typing(instance: instance, user: user)
    }

    /// Reads what `WebEvent` wrote.
    package func items(replaying body: [UInt8], app: String, account: String?) -> [WebhookItem] {
        do {
            let event = try WebEvent(body)
            return [event.item]
        } catch {
            return [.unreadable(reason: "\(error)", body: body, account.map { Self.address(of: InstanceID(rawValue: $0)) })]
        }
    }
}
