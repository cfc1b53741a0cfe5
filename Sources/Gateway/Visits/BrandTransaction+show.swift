internal import Conversation
internal import Storage

extension BrandTransaction {
    /// Adds to a session's updates and, where the conversation keeps a feed, to that: `StreamingUpdate.json` with its `seq`.
    func show(_ updates: [StreamingUpdate], session: SessionID, instance: InstanceID, user: UserID, inFeed keepsFeed: Bool) throws {
        let numbered = try append(updates, session: session)
        guard keepsFeed else { return }
        for (sequence, update) in numbered {
            var body = update.json
            body["seq"] = .integer(sequence)
            try appendFeed(.update, body: body, instance: instance, user: user)
        }
    }
}
