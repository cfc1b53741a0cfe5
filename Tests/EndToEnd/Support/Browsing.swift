import Conversation
import Foundation
import Testing

/// What a check in the browser said.
struct BrowserCheck: Decodable {
    let name: String
    let ok: Bool
    let detail: String
}

/// Runs the checks of `browser/run.py` in Chromium.
enum Browsing {
    /// Limits for a visitor as fast as a program, and tasks of a dead process that are soon taken over.
    static let unhurried: [(file: String, from: String, to: String)] = [
        (
            file: "brands/salon/brand.yaml", from: "opens_per_minute: 6000",
            to: "opens_per_minute: 6000\n    messages_per_minute: 6000"
        ),
        (file: "brands/salon/policies.yaml", from: "user_per_minute: 30", to: "user_per_minute: 6000"),
        (file: "switchboard.yaml", from: "lease_s: 30", to: "lease_s: 1"),
    ]

    /// Results by name. A check that gave none is missing; what the script said instead is recorded.
    static func run(
        _ checks: [String], words: String, at rig: Rig, jobs: Int = 1, _ more: [String] = []
    ) async throws -> [String: BrowserCheck] {
        let arguments =
            ["--url", rig.gatewayURL, "--sandbox", rig.sandboxURL, "--out", screenshots(rig), "--words", words, "--jobs", "\(jobs)"]
            + checks.flatMap { ["--only", $0] } + more
        let ended = try await Python.run("browser/run.py", arguments, environment: rig.environment, folder: rig.folder)
        let results = ended.out.split(separator: "\n").compactMap {
            try? JSONDecoder().decode(BrowserCheck.self, from: Data($0.utf8))
        }
        for result in results { print("browser: \(result.name): \(result.detail)") }
        if results.count != checks.count {
            Issue.record(
                """
                \(results.count) of \(checks.count) checks gave a result; Chromium, its driver and \(Python.interpreter) with the packages \
                of Tests/EndToEnd/requirements.txt are needed: \(ended.out)\(ended.err)
                """)
        }
        return Dictionary(results.map { ($0.name, $0) }) { first, _ in first }
    }

    /// What makes a guest who is asked for more still book what was wished.
    static func keeping(_ wish: Wish) -> [String] {
        let answers: JSONValue = [
            "service": .string(wish.service.name), "day": .string(wish.dayWords), "hour": .string(wish.hour.words),
        ]
        return ["--wish", String(decoding: CanonicalJSON.bytes(answers), as: UTF8.self)]
    }

    /// `SWITCHBOARD_SCREENSHOTS` keeps the pictures; without it they go with the rig.
    private static func screenshots(_ rig: Rig) -> String {
        ProcessInfo.processInfo.environment["SWITCHBOARD_SCREENSHOTS"] ?? rig.folder + "/screenshots"
    }
}

extension Rig {
    /// Starts the gateway again whenever it died, until cancelled. The file names the process that is ready.
    func supervise(pidFile: String) async throws {
        while true {
            let process = try #require(gateway)
            try Data("\(process.processIdentifier)".utf8).write(to: URL(fileURLWithPath: pidFile), options: .atomic)
            while process.isRunning { try await Task.sleep(for: .milliseconds(20)) }
            try Task.checkCancellation()
            try await startGateway()
        }
    }
}
