import ArgumentParser
import Conversation
import Foundation

#if canImport(Glibc)
    import Glibc
#endif

struct ChatCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chat", abstract: "Talks to a brand over the web channel, from the terminal.",
        discussion: """
            Every line is a message; a number answers with the option of that number. Ctrl-D ends. Lines may also come from a pipe: each \
            waits for the answer to the one before, and the last answer is waited for. Exits 1 when the gateway refuses, 3 when it cannot \
            be reached.
            """)

    @Option(help: "The web instance, such as salon-web.") var instance: String
    @Option(help: "Where the gateway is.") var url = "http://127.0.0.1:8080"
    @Option(name: .customLong("app-key"), help: "One of the instance's app_keys; SWITCHBOARD_APP_KEY by default.") var appKey: String?

    func validate() throws {
        guard InstanceID(validating: instance) != nil else {
            throw ValidationError("--instance \(instance): small letters, digits and hyphens")
        }
        guard let parts = URL(string: url), ["http", "https"].contains(parts.scheme), parts.host?.isEmpty == false else {
            throw ValidationError("--url \(url): write http://host:port")
        }
    }

    func run() async throws {
        guard let id = InstanceID(validating: instance) else { throw ExitCode(2) }
        let key = appKey ?? Configuration.environment["SWITCHBOARD_APP_KEY"]
        let api = WebChatAPI(base: url.hasSuffix("/") ? String(url.dropLast()) : url, instance: id, appKey: key)
        do {
            let session = try await ChatSession(api: api, show: Terminal.say, note: { Terminal.complain("switchboard: \($0)") })
            try await talk(session)
        } catch let failure as ChatFailure {
            switch failure {
            case .unreachable: throw StartProblem("\(failure)")
            case .refused, .expired, .busy:
                let remedy = key == nil && failure.isForbidden ? "; give one with --app-key or SWITCHBOARD_APP_KEY" : ""
                Terminal.complain("switchboard: \(failure)\(remedy)")
                throw ExitCode(1)
            }
        }
    }

    /// Listening ends with the last line; whatever ends listening ends the visit.
    private func talk(_ session: ChatSession) async throws {
        let isInteractive = isatty(STDIN_FILENO) == 1
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await session.listen() }
            group.addTask {
                try await session.connected()
                for await line in Self.lines() {
                    let text = line.trimmingCharacters(in: .whitespaces)
                    guard !text.isEmpty else { continue }
                    let count = session.replies
                    try await session.say(text)
                    if !isInteractive { try await session.settled(after: count) }
                }
            }
            try await group.next()
            group.cancelAll()
        }
    }

    /// Standard input, line by line. Read on a thread of its own, because reading blocks; unbounded, because a person types slowly and a
    /// pipe holds its own.
    private static func lines() -> AsyncStream<String> {
        let (lines, continuation) = AsyncStream.makeStream(of: String.self, bufferingPolicy: .unbounded)
        Thread.detachNewThread {
            while let line = readLine() { continuation.yield(line) }
            continuation.finish()
        }
        return lines
    }
}
