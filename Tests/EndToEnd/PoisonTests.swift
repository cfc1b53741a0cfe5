import Conversation
import Foundation
import Storage
import Testing

/// A message whose handling kills the process: it may take the others down with it twice, and then itself alone.
@Suite(.serialized) struct PoisonTests {
    private static let words = "the words that kill"

    @Test func aMessageThatCrashesTheProcessIsTakenOutAndTheOthersLoseNothing() async throws {
        var options = CrashTests.impatient
        options.startsGateway = false
        try await Rig.with(options) { rig in
            try await rig.startGateway(["SWITCHBOARD_CRASH_ON_TEXT": Self.words])
            let supervisor = Supervisor(rig: rig, environment: ["SWITCHBOARD_CRASH_ON_TEXT": Self.words])
            let watching = Task { try await supervisor.run() }
            defer { watching.cancel() }
            let poison = Load.Customer(phone: "15559990000", name: "Customer", lines: ["hello, \(Self.words)", "list my bookings"])
            let others = (0..<20).map { Load.Customer.numbered($0, canaries: CrashTests.canaries) }
            let load = Load(rig)
            try await load.run(others + [poison])
            try await rig.drain(within: .seconds(60))
            watching.cancel()
            let deaths = try await watching.value
            #expect(deaths == 3)
            #expect(await rig.stopGateway() == 0)
            let faults = try await rig.checked(acknowledged: load.acknowledged, canaries: CrashTests.canaries)
            #expect(faults.isEmpty, "\(faults.prefix(10).joined(separator: "\n"))")
            #expect(load.acknowledged.count == (others + [poison]).reduce(0) { $0 + $1.lines.count })
            try await letters(rig)
        }
    }

    /// One dead letter, about the message that killed; what came after it in its conversation went to people.
    private func letters(_ rig: Rig) async throws {
        let database = try await rig.openStore()
        let words = StoreTable.Column(name: "content").holds(Self.words, database.dialect)
        let (letters, outcomes) = try await database.read(.installation) { connection in
            let letters = try connection.rows(SQL("SELECT kind, reason, state FROM dead_letters WHERE kind = 'turn'"), []).map { row in
                [try row.text(0), try row.text(1), try row.text(2)]
            }
            let outcomes = try connection.rows(
                SQL(
                    """
                    SELECT m.outcome FROM messages m WHERE m.direction = 'in' AND m.user_id = (SELECT user_id FROM messages
                        WHERE direction = 'in' AND \(words)) ORDER BY m.message_id
                    """), []
            ).map { try $0.text(0) }
            return (letters, outcomes)
        }
        await database.close()
        #expect(letters == [["turn", "crashed", "open"]])
        #expect(outcomes == ["dead_letter", "forwarded"])
    }

    /// Starts the gateway again whenever it died, as a service manager would.
    private struct Supervisor {
        let rig: Rig
        let environment: [String: String]

        /// Until cancelled; how often it died. Throws when it does not come up again.
        func run() async throws -> Int {
            var deaths = 0
            while let process = rig.gateway {
                while process.isRunning {
                    do { try await Task.sleep(for: .milliseconds(10)) } catch { return deaths }
                }
                deaths += 1
                guard deaths < 10 else { throw Timeout(description: "the gateway dies again and again") }
                try await rig.startGateway(environment, waitUntilReady: false)
            }
            return deaths
        }
    }
}
