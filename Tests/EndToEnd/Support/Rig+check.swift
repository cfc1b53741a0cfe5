import Conversation
import Foundation
import JSON
import TestKit
import Testing

/// The checker is a command of the program; tests run it as anybody would, once the gateway is stopped.
extension Rig {
    /// Every promise that was broken, a line each; empty when all were kept. Ids in `acknowledged` were answered 200, beside those that the
    /// stand-ins know of. `canaries` are words that were only ever said to one brand, by brand.
    func checked(acknowledged: Set<String> = [], canaries: [String: String] = [:], options: [String] = []) async throws -> [String] {
        let (code, out, err) = try await check(acknowledged: acknowledged, canaries: canaries, options: options + ["--json"])
        guard code == 0 || code == 1 else { throw Timeout(description: "the checker could not look: exit \(code), \(err)") }
        let report = try JSONValue(parsing: Array(out.utf8))
        let broken = try #require(report["broken"]?.array, "\(out)")
        try #require(broken.isEmpty == (code == 0), "exit \(code) with \(out)")
        return broken.map { "\($0["promise"]?.string ?? "?"): \($0["what"]?.string ?? "?")" }
    }

    /// Runs `sandbox check` over this rig's stores and stand-ins.
    func check(
        acknowledged: Set<String> = [], canaries: [String: String] = [:], options: [String] = []
    ) async throws -> (code: Int32, out: String, err: String) {
        let ids = folder + "/acknowledged-\(UUID().uuidString)"
        try acknowledged.sorted().joined(separator: "\n").write(toFile: ids, atomically: true, encoding: .utf8)
        let words = canaries.sorted { $0.key < $1.key }.flatMap { ["--canary", "\($0.key)=\($0.value)"] }
        return try await run(
            ["sandbox", "check"] + deskOptions + ["--records", records, "--acknowledged", ids] + words + options, allBrands)
    }

    /// The environment of somebody who sees all brands at once.
    var allBrands: [String: String] { place.map { ["SWITCHBOARD_STORE": $0.database.administrator] } ?? [:] }

    /// What the stand-ins write down.
    var records: String { folder + "/sandbox" }

    /// Every write call that the brand APIs received.
    func ledger() throws -> [JSONValue] {
        try String(contentsOfFile: records + "/ledger.jsonl", encoding: .utf8).split(separator: "\n").map {
            try JSONValue(parsing: Array($0.utf8))
        }
    }
}
