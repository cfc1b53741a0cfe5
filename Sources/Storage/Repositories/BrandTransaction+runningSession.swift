package import Conversation

extension BrandTransaction {
    /// The running session of a conversation, or a new one after a silence; a session never ends while an action of its user is open.
    /// Records what begins and ends. `isMessage`: somebody wrote, which moves the end of the session.
    package func runningSession(
        instance: InstanceConfiguration, user: UserID, isMessage: Bool = true
    ) throws -> SessionID {
        if let session = try activeSession(instance: instance.id, user: user) {
            let isOver = now - session.lastMessageAt > instance.sessionTimeout
            if try !isOver || hasRunningAction(user) {
                if isMessage { try touchSession(session) }
                return session.id
            }
            try endSession(session.id)
            try record(.sessionEnded, instance: instance.id, data: Self.reference(session.id, user))
        }
        let session = try openSession(instance: instance.id, user: user)
        try record(.sessionStarted, instance: instance.id, data: Self.reference(session, user))
        return session
    }

    private static func reference(_ session: SessionID, _ user: UserID) -> JSONValue {
        ["session_id": .string(session.description), "user_id": .string(user.description)]
    }
}
