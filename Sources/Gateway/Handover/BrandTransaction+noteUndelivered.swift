internal import Conversation
internal import Storage

extension BrandTransaction {
    /// Tells the people when what one of them wrote did not reach the customer.
    func noteUndelivered(_ message: MessageRecord, _ error: ChannelError) throws {
        guard message.context?["author"] == "agent",
            let handover = try message.context?["handover_id"]?.string.flatMap({ HandoverID($0) }).flatMap({ try handover($0) })
        else { return }
        let text = OutboundContent(json: message.content)?.plainText ?? ""
        try note("This answer did not reach the customer (\(error.message)): \(text)", in: handover)
    }
}
