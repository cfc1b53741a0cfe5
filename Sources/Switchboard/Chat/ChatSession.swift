import Conversation
import Foundation
import JSON
import Synchronization
import Text

/// A visit at the terminal: holds the stream open, sends lines, and knows when everything that was said is answered.
final class ChatSession: Sendable {
    private struct State {
        var session: WebChatAPI.Session
        var transcript = ChatTranscript()
        var lastEventID = ""
        var isConnected = false
        var lastNews = ContinuousClock.now
    }

    /// So long after the last news nothing more is expected.
    private static let quiet = Duration.milliseconds(1_500)
    private static let waits: [Double] = [0.3, 0.6, 1.2, 2.5, 5]

    private let api: WebChatAPI
    private let state: Mutex<State>
    private let show: @Sendable (String) -> Void
    private let note: @Sendable (String) -> Void

    /// `show` gets what the brand says, `note` what the person should know besides. Throws `ChatFailure`.
    init(api: WebChatAPI, show: @escaping @Sendable (String) -> Void, note: @escaping @Sendable (String) -> Void) async throws {
        (self.api, self.show, self.note) = (api, show, note)
        state = Mutex(State(session: try await api.open(resuming: nil)))
    }

    private var token: String { state.withLock { $0.session.token } }

    // MARK: Listening

    /// Listens until it is cancelled, connecting again whenever the stream ends. Throws `ChatFailure` when that is refused, or when nothing
    /// answered for a minute.
    func listen() async throws {
        var failures = 0
        var lostAt: ContinuousClock.Instant?
        while !Task.isCancelled {
            var wait: Double?
            do {
                let request = try api.events(after: state.withLock { $0.lastEventID }, token: token)
                for try await part in WebChatEvents.connect(request) {
                    (failures, lostAt) = (0, nil)
                    try await take(part)
                }
            } catch ChatFailure.expired {
                try await renew()
            } catch ChatFailure.busy(let after) {
                wait = after
            } catch ChatFailure.unreachable(let why) {
                if failures == 0, !Task.isCancelled { note("\(why); trying again") }
            }
            state.withLock { $0.isConnected = false }
            let now = ContinuousClock.now
            lostAt = lostAt ?? now
            if let lostAt, now - lostAt > .seconds(60) { throw ChatFailure.unreachable("\(api.base) does not answer any more") }
            try await Task.sleep(for: .seconds(min(wait ?? Self.waits[min(failures, Self.waits.count - 1)], 30)))
            failures += 1
        }
    }

    private func take(_ part: WebChatEvents.Part) async throws {
        switch part {
        case .opened:
            let isNew = state.withLock { state in
                defer { state.isConnected = true }
                return state.lastEventID.isEmpty && !state.transcript.isEmpty
            }
            if isNew { try await catchUp() }
        case .event(let event):
            // Every event is one JSON object; one that cannot be read says nothing to a terminal.
            let data = (try? JSONValue(parsing: Array(event.data.utf8))) ?? .null
            let lines = state.withLock { state in
                if !event.id.isEmpty { state.lastEventID = event.id }
                state.lastNews = .now
                return state.transcript.take(type: event.type, data: data)
            }
            for line in lines { show(line) }
            // The stream cannot tell everything since the last event: the history can.
            if event.type == "reset" { try await catchUp() }
        }
    }

    private func catchUp() async throws {
        let messages = try await api.messages(token: token)
        for message in messages {
            let lines = state.withLock { state in
                state.lastNews = .now
                return state.transcript.take(message: message)
            }
            for line in lines { show(line) }
        }
    }

    private func renew() async throws {
        let session = try await api.open(resuming: state.withLock { $0.session.resumeSecret })
        state.withLock { $0.session = session }
    }

    // MARK: Saying

    /// Sends a line, again under the same id while nobody answers. Throws `ChatFailure`.
    func say(_ line: String) async throws {
        let id = UUID().uuidString.lowercased()
        let meaning = state.withLock { $0.transcript.meaning(of: line) }
        for wait in Self.waits + [nil] {
            do {
                try await api.say(meaning, id: id, token: token)
                return state.withLock { $0.lastNews = .now }
            } catch ChatFailure.expired {
                try await renew()
            } catch ChatFailure.busy(let after) {
                guard let wait else { throw ChatFailure.busy(after: after) }
                try await Task.sleep(for: .seconds(min(after ?? wait, 30)))
            } catch ChatFailure.unreachable(let why) {
                guard let wait else { throw ChatFailure.unreachable(why) }
                try await Task.sleep(for: .seconds(wait))
            }
        }
    }

    /// How many replies there were; for `settled`.
    var replies: Int { state.withLock { $0.transcript.replies } }

    /// Returns when the stream is there, or after ten seconds without it.
    func connected() async throws {
        try await until(.seconds(10)) { $0.isConnected }
    }

    /// Returns when something has been answered since there were `count` replies, nothing is under way, and nothing new came for a while;
    /// after `limit` in any case.
    func settled(after count: Int, within limit: Duration = .seconds(30)) async throws {
        try await until(limit) { state in
            state.transcript.replies > count && !state.transcript.isWorking && ContinuousClock.now - state.lastNews > Self.quiet
        }
    }

    /// What happens at the other end of a connection cannot signal us but through it, and silence never does.
    private func until(_ limit: Duration, _ holds: @Sendable (State) -> Bool) async throws {
        let deadline = ContinuousClock.now + limit
        while ContinuousClock.now < deadline, !state.withLock({ holds($0) }) { try await Task.sleep(for: .milliseconds(50)) }
    }
}
