import Foundation
import Testing

#if canImport(Glibc)
    import Glibc
#endif

/// A connection that sends a byte now and then, and notices when the other side has had enough.
struct SlowClient {
    private let socket: Int32

    /// Connects to a port on loopback and sends `text`.
    init(port: Int, _ text: String) throws {
        socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        address.sin_port = in_port_t(UInt16(port)).bigEndian
        let socket = socket
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        try #require(connected, "nobody listens on \(port)")
        #expect(write(Array(text.utf8)))
    }

    /// Sends one byte every `interval` until the other side closes; what it said. Nil when it had not closed after `limit`.
    func drip(every interval: Duration, within limit: Duration) async throws -> String? {
        defer { close(socket) }
        let deadline = ContinuousClock.now + limit
        var said: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while ContinuousClock.now < deadline {
            let count = recv(socket, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            if count == 0 || count < 0 && errno != EAGAIN { return String(decoding: said, as: UTF8.self) }
            if count > 0 { said += buffer[..<count] } else if !write([UInt8(ascii: "x")]) { return String(decoding: said, as: UTF8.self) }
            try await Task.sleep(for: interval)
        }
        return nil
    }

    private func write(_ bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBytes { send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) } == bytes.count
    }
}
