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
            try record(.update, instance: instance, dataText: eventText(update, sequence, session, user))
        }
        guard let screen else { return }
        for (sequence, update) in numbered {
            var body = screen.screen(update).json
            body["seq"] = .integer(sequence)
            try appendFeed(.update, body: body, instance: instance, user: user)
        }
    }

    private func eventText(_ update: StreamingUpdate, _ sequence: Int64, _ session: SessionID, _ user: UserID) -> String {
        let place: [String: JSONValue] = [
            "seq": .integer(sequence), "session_id": .string(session.description), "user_id": .string(user.description),
        ]
        return CanonicalJSON.text(.object((update.json.object ?? [:]).merging(place) { $1 }))
    }
}
