import Conversation

/// One event on the wire (WHATWG HTML, server-sent events): `id`, `event` and one line of `data`.
enum ServerSentEvent {
    /// JSON text has no raw line ends, whatever the strings in it hold, so that nothing written by people can begin a field.
    static func frame(_ event: String, id: Int64? = nil, _ data: JSONValue) -> [UInt8] {
        var bytes: [UInt8] = []
        if let id { bytes.append(contentsOf: "id: \(id)\n".utf8) }
        bytes.append(contentsOf: "event: \(event)\ndata: ".utf8)
        bytes.append(contentsOf: CanonicalJSON.bytes(data))
        bytes.append(contentsOf: "\n\n".utf8)
        return bytes
    }

    static func frame(_ event: FeedEvent) -> [UInt8] { frame(event.kind.rawValue, id: event.sequence, event.body) }

    /// Milliseconds after which a reader whose connection broke comes again.
    static let retry = Array("retry: 2000\n\n".utf8)
    /// A comment, which readers pass over; it keeps connections alive and finds those that are dead.
    static let beat = Array(": beat\n\n".utf8)
}

/// Where a reader wants to go on.
enum ResumePoint: Sendable, Hashable {
    /// With what happens from now.
    case now
    case after(Int64)
    /// The header says nothing that we ever sent.
    case unreadable

    init(_ headers: [String]) {
        guard let text = headers.first, !text.isEmpty else {
            self = .now
            return
        }
        guard headers.count == 1, text.utf8.allSatisfy({ (48...57).contains($0) }), let sequence = Int64(text) else {
            self = .unreadable
            return
        }
        self = .after(sequence)
    }
}
