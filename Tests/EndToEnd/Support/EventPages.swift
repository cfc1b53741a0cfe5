import Foundation
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// Readers of event streams over plain sockets, any number of them, all served by one thread.
final class EventPages: Sendable {
    private struct State {
        var pages: [EventPage] = []
        var isStopped = false
    }

    private let state = Mutex(State())

    init() {
        // A thread of its own, because waiting for sockets blocks.
        Thread.detachNewThread { [self] in serve() }
    }

    /// Connects to a port on loopback, sends the request and reads from then on. Throws when nobody listens.
    func open(port: Int, _ path: String, headers: [String], from address: UInt32 = 0x7F00_0001) throws -> EventPage {
        let lines = ["GET \(path) HTTP/1.1", "Host: 127.0.0.1:\(port)", "Accept: text/event-stream"] + headers
        let page = EventPage(try PlainSocket(port: port, from: address))
        guard page.send(lines.joined(separator: "\r\n") + "\r\n\r\n") else { throw Timeout(description: "the connection took nothing") }
        state.withLock { $0.pages.append(page) }
        return page
    }

    /// Closes every connection.
    func stop() {
        let pages = state.withLock { state in
            state.isStopped = true
            return state.pages
        }
        for page in pages { page.leave() }
    }

    private func serve() {
        while true {
            let (pages, isStopped) = state.withLock { ($0.pages.filter { !$0.isClosed }, $0.isStopped) }
            if isStopped { return }
            var waiting = pages.map { pollfd(fd: $0.socket.number, events: Int16(POLLIN), revents: 0) }
            // Short, so that pages opened meanwhile are looked at too.
            guard poll(&waiting, nfds_t(waiting.count), 20) > 0 else { continue }
            for (page, found) in zip(pages, waiting) where found.revents != 0 { page.read() }
        }
    }
}

/// One reader: what it was answered, and the events so far.
final class EventPage: Sendable {
    struct Event: Sendable, Hashable {
        var id: Int64?
        var kind: String
        var data: String
    }

    private struct State {
        var reader = EventReader()
        var isClosed = false
    }

    let socket: PlainSocket
    private let state = Mutex(State())

    init(_ socket: PlainSocket) { self.socket = socket }

    /// 0 before the answer began.
    var status: Int { state.withLock { $0.reader.status } }
    var head: String { state.withLock { $0.reader.head } }
    var events: [Event] { state.withLock { $0.reader.events } }
    var beats: Int { state.withLock { $0.reader.beats } }
    /// Whether the body came to its orderly end.
    var isComplete: Bool { state.withLock { $0.reader.isComplete } }
    var isClosed: Bool { state.withLock { $0.isClosed } }
    /// Number of the last event that has one.
    var last: Int64? { state.withLock { $0.reader.events.last { $0.id != nil }?.id } }

    /// Events of the conversation itself, which are numbered one by one.
    var numbered: [Event] { events.filter { ["message", "update", "handover"].contains($0.kind) } }

    func send(_ text: String) -> Bool { socket.send(Array(text.utf8)) }

    /// Ends the connection from this side.
    func leave() { socket.hangUp() }

    func read() {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(socket.number, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            if count < 0 && errno == EAGAIN { return }
            state.withLock { state in
                if count > 0 { state.reader.take(buffer[..<count]) } else { state.isClosed = true }
            }
            if count <= 0 { return }
        }
    }
}

/// A connection to loopback. The descriptor is given back with the last reference.
final class PlainSocket: Sendable {
    let number: Int32

    /// `from` is the address on loopback that it comes from.
    init(port: Int, from: UInt32 = 0x7F00_0001) throws {
        let number = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard number >= 0 else { throw Timeout(description: "no more sockets: errno \(errno)") }
        guard Self.withAddress(from, 0, { bind(number, $0, $1) == 0 }),
            Self.withAddress(0x7F00_0001, port, { connect(number, $0, $1) == 0 })
        else {
            let reason = errno
            close(number)
            throw Timeout(description: "cannot connect to \(port): errno \(reason)")
        }
        self.number = number
    }

    deinit { close(number) }

    func send(_ bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBytes { Glibc.send(number, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) } == bytes.count
    }

    func hangUp() { shutdown(number, Int32(SHUT_RDWR)) }

    private static func withAddress(_ host: UInt32, _ port: Int, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Bool) -> Bool {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(host).bigEndian
        address.sin_port = in_port_t(UInt16(port)).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
    }
}

/// Takes an HTTP/1.1 answer apart as it comes: head, chunks (RFC 9112, 7.1), and the events in them.
struct EventReader {
    private(set) var status = 0
    private(set) var head = ""
    private(set) var events: [EventPage.Event] = []
    private(set) var beats = 0
    private(set) var isComplete = false
    private var raw: [UInt8] = []
    private var body: [UInt8] = []

    mutating func take(_ bytes: ArraySlice<UInt8>) {
        raw += bytes
        if status == 0 {
            guard let end = raw.firstRange(of: Array("\r\n\r\n".utf8)) else { return }
            head = String(decoding: raw[..<end.lowerBound], as: UTF8.self)
            status = Int(head.split(separator: " ").dropFirst().first ?? "") ?? -1
            raw.removeFirst(end.upperBound)
        }
        while takeChunk() {}
        while takeBlock() {}
    }

    private mutating func takeChunk() -> Bool {
        guard let end = raw.firstRange(of: [13, 10]), let size = Int(String(decoding: raw[..<end.lowerBound], as: UTF8.self), radix: 16),
            raw.count >= end.upperBound + size + 2
        else { return false }
        body += raw[end.upperBound..<(end.upperBound + size)]
        raw.removeFirst(end.upperBound + size + 2)
        if size == 0 { isComplete = true }
        return size > 0
    }

    private mutating func takeBlock() -> Bool {
        guard let end = body.firstRange(of: [10, 10]) else { return false }
        let lines = String(decoding: body[..<end.lowerBound], as: UTF8.self).split(separator: "\n")
        body.removeFirst(end.upperBound)
        var event = EventPage.Event(id: nil, kind: "", data: "")
        for line in lines {
            if line.hasPrefix(":") { beats += 1 }
            if line.hasPrefix("id: ") { event.id = Int64(line.dropFirst(4)) }
            if line.hasPrefix("event: ") { event.kind = String(line.dropFirst(7)) }
            if line.hasPrefix("data: ") { event.data += line.dropFirst(6) }
        }
        if !event.kind.isEmpty { events.append(event) }
        return true
    }
}
