internal import Brain
internal import Conversation
internal import Storage

extension BrandTransaction {
    /// Adds to a session's updates and, where somebody may look at the conversation, translated to its feed, each with its `seq`.
    func show(
        _ updates: [StreamingUpdate], session: SessionID, instance: InstanceID, user: UserID, on screen: UpdateTranslator?
    ) throws {
        let numbered = try append(updates, session: session)
        guard let screen else { return }
        for (sequence, update) in numbered {
            var body = screen.screen(update).json
            body["seq"] = .integer(sequence)
            try appendFeed(.update, body: body, instance: instance, user: user)
        }
    }
}
