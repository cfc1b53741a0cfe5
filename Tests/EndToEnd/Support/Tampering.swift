/// A change of the store that breaks a promise, and how it is undone.
struct Tampering {
    let change: String
    let undo: String
    let says: String
    /// Whether it is fine as long as work goes on.
    var isMerelyOpen = false

    private static let answeredAgain = "UPDATE messages SET outcome = 'answered' WHERE direction = 'in'"
    private static let sentAgain = "UPDATE messages SET send_state = 'sent' WHERE direction = 'out'"
    private static let doneAgain = "UPDATE actions SET state = 'done'"
    private static let ownTurns = """
        UPDATE messages SET turn_id = (SELECT a.turn_id FROM messages a WHERE a.provider_id = messages.in_reply_to AND a.direction = 'in')
        WHERE in_reply_to IS NOT NULL
        """

    static func all(_ rig: Rig, _ answered: String) -> [Tampering] {
        let id = rig.bytes("00112233445566778899aabbccddeeff")
        return messages(answered, id, last: rig.bytes("ffeeddccbbaa99887766554433221100")) + actions(rig) + [
            Tampering(
                change: "UPDATE users SET profile_name = '\(CrashTests.canaries["jobs"] ?? "")'",
                undo: "UPDATE users SET profile_name = NULL", says: "brands-apart: 1 rows of users.profile_name hold the canary of jobs"),
            Tampering(
                change: """
                    INSERT INTO tasks (brand_id, lane, task_id, kind, payload, priority, run_at, state, created_at, node)
                    VALUES ('salon', 'turn:x', \(id), 'message', '{}', 1, 0, 'processing', 0, 'n')
                    """, undo: "DELETE FROM tasks", says: "settled: task message of lane turn:x is processing", isMerelyOpen: true),
            Tampering(
                change: "UPDATE lanes SET held_by = 'node-1'", undo: "UPDATE lanes SET held_by = NULL", says: "is held", isMerelyOpen: true),
            Tampering(
                change: "UPDATE lanes SET inbox = \(id)", undo: "UPDATE lanes SET inbox = NULL",
                says: "settled: a message waits in the inbox of lane ", isMerelyOpen: true),
        ]
    }

    private static func messages(_ answered: String, _ id: String, last: String) -> [Tampering] {
        [
            Tampering(
                change: "UPDATE messages SET provider_id = 'other' WHERE provider_id = '\(answered)'",
                undo: "UPDATE messages SET provider_id = '\(answered)' WHERE provider_id = 'other'",
                says: "outcome: acknowledged message \(answered) is not in the store"),
            Tampering(
                change: "UPDATE messages SET brand_id = 'jobs' WHERE provider_id = '\(answered)' AND direction = 'in'",
                undo: "UPDATE messages SET brand_id = 'salon' WHERE provider_id = '\(answered)' AND direction = 'in'",
                says: "brands-apart: acknowledged message \(answered) was written to salon and is stored under jobs"),
            Tampering(
                change: """
                    INSERT INTO messages
                        (brand_id, session_id, message_id, direction, instance_id, user_id, provider_id, content, sent_at, recorded_at, outcome)
                    SELECT 'jobs', session_id, message_id, direction, instance_id, user_id, provider_id, content, sent_at, recorded_at, outcome
                    FROM messages WHERE provider_id = '\(answered)' AND direction = 'in'
                    """,
                undo: "DELETE FROM messages WHERE brand_id = 'jobs' AND provider_id = '\(answered)'",
                says: "brands-apart: acknowledged message \(answered) was written to salon and is stored under jobs and salon"),
            Tampering(
                change: "UPDATE messages SET outcome = NULL WHERE direction = 'in'", undo: answeredAgain, says: "has no outcome",
                isMerelyOpen: true),
            Tampering(
                change: "UPDATE messages SET outcome = 'dropped' WHERE direction = 'in'", undo: answeredAgain, says: "without a reason"),
            Tampering(
                change: "UPDATE messages SET outcome = 'vanished' WHERE direction = 'in'", undo: answeredAgain, says: "ended as vanished"),
            Tampering(
                change: "UPDATE messages SET outcome = 'dead_letter' WHERE direction = 'in'", undo: answeredAgain,
                says: "has no dead letter"),
            Tampering(
                change: "UPDATE messages SET send_state = 'queued' WHERE direction = 'out'", undo: sentAgain, says: "ended as queued",
                isMerelyOpen: true),
            Tampering(
                change: "UPDATE messages SET send_state = 'unknown' WHERE direction = 'out'", undo: sentAgain,
                says: "reply: the unknown reply"),
            Tampering(
                change: "UPDATE messages SET turn_id = \(id) WHERE in_reply_to IS NOT NULL", undo: ownTurns,
                says: "was answered in more than one turn"),
            Tampering(
                change: "UPDATE messages SET turn_id = \(last) WHERE \(first(answered))", undo: ownTurn(answered),
                says: "order: message \(answered) had its turn before"),
            Tampering(
                change: """
                    UPDATE messages SET turn_id = (SELECT a.turn_id FROM messages a WHERE a.provider_id = '\(answered)' AND a.direction = 'in')
                    WHERE \(first(answered))
                    """, undo: ownTurn(answered), says: "answered 2 messages"),
        ]
    }

    /// The message before that one.
    private static func first(_ answered: String) -> String { "direction = 'in' AND provider_id <> '\(answered)'" }

    private static func ownTurn(_ answered: String) -> String {
        """
        UPDATE messages SET turn_id = (SELECT a.turn_id FROM messages a WHERE a.in_reply_to = messages.provider_id LIMIT 1)
        WHERE \(first(answered))
        """
    }

    private static func actions(_ rig: Rig) -> [Tampering] {
        [
            Tampering(change: "UPDATE actions SET state = 'queued'", undo: doneAgain, says: "is still queued", isMerelyOpen: true),
            Tampering(change: "UPDATE actions SET state = 'refused'", undo: doneAgain, says: "one-effect: action"),
            Tampering(change: "UPDATE actions SET state = 'unknown'", undo: doneAgain, says: "is unknown without a dead letter"),
            Tampering(
                change: "UPDATE actions SET body = \(rig.isShared ? "\(rig.bytes("7b7d")) || body" : "CAST(x'7b7d' || body AS BLOB)")",
                undo: "UPDATE actions SET body = \(rig.isShared ? "substr(body, 3)" : "CAST(substr(body, 3) AS BLOB)")",
                says: "same-bytes: action"),
        ]
    }
}
