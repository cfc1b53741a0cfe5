/// One event of a `text/event-stream`.
package struct StreamEvent: Sendable, Hashable {
    /// `message` unless the stream names it.
    package var type: String
    /// Lines joined with line feeds.
    package var data: String
    /// The stream's last event id at that moment; empty when it never gave one.
    package var id: String

    package init(type: String = "message", data: String, id: String = "") {
        self.type = type
        self.data = data
        self.id = id
    }
}

/// Reads a `text/event-stream` (WHATWG HTML, "Server-sent events") piece by piece, wherever the pieces were cut.
package struct EventStreamParser: Sendable {
    /// A line longer than this is cut off there: a server that never ends a line must not fill the memory. In bytes.
    package static let longestLine = 1 << 20

    /// Of the last event or comment that gave one.
    package private(set) var lastEventID = ""
    /// How long to wait before connecting again, in milliseconds, when the stream said so.
    package private(set) var retry: Int?

    private var line: [UInt8] = []
    private var afterReturn = false
    private var isFirstLine = true
    private var type = ""
    private var data: [String] = []
    private var hasData = false
    private var dataSize = 0
    private var id = ""

    package init() {}

    /// Takes the next bytes and returns the events that they complete.
    package mutating func feed(_ bytes: some Sequence<UInt8>) -> [StreamEvent] {
        var events: [StreamEvent] = []
        for byte in bytes {
            if afterReturn {
                afterReturn = false
                // The second half of CR LF.
                if byte == 10 { continue }
            }
            switch byte {
            case 10, 13:
                afterReturn = byte == 13
                if let event = endLine() { events.append(event) }
            default:
                if line.count < Self.longestLine { line.append(byte) }
            }
        }
        return events
    }

    private mutating func endLine() -> StreamEvent? {
        defer { line.removeAll(keepingCapacity: true) }
        var bytes = line[...]
        if isFirstLine, bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes = bytes.dropFirst(3) }
        isFirstLine = false
        if bytes.isEmpty { return dispatch() }
        guard let colon = bytes.firstIndex(of: 58) else {
            take(String(decoding: bytes, as: UTF8.self), "")
            return nil
        }
        var value = bytes[(colon + 1)...]
        if value.first == 32 { value = value.dropFirst() }
        // A line that begins with a colon is a comment: a heart-beat.
        if colon > bytes.startIndex { take(String(decoding: bytes[..<colon], as: UTF8.self), String(decoding: value, as: UTF8.self)) }
        return nil
    }

    private mutating func take(_ field: String, _ value: String) {
        switch field {
        case "event": type = value
        case "data":
            hasData = true
            dataSize += value.utf8.count
            if dataSize <= Self.longestLine { data.append(value) }
        case "id": if !value.contains("\0") { id = value }
        case "retry": if !value.isEmpty, value.utf8.allSatisfy({ (48...57).contains($0) }) { retry = Int(value) }
        // Whatever else there is belongs to a later version.
        default: break
        }
    }

    private mutating func dispatch() -> StreamEvent? {
        defer { (type, data, hasData, dataSize) = ("", [], false, 0) }
        lastEventID = id
        guard hasData else { return nil }
        return StreamEvent(type: type.isEmpty ? "message" : type, data: data.joined(separator: "\n"), id: id)
    }
}
