import Conversation
import Foundation
import Testing

/// LiteLLM's proxy between the gateway and the model: an independent implementation of the form that we speak. A missing interpreter or
/// package is a failure, never a skip.
@Suite(.serialized) struct LitellmTests {
    @Test func theDemoConversationsAreClassifiedThroughLitellm() async throws {
        try await Rig.with(.withModel()) { rig in
            let (url, key, process) = try await proxy(rig)
            defer { process.terminate() }
            let found = FileManager.default.enumerator(atPath: rig.config + "/brands")?.compactMap { $0 as? String } ?? []
            let files = found.filter { $0.contains("/conversations/") && $0.hasSuffix(".yaml") }.sorted()
            let result = try await rig.run(
                ["converse", "--config", rig.config, "--channels", rig.channels, "--timeout", "30", "--with-model"]
                    + files.map { "\(rig.config)/brands/\($0)" }, ["LLM_URL": url, "LLM_KEY": key])
            #expect(result.code == 0, "\(result.out)\(result.err)")
            #expect(try await !rig.modelCalls().commands.isEmpty)

            // One of the conversations says the same.
            try await rig.resetSandbox()
            try await rig.startGateway(["LLM_URL": url, "LLM_KEY": key])
            try await rig.modelSays(Rig.commands([Rig.command("start", action: "book_service", text: ModelTests.vague)]))
            #expect(try await rig.ask(ModelTests.vague).contains("service"))
            #expect(try await rig.modelCalls().about(ModelTests.vague).count == 1)
        }
    }

    /// Starts the proxy with a key of its own; its address, the key and the process.
    private func proxy(_ rig: Rig) async throws -> (url: String, key: String, process: Process) {
        let (port, key) = (try Rig.freePort(), "sk-test-\(UUID())")
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [
            Python.interpreter, Rig.repository + "/Tests/EndToEnd/python/litellm_proxy.py", "--port", "\(port)", "--backend", rig.modelURL,
            "--folder", rig.folder,
        ]
        process.environment = rig.environment.merging(["LITELLM_MASTER_KEY": key, "PYTHONDONTWRITEBYTECODE": "1", "HOME": rig.folder]) {
            $1
        }
        let log = rig.folder + "/litellm.log"
        _ = FileManager.default.createFile(atPath: log, contents: nil)
        let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: log))
        defer { try? handle.close() }
        process.standardOutput = handle
        process.standardError = handle
        try process.run()
        do {
            try await eventually("the proxy is ready", within: .seconds(90)) {
                guard process.isRunning else { return true }
                return try await rig.get("http://127.0.0.1:\(port)/health/liveliness").status == 200
            }
            try #require(process.isRunning, "the proxy ended")
        } catch {
            process.terminate()
            let said = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
            throw Timeout(
                description: "\(Python.interpreter) with litellm[proxy] is needed (requirements.txt); it said: \(said.suffix(2_000))")
        }
        return ("http://127.0.0.1:\(port)/v1", key, process)
    }
}
