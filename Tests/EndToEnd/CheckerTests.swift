import Conversation
import Foundation
import Storage
import TestKit
import Testing

/// The checker itself: it is silent after a good day, says each thing that is not as it should be, and looks at nothing that it cannot trust.
@Suite(.serialized) struct CheckerTests {
    private let phone = "15550002222"

    @Test func theCheckerSaysWhatDoesNotHold() async throws {
        try await Rig.with(CrashTests.impatient) { rig in
            let answered = try await goodDay(rig)
            #expect(try await rig.checked(acknowledged: [answered], canaries: CrashTests.canaries) == [])
            let praise = try await rig.check()
            #expect(praise.code == 0 && praise.out.hasPrefix("nothing to complain of: 2 messages (2 known to be acknowledged), "))
            #expect(praise.out.hasSuffix(" 1 actions, 1 calls with 1 effects\n"), "\(praise)")

            #expect(
                try await rig.checked(acknowledged: ["wamid.never"]) == ["outcome: acknowledged message wamid.never is not in the store"])
            try await store(rig, answered)
            try await files(rig)
            try await redriven(rig)
            #expect(try await rig.checked(canaries: CrashTests.canaries) == [])
        }
    }

    /// A booking, and a gateway that is at rest and stopped afterwards; the id of the confirmation.
    private func goodDay(_ rig: Rig) async throws -> String {
        _ = try await rig.ask("book a haircut on Wednesday at 3pm", from: phone)
        let answered = try await rig.say("yes", from: phone)
        try await rig.drain()
        #expect(await rig.stopGateway() == 0)
        return answered
    }

    /// Each change of the store is found, and gone again when it is undone.
    private func store(_ rig: Rig, _ answered: String) async throws {
        for tampering in Tampering.all(rig, answered) {
            try await write(rig, tampering.change)
            let faults = try await rig.checked(canaries: CrashTests.canaries)
            #expect(faults.contains { $0.contains(tampering.says) }, "after \(tampering.change): \(faults)")
            if tampering.isMerelyOpen {
                let open = try await rig.checked(canaries: CrashTests.canaries, options: ["--unsettled"])
                #expect(!open.contains { $0.contains(tampering.says) }, "after \(tampering.change): \(open)")
            }
            try await write(rig, tampering.undo)
        }
        #expect(try await rig.checked(canaries: CrashTests.canaries) == [])
    }

    private func files(_ rig: Rig) async throws {
        let changes: [(file: String, line: (String) -> String, says: String)] = [
            ("effects", { $0 }, "one-effect: key"),
            ("ledger", { $0.replacing(#""body_sha256":""#, with: #""body_sha256":"0"#) }, "came with different bodies"),
            ("ledger", { $0.replacing(/"key":"[^"]*"/, with: #""key":"nobodys""#) }, "the key \"nobodys\", which no action has"),
            ("ledger", { $0.replacing(/"key":"[^"]*"/, with: #""key":null"#) }, "1 write calls came without a key"),
            ("acknowledged", { $0.replacing(/"id":"[^"]*"/, with: #""id":"wamid.gone""#) }, "message wamid.gone is not in the store"),
            (
                "requests",
                { _ in
                    #"{"id":"1","path":"/graph/v23.0/1/messages","reference":"r"}"# + "\n" + #"{"id":"1","status":200}"# + "\n"
                        + #"{"id":"2","path":"/graph/v23.0/1/messages","reference":"r"}"#
                }, "reply r may have been sent 2 times"
            ),
            (
                "requests",
                { _ in #"{"id":"1","path":"/salon/bookings","brand":"salon","body":"for \#(CrashTests.canaries["jobs"] ?? "")"}"# },
                "/salon/bookings of salon was told the canary of jobs"
            ),
            (
                "requests",
                { _ in
                    let words = CrashTests.canaries.values.joined(separator: " and ")
                    return #"{"id":"1","path":"/llm/v1/chat/completions","body":"\#(words)"}"#
                }, "/llm/v1/chat/completions was told the canaries of jobs and salon at once"
            ),
        ]
        for (file, change, says) in changes {
            try await withLine(in: file, rig, change) {
                let faults = try await rig.checked(canaries: CrashTests.canaries)
                #expect(faults.contains { $0.contains(says) }, "\(file): \(faults)")
            }
        }
    }

    /// A reply that a person had sent again may have come twice, and no more.
    private func redriven(_ rig: Rig) async throws {
        let (id, reference) = (rig.bytes("00112233445566778899aabbccddeeff"), "00112233-4455-6677-8899-aabbccddeeff")
        try await write(
            rig,
            """
            INSERT INTO dead_letters (brand_id, dead_letter_id, kind, reason, detail, subject_id, task, state, created_at)
            VALUES ('salon', \(id), 'delivery', 'unknown', 'x', \(id), '{}', 'redriven', 0)
            """)
        for times in 1...3 {
            let sends = (1...times).map { number in
                #"{"id":"\#(number)","path":"/graph/v23.0/1/messages","reference":"\#(reference)"}"#
            }
            try await withLine(in: "requests", rig, { _ in sends.joined(separator: "\n") }) {
                let faults = try await rig.checked(canaries: CrashTests.canaries)
                #expect(faults == (times < 3 ? [] : ["reply: reply \(reference) may have been sent 3 times"]), "\(times)")
            }
        }
        try await write(rig, "DELETE FROM dead_letters")
    }

    /// Adds a line to a file of the stand-ins, made of its first one, for as long as `body` runs.
    private func withLine(in file: String, _ rig: Rig, _ change: (String) -> String, _ body: () async throws -> Void) async throws {
        let path = "\(rig.records)/\(file).jsonl"
        let before = try String(contentsOfFile: path, encoding: .utf8)
        let line = try #require(before.split(separator: "\n").first)
        try (before + change(String(line)) + "\n").write(toFile: path, atomically: true, encoding: .utf8)
        try await body()
        try before.write(toFile: path, atomically: true, encoding: .utf8)
    }

    private func write(_ rig: Rig, _ statement: String) async throws {
        try await rig.withStore { database in _ = try await database.write(.installation) { try $0.run(SQL(statement), []) } }
    }

    // MARK: What it will not look at

    @Test func whatCannotBeCheckedIsRefusedWithTheWayOut() async throws {
        try await Rig.with(CrashTests.impatient) { rig in
            let running = try await rig.check()
            #expect(running.code == 3 && running.err.contains("a gateway") && running.err.contains("stop"), "\(running)")
            _ = try await goodDay(rig)
            let nowhere = try await rig.check(options: ["--store", "sqlite:\(rig.folder)/none.sqlite"])
            #expect(nowhere.code == 3 && nowhere.err.contains("there is no store"), "\(nowhere)")
            #expect(!FileManager.default.fileExists(atPath: rig.folder + "/none.sqlite"))
            let strange = rig.folder + "/strange.sqlite"
            try "This is no store.".write(toFile: strange, atomically: true, encoding: .utf8)
            let unreadable = try await rig.check(options: ["--store", "sqlite:\(strange)"])
            #expect(unreadable.code == 3 && unreadable.err.contains("strange.sqlite"), "\(unreadable)")
            for (option, path) in [("--records", "/nowhere"), ("--acknowledged", "/nowhere")] {
                let missing = try await rig.check(options: [option, path])
                #expect(missing.code == 3 && missing.err.contains("/nowhere"), "\(missing)")
            }
            try await withLine(in: "ledger", rig, { _ in "{" }) {
                let broken = try await rig.check()
                #expect(broken.code == 3 && broken.err.contains("ledger.jsonl:2"), "\(broken)")
            }
            for bad in [
                ["--canary", "salon"], ["--canary", "salon=two-big words"], ["--canary", "salon=short"], ["--store", "mysql:x"], ["--nope"],
            ] {
                #expect(try await rig.check(options: bad).code == 2, "\(bad)")
            }
        }
    }

    /// A default store that nobody meant would be checked in the place of those that hold the brands.
    @Test func aConfigurationThatCannotBeReadTellsOfNoStores() async throws {
        try await Rig.with(CrashTests.impatient) { rig in
            _ = try await goodDay(rig)
            let file = rig.config + "/switchboard.yaml"
            let good = try String(contentsOfFile: file, encoding: .utf8)
            let nowhere = ["--config", rig.folder + "/nowhere"]
            for (text, options) in [(good + "\nstores: [", []), (good + "\nsotres: {}\n", []), (good, nowhere)] {
                try text.write(toFile: file, atomically: true, encoding: .utf8)
                let refused = try await rig.check(options: options)
                #expect(refused.code == 3 && refused.err.contains("switchboard.yaml:"), "\(refused)")
                #expect(refused.err.contains("or give --store"), "\(refused)")
                guard Rig.kind == .sqlite else { continue }
                let told = try await rig.check(options: options + ["--store", "sqlite:\(rig.data)/switchboard.sqlite"])
                #expect(told.code == 0, "\(told)")
            }
            // Whose key it is, is not asked.
            let keyless = good.replacing("${SWITCHBOARD_OPERATOR_KEY}", with: "${NOBODY_SET_THIS}")
            try keyless.write(toFile: file, atomically: true, encoding: .utf8)
            #expect(keyless != good)
            #expect(try await rig.checked() == [])
        }
    }

    @Test(.onlySQLite(because: "only of a file it can be told when the gateway was stopped"))
    func whatCameDueAfterTheEndIsNoFault() async throws {
        try await Rig.with(CrashTests.impatient) { rig in
            _ = try await goodDay(rig)
            func plant(dueIn wait: Duration) async throws -> Timestamp {
                let due = SystemClock().now + wait
                let id = rig.bytes("00112233445566778899aabbccddeeff")
                try await write(
                    rig,
                    """
                    INSERT INTO tasks (brand_id, lane, task_id, kind, payload, priority, run_at, state, created_at, node)
                    VALUES ('salon', 'turn:x', \(id), 'timer', '{}', 1, \(due.milliseconds), 'pending', 0, 'n')
                    """)
                return due
            }
            let due = try await plant(dueIn: .seconds(2))
            let stopped = Date(timeIntervalSince1970: Double(due.milliseconds) / 1000 - 1)
            try FileManager.default.setAttributes([.modificationDate: stopped], ofItemAtPath: rig.data + "/switchboard.sqlite")
            try await eventually("the task is due") { SystemClock().now > due }
            // Also when somebody has looked already.
            for _ in 0..<2 { #expect(try await rig.checked() == []) }
            try await write(rig, "DELETE FROM tasks")
            let late = try await plant(dueIn: .seconds(-1))
            #expect(
                try await rig.checked() == [
                    "settled: task timer of lane turn:x is pending since \(late) (if stopped before: --unsettled)"
                ])
        }
    }

    /// A line that was being written when its process died says nothing yet.
    @Test func anUnfinishedLineIsNoLine() async throws {
        try await Rig.with(CrashTests.impatient) { rig in
            _ = try await goodDay(rig)
            for name in ["ledger", "effects", "acknowledged", "requests"] {
                let file = try #require(FileHandle(forWritingAtPath: "\(rig.records)/\(name).jsonl"))
                try file.seekToEnd()
                try file.write(contentsOf: Data(#"{"id":"#.utf8))
                try file.close()
            }
            #expect(try await rig.checked(canaries: CrashTests.canaries) == [])
        }
    }

    @Test(.onlySQLite(because: "the demo's store is a file of its own, and only files can be compared"))
    func afterTheDemoNoOptionsAreNeededAndTheStoreIsLeftAsItIs() async throws {
        try await Rig.with(CrashTests.impatient) { rig in
            _ = try await goodDay(rig)
            let file = URL(fileURLWithPath: rig.data + "/switchboard.sqlite")
            let before = try Data(contentsOf: file)
            try FileManager.default.copyItem(atPath: rig.records, toPath: rig.data + "/sandbox")
            for options in [["--data", rig.data], ["--data", rig.data, "--state", rig.records]] {
                let plain = try await rig.run(["sandbox", "check"] + options)
                #expect(plain.code == 0 && plain.out.hasPrefix("nothing to complain of: 2 messages"), "\(plain)")
            }
            #expect(try Data(contentsOf: file) == before)
            // What is wrong is said in words too, the promise first.
            try await write(rig, "UPDATE messages SET outcome = NULL WHERE direction = 'in'")
            let lines = try await rig.run(["sandbox", "check", "--data", rig.data])
            #expect(lines.code == 1 && lines.err.isEmpty, "\(lines)")
            #expect(lines.out.split(separator: "\n").allSatisfy { $0.hasPrefix("outcome: message ") && $0.hasSuffix(" has no outcome") })
        }
    }

    @Test(.enabled(if: Rig.kind == .postgresql, "files know of no roles"))
    func aRoleThatSeesOneBrandAtATimeCannotCheck() async throws {
        try await Rig.with(CrashTests.impatient) { rig in
            _ = try await goodDay(rig)
            let bound = try await rig.run(["sandbox", "check"] + rig.deskOptions + ["--records", rig.records])
            #expect(bound.code == 3 && bound.err.contains("sees the rows of one brand at a time"), "\(bound)")
            #expect(bound.err.contains("BYPASSRLS") && !bound.err.contains("secret"), "\(bound)")
        }
    }
}
