import Conversation
import Synchronization

/// Every request that reached a stand-in, oldest first.
final class Recordings: Sendable {
    private struct Entry {
        let at: Timestamp
        let request: StandInRequest
        /// Nil while the answer is being made, and for a dropped connection.
        var status: Int?
    }

    private struct State {
        var entries: [Entry] = []
        /// The number of the first entry that is still held.
        var first = 0
    }

    /// The oldest half goes when this many are held, so that a soak run does not fill the memory.
    static let limit = 100_000

    private let state = Mutex(State())

    /// The number under which `finish` adds the answer.
    func begin(_ request: StandInRequest, at: Timestamp) -> Int {
        state.withLock { state in
            if state.entries.count >= Self.limit {
                state.entries.removeFirst(Self.limit / 2)
                state.first += Self.limit / 2
            }
            state.entries.append(Entry(at: at, request: request))
            return state.first + state.entries.count - 1
        }
    }

    func finish(_ number: Int, status: Int?) {
        state.withLock { state in
            let index = number - state.first
            if state.entries.indices.contains(index) { state.entries[index].status = status }
        }
    }

    /// Keeps counting, so that answers still being made do not land on later requests.
    func clear() {
        state.withLock { state in
            state.first += state.entries.count
            state.entries = []
        }
    }

    func list(pathPrefix: String) -> JSONValue {
        let entries = state.withLock { $0.entries.filter { pathPrefix.isEmpty || $0.request.path.hasPrefix(pathPrefix) } }
        return ["requests": .array(entries.map(Self.json))]
    }

    private static func json(_ entry: Entry) -> JSONValue {
        [
            "at": .string(entry.at.description), "method": .string(entry.request.method), "path": .string(entry.request.path),
            "query": .object(entry.request.query.mapValues(JSONValue.string)),
            "headers": .object(entry.request.headers.mapValues(JSONValue.string)),
            "body": .string(String(decoding: entry.request.body, as: UTF8.self)), "json": entry.request.json ?? .null,
            "status": entry.status.map { .integer(Int64($0)) } ?? .null,
        ]
    }
}
