import Conversation
import Foundation
import Testing

/// Runs the scripts that hold us against implementations of others.
enum Python {
    /// `SWITCHBOARD_PYTHON`, else the one on the path. It must have what `requirements.txt` names.
    static let interpreter = ProcessInfo.processInfo.environment["SWITCHBOARD_PYTHON"] ?? "python3"

    /// `script` stands below `Tests/EndToEnd`. Throws when the interpreter cannot be started.
    static func run(
        _ script: String, _ arguments: [String], environment: [String: String], folder: String
    ) async throws -> (code: Int32, out: String, err: String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [interpreter, Rig.repository + "/Tests/EndToEnd/" + script] + arguments
        process.environment = environment.merging(["PYTHONDONTWRITEBYTECODE": "1"]) { $1 }
        let (out, err) = (folder + "/python-out", folder + "/python-err")
        for path in [out, err] { _ = FileManager.default.createFile(atPath: path, contents: nil) }
        let files = [FileHandle(forWritingAtPath: out), FileHandle(forWritingAtPath: err)]
        process.standardOutput = files[0]
        process.standardError = files[1]
        defer { for file in files { try? file?.close() } }
        try process.run()
        do {
            while process.isRunning { try await Task.sleep(for: .milliseconds(10)) }
        } catch {
            process.terminate()
            throw error
        }
        let said = (try String(contentsOfFile: out, encoding: .utf8), try String(contentsOfFile: err, encoding: .utf8))
        try #require(
            process.terminationStatus != 127,
            "there is no Python at \(interpreter); set SWITCHBOARD_PYTHON to one with the packages of Tests/EndToEnd/requirements.txt")
        return (process.terminationStatus, said.0, said.1)
    }
}

extension Rig {
    /// Has the reference library of Standard Webhooks verify these requests, as the sandbox recorded them.
    func verifySignatures(of requests: [JSONValue]) async throws {
        let path = folder + "/requests.json"
        let kept = JSONValue.array(requests.map { ["headers": $0["headers"] ?? .null, "body": $0["body"] ?? .null] })
        try Data(CanonicalJSON.bytes(kept)).write(to: URL(fileURLWithPath: path))
        let surroundings = environment.merging(["SIGNING_SECRET": environment["SALON_SIGNING_SECRET"] ?? ""]) { $1 }
        let ended = try await Python.run("python/verify_webhook.py", [path], environment: surroundings, folder: folder)
        #expect(ended.code == 0, "\(ended.err)")
        #expect(ended.out == "\(requests.count)\n")
    }
}
