import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Ports of 127.0.0.1 for servers of tests. They lie below those that systems lend to outgoing connections (Linux: from 32768), so none is
/// gone between the look and its use; the test runs of both stores, which may go on at once, take every other one each.
package enum FreePort {
    package struct NoneLeft: Error, CustomStringConvertible {
        package let description = "there is no free port on 127.0.0.1"
    }

    private static let range = 12_000..<32_000
    private static let places = range.count / 2
    /// Begins anywhere: what an earlier process of the same kind left in the kernel may still hold its ports.
    private static let next = Mutex(Int.random(in: 0..<places))

    /// One that nobody listens on, and that this process was not given for long. Throws `NoneLeft`.
    package static func take() throws -> Int {
        let parity = TestDatabase.Kind.ofThisRun == .sqlite ? 0 : 1
        for _ in 0..<places {
            let place = next.withLock { place in
                place = (place + 1) % places
                return place
            }
            let port = range.lowerBound + place * 2 + parity
            if isFree(port) { return port }
        }
        throw NoneLeft()
    }

    private static func isFree(_ port: Int) -> Bool {
        #if canImport(Glibc)
            let kind = Int32(SOCK_STREAM.rawValue)
        #else
            let kind = SOCK_STREAM
        #endif
        let socket = socket(AF_INET, kind, 0)
        guard socket >= 0 else { return false }
        defer { close(socket) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(port)).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0 }
        }
    }
}
