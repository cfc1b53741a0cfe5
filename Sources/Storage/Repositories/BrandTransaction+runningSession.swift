package import Conversation

/// When a session goes on and when another begins.
extension BrandTransaction {
    /// The session that goes on; nil after a silence. A session never ends while work of its user is open.
    package func ongoingSession(instance: InstanceConfiguration, user: UserID) throws -> SessionRecord? {
        guard let session = try activeSession(instance: instance.id, user: user) else { return nil }
        let isOver = now - session.lastMessageAt > instance.sessionTimeout
        return try !isOver || hasOpenWork(user, instance: instance.id) ? session : nil
    }

    /// A new session; the one that is over ends with it. Both are recorded as events.
    package func startSession(instance: InstanceConfiguration, user: UserID) throws -> SessionID {
        try startSession(instance: instance, user: user) { try openSession(instance: instance.id, user: user) }
    }

    /// The same with a session that `open` stores.
    func startSession(instance: InstanceConfiguration, user: UserID, open: () throws -> SessionID) throws -> SessionID {
        if let over = try activeSession(instance: instance.id, user: user) {
            try endSession(over.id)
            try record(.sessionEnded, instance: instance.id, data: Self.reference(over.id, user))
        }
        let session = try open()
        try record(.sessionStarted, instance: instance.id, data: Self.reference(session, user))
        return session
    }

    /// The session that goes on, or a new one. To look does not prolong it; only a message does (`touchSession`).
    package func runningSession(instance: InstanceConfiguration, user: UserID) throws -> SessionID {
        try ongoingSession(instance: instance, user: user)?.id ?? startSession(instance: instance, user: user)
    }

    private static func reference(_ session: SessionID, _ user: UserID) -> JSONValue {
        ["session_id": .string(session.description), "user_id": .string(user.description)]
    }
}
