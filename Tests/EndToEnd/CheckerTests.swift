import Conversation
import Foundation
import Storage
import Testing

/// The checker itself: it is silent after a good day, and says each thing that is not as it should be.
@Suite(.serialized) struct CheckerTests {
    private let phone = "15550002222"

    @Test func theCheckerSaysWhatDoesNotHold() async throws {
        try await Rig.with(CrashTests.impatient) { rig in
            _ = try await rig.ask("book a haircut on Wednesday at 3pm", from: phone)
            let answered = try await rig.say("yes", from: phone)
            try await rig.drain()
            #expect(await rig.stopGateway() == 0)
            let checker = Checker(rig: rig)
            #expect(try await checker.faults(acknowledged: [answered], canaries: CrashTests.canaries) == [])

            #expect(try await checker.faults(acknowledged: ["wamid.never"]) == ["acknowledged message wamid.never is not in the store"])
            try await store(rig)
            try await files(rig)
        }
    }

    /// Each change of the store is found, and gone again when it is undone.
    private func store(_ rig: Rig) async throws {
        let changes: [(change: String, undo: String, says: String)] = [
            (
                "UPDATE messages SET outcome = NULL WHERE direction = 'in'",
                "UPDATE messages SET outcome = 'answered' WHERE direction = 'in'",
                "has no outcome"
            ),
            (
                "UPDATE messages SET outcome = 'dropped' WHERE direction = 'in'",
                "UPDATE messages SET outcome = 'answered' WHERE direction = 'in'", "without a reason"
            ),
            (
                "UPDATE messages SET outcome = 'dead_letter' WHERE direction = 'in'",
                "UPDATE messages SET outcome = 'answered' WHERE direction = 'in'", "has no dead letter"
            ),
            (
                "UPDATE messages SET send_state = 'queued' WHERE direction = 'out'",
                "UPDATE messages SET send_state = 'sent' WHERE direction = 'out'", "ended as queued"
            ),
            (
                "UPDATE messages SET send_state = 'unknown' WHERE direction = 'out'",
                "UPDATE messages SET send_state = 'sent' WHERE direction = 'out'", "has no dead letter"
            ),
            ("UPDATE actions SET state = 'queued'", "UPDATE actions SET state = 'done'", "is still queued"),
            ("UPDATE actions SET state = 'refused'", "UPDATE actions SET state = 'done'", "is refused with 1 effects"),
            ("UPDATE actions SET state = 'unknown'", "UPDATE actions SET state = 'done'", "is unknown without a dead letter"),
            (
                "UPDATE actions SET body = \(rig.isShared ? "\(rig.bytes("7b7d")) || body" : "CAST(x'7b7d' || body AS BLOB)")",
                "UPDATE actions SET body = \(rig.isShared ? "substr(body, 3)" : "CAST(substr(body, 3) AS BLOB)")",
                "other bytes than stored"
            ),
            (
                "UPDATE users SET profile_name = '\(CrashTests.canaries["jobs"] ?? "")'", "UPDATE users SET profile_name = NULL",
                "hold the canary of jobs"
            ),
            (
                """
                INSERT INTO tasks (brand_id, lane, task_id, kind, payload, priority, run_at, state, created_at, node)
                VALUES ('salon', 'turn:x', \(rig.bytes("00112233445566778899aabbccddeeff")), 'message', '{}', 1, 0, 'processing', 0, 'n')
                """, "DELETE FROM tasks", "task message of lane turn:x is processing"
            ),
            (
                "UPDATE messages SET turn_id = \(rig.bytes("00112233445566778899aabbccddeeff")) WHERE in_reply_to IS NOT NULL",
                """
                UPDATE messages SET turn_id = (SELECT a.turn_id FROM messages a WHERE a.provider_id = messages.in_reply_to AND a.direction = 'in')
                WHERE in_reply_to IS NOT NULL
                """, "was answered in more than one turn"
            ),
            ("UPDATE lanes SET held_by = 'node-1'", "UPDATE lanes SET held_by = NULL", "is held"),
        ]
        let ids = try await inbound(rig)
        #expect(ids.count == 2)
        for (change, undo, says) in changes {
            try await write(rig, change)
            let faults = try await Checker(rig: rig).faults(acknowledged: ids, canaries: CrashTests.canaries)
            #expect(!faults.isEmpty && faults.contains { $0.contains(says) }, "after \(change): \(faults)")
            try await write(rig, undo)
        }
        #expect(try await Checker(rig: rig).faults(acknowledged: ids, canaries: CrashTests.canaries) == [])
    }

    private func files(_ rig: Rig) async throws {
        for (file, says) in [("effects", "took effect 2 times"), ("ledger", "came with different bodies")] {
            let path = rig.folder + "/sandbox/\(file).jsonl"
            let before = try String(contentsOfFile: path, encoding: .utf8)
            let line = try #require(before.split(separator: "\n").first)
            let other = line.replacing(#""body_sha256":""#, with: #""body_sha256":"0"#)
            try (before + other + "\n").write(toFile: path, atomically: true, encoding: .utf8)
            let faults = try await Checker(rig: rig).faults(acknowledged: [])
            #expect(faults.contains { $0.contains(says) }, "\(file): \(faults)")
            try before.write(toFile: path, atomically: true, encoding: .utf8)
        }
    }

    private func write(_ rig: Rig, _ statement: String) async throws {
        try await rig.withStore { database in _ = try await database.write(.installation) { try $0.run(SQL(statement), []) } }
    }

    private func inbound(_ rig: Rig) async throws -> Set<String> {
        try await rig.withStore { database in
            try await database.read(.installation) { connection in
                Set(try connection.rows(SQL("SELECT provider_id FROM messages WHERE direction = 'in'"), []).map { try $0.text(0) })
            }
        }
    }
}
