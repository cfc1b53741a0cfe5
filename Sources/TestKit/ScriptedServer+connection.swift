import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// One connection of a scripted server, on a thread of its own.
struct ScriptedConnection {
    let socket: Int32
    let number: Int
    private var place = 0
    private var unread: [UInt8] = []

    init(socket: Int32, number: Int) {
        self.socket = socket
        self.number = number
    }

    /// Nil when the other side hung up before a request was complete.
    mutating func readRequest() -> ScriptedRequest? {
        var headEnd: Int?
        var searched = 0
        while headEnd == nil {
            headEnd = unread.endOfHead(from: max(0, searched - 3))
            searched = unread.count
            if headEnd == nil, !readMore() { return nil }
        }
        guard let headEnd else { return nil }
        let lines = String(decoding: unread[..<headEnd], as: UTF8.self).components(separatedBy: "\r\n")
        let headers = lines.dropFirst().compactMap(Self.header)
        let length = headers.first { $0.name == "content-length" }.flatMap { Int($0.value) } ?? 0
        while unread.count < headEnd + length {
            guard readMore() else { return nil }
        }
        let raw = Array(unread[..<(headEnd + length)])
        unread.removeFirst(raw.count)
        place += 1
        let start = (lines.first ?? "").components(separatedBy: " ")
        return ScriptedRequest(
            connection: number, place: place, raw: raw, method: start[0], target: start.count > 1 ? start[1] : "", headers: headers,
            body: Array(raw[headEnd...]))
    }

    private static func header(_ line: String) -> (name: String, value: String)? {
        guard let colon = line.firstIndex(of: ":") else { return nil }
        return (line[..<colon].lowercased(), line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces))
    }

    private mutating func readMore() -> Bool {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = recv(socket, &buffer, buffer.count, 0)
        if count < 0 { return errno == EINTR }
        unread += buffer[..<count]
        return count > 0
    }

    /// False when the connection is over.
    func perform(_ steps: [ScriptedStep]) -> Bool {
        for step in steps {
            switch step {
            case .send(let bytes):
                guard send(bytes) else { return false }
            case .sendForever(let bytes):
                while send(bytes) {}
                return false
            case .pause(let duration):
                Thread.sleep(forTimeInterval: Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18)
            case .wait(let gate):
                gate.pass()
            case .call(let tell):
                tell()
            case .fallSilent:
                var byte: UInt8 = 0
                while recv(socket, &byte, 1, 0) > 0 {}
                return false
            case .close:
                return false
            case .reset:
                var now = linger(l_onoff: 1, l_linger: 0)
                setsockopt(socket, SOL_SOCKET, SO_LINGER, &now, socklen_t(MemoryLayout<linger>.size))
                return false
            }
        }
        return true
    }

    private func send(_ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes { Self.write(socket, $0) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }

    #if canImport(Glibc)
        private static func write(_ socket: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
            Glibc.send(socket, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
        }
        func close() { Glibc.close(socket) }
    #elseif canImport(Darwin)
        private static func write(_ socket: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
            Darwin.send(socket, bytes.baseAddress, bytes.count, 0)
        }
        func close() { Darwin.close(socket) }
    #endif
}

extension [UInt8] {
    /// The index after the blank line that ends a head.
    fileprivate func endOfHead(from start: Int) -> Int? {
        guard count >= start + 4 else { return nil }
        return (start...(count - 4)).first { self[$0] == 13 && self[$0 + 1] == 10 && self[$0 + 2] == 13 && self[$0 + 3] == 10 }.map {
            $0 + 4
        }
    }
}
