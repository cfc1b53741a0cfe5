internal import Brain
internal import Conversation
internal import Storage

extension BrandTransaction {
    /// Adds to a session's updates, to the outbox and, where somebody may look at the conversation, translated to its feed, each with its
    /// `seq`.
    func show(
        _ updates: [StreamingUpdate], session: SessionID, instance: InstanceID, user: UserID, on screen: UpdateTranslator?
    ) throws {
        let numbered = try append(updates, session: session)
        for (sequence, update) in numbered {
            let shown = update.json.object ?? [:]
            let place: [String: JSONValue] = [
                "seq": .integer(sequence), "session_id": .string(session.description), "user_id": .string(user.description),
            ]
            try record(.update, instance: instance, dataText: CanonicalJSON.text(.object(shown.merging(place) { $1 })))
        }
        guard let screen else { return }
        for (sequence, update) in numbered {
            var body = screen.screen(update).json
            body["seq"] = .integer(sequence)
            try appendFeed(.update, body: body, instance: instance, user: user)
        }
    }
}
