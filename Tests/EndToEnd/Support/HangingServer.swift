import Testing

#if canImport(Glibc)
    import Glibc
#endif

/// A port where connections come about and nothing is ever answered.
final class HangingServer {
    let port: Int
    private let socket: Int32

    init() throws {
        port = try Rig.freePort()
        socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        let bound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0 && listen(socket, 4096) == 0
            }
        }
        try #require(bound, "the port \(port) cannot be had")
    }

    deinit { close(socket) }
}
