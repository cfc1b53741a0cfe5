#if Sandbox
    import Conversation
    import Foundation

    /// Other people's queues on the same machine, run by a script from a Python environment.
    struct QueueBenchPeers {
        let python: String
        let script: String
        let jobs: Int
        let redis: String?
        let postgres: String?

        /// Name → what the script measured. Throws `StartProblem` when it cannot be run or fails.
        func run() throws -> [String: JSONValue] {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: python)
            process.arguments =
                [script, "--jobs", "\(jobs)"] + (redis.map { ["--redis", $0] } ?? []) + (postgres.map { ["--postgres", $0] } ?? [])
            let output = Pipe()
            process.standardOutput = output
            do { try process.run() } catch { throw StartProblem("cannot run \(python): \(error)") }
            let text = output.fileHandleForReading.readDataToEndOfFile()
            process.waitUntilExit()
            guard process.terminationStatus == 0 else { throw StartProblem("\(script) ended with \(process.terminationStatus)") }
            do {
                return try JSONDecoder().decode([String: JSONValue].self, from: text)
            } catch {
                throw StartProblem("\(script) printed no JSON: \(error)")
            }
        }
    }
#endif
