import CCurl

/// The open sockets of one pool, so that a kept connection can be looked at before it is used again. libcurl 7.88 takes a connection on
/// which bytes wait for a healthy one, and those bytes for the answer to the next request. Lives on the transfer thread.
final class SocketTable {
    enum Standing {
        /// Seen for the first time: nothing can have been left on it.
        case fresh
        /// Used before, and quiet.
        case quiet
        /// Used before, and something came unasked, or its end.
        case spoilt
        /// Not among those that were opened here.
        case unknown
    }

    private struct Connection {
        let socket: Int32
        /// One answer after the other, so that between two of them it is quiet: HTTP/1.
        var speaksInTurn: Bool
    }

    private var opened: Set<Int32> = []
    private var used: [ConnectionEnds: Connection] = [:]

    func add(_ socket: Int32) { opened.insert(socket) }

    func remove(_ socket: Int32) {
        opened.remove(socket)
        used = used.filter { $0.value.socket != socket }
    }

    /// How the connection between these ends stands, now that it is about to be used. A spoilt one is emptied and shut, so that libcurl
    /// finds it dead. `isPlain` is for one without TLS, which never speaks HTTP/2.
    func use(_ ends: ConnectionEnds, isPlain: Bool) -> Standing {
        if let known = used[ends] {
            guard known.speaksInTurn, ccurl_is_readable(known.socket) != 0 else { return .quiet }
            ccurl_spoil(known.socket)
            return .spoilt
        }
        guard let socket = opened.first(where: { ConnectionEnds(of: $0) == ends }) else {
            return .unknown
        }
        opened.remove(socket)
        used[ends] = Connection(socket: socket, speaksInTurn: isPlain)
        return .fresh
    }

    /// What an answer that came over the connection between these ends tells of it.
    func answered(_ ends: ConnectionEnds, speaksInTurn: Bool) { used[ends]?.speaksInTurn = speaksInTurn }
}

/// What tells one connection from all others of its time.
struct ConnectionEnds: Hashable {
    let local: String
    let localPort: Int32
    let peer: String
    let peerPort: Int32

    init(local: String, localPort: Int32, peer: String, peerPort: Int32) {
        (self.local, self.localPort, self.peer, self.peerPort) = (local, localPort, peer, peerPort)
    }

    /// Nil when the socket is not connected.
    init?(of socket: Int32) {
        var ends = ccurl_ends()
        guard ccurl_read_ends(socket, &ends) == 1 else { return nil }
        self.init(
            local: withUnsafeBytes(of: &ends.local, Self.text), localPort: ends.local_port,
            peer: withUnsafeBytes(of: &ends.peer, Self.text),
            peerPort: ends.peer_port)
    }

    private static func text(_ bytes: UnsafeRawBufferPointer) -> String {
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
}
