import CCurl
import Conversation

/// One libcurl easy handle, used for one transfer after another. Lives on the transfer thread.
final class EasyHandle {
    let raw: UnsafeMutableRawPointer
    /// The pool it belongs to for good: its connections come from that pool's share alone.
    unowned let pool: Pool
    private(set) var transfer: Transfer?
    /// The connection that the transfer goes over.
    private var ends: ConnectionEnds?
    private let errorText: UnsafeMutablePointer<CChar>
    private let settings: ClientSettings

    static let connectTimeout = 3_000

    init?(pool: Pool, settings: ClientSettings) {
        guard let raw = curl_easy_init() else { return nil }
        self.raw = raw
        self.pool = pool
        self.settings = settings
        errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
        errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
    }

    deinit {
        curl_easy_cleanup(raw)
        errorText.deallocate()
    }

    /// libcurl's own words on what went wrong, or the name of the code.
    func explanation(of code: CURLcode) -> String {
        let words = String(cString: errorText)
        return words.isEmpty ? String(cString: curl_easy_strerror(code)) : words
    }

    /// Sets every option of the next transfer. Nil, or the first option that was refused: an option that does not hold is a transfer not
    /// made.
    func prepare(_ transfer: Transfer, milliseconds: Int) -> CURLcode? {
        self.transfer = transfer
        errorText[0] = 0
        var refused: CURLcode?
        func set(_ code: CURLcode) { if code != CURLE_OK, refused == nil { refused = code } }
        setGuards(set)
        setCallbacks(set)
        setRequest(transfer, set)
        set(ccurl_set_long(raw, CURLOPT_TIMEOUT_MS, milliseconds))
        set(ccurl_set_long(raw, CURLOPT_CONNECTTIMEOUT_MS, min(milliseconds, Self.connectTimeout)))
        return refused
    }

    /// Notes for the next use of the connection what its answer tells of it.
    func noteAnswer() {
        guard let ends else { return }
        let version = ccurl_http_version(raw)
        pool.sockets.answered(ends, speaksInTurn: version == CURL_HTTP_VERSION_1_0 || version == CURL_HTTP_VERSION_1_1)
    }

    /// Forgets the transfer, its body and its headers; connections stay with the pool.
    func reset() {
        curl_easy_reset(raw)
        transfer = nil
        ends = nil
    }

    /// What no call may change.
    private func setGuards(_ set: (CURLcode) -> Void) {
        set(ccurl_set_pointer(raw, CURLOPT_SHARE, pool.share))
        set(ccurl_set_text(raw, CURLOPT_PROTOCOLS_STR, "http,https"))
        set(ccurl_set_long(raw, CURLOPT_FOLLOWLOCATION, 0))
        set(ccurl_set_long(raw, CURLOPT_NETRC, Int(CURL_NETRC_IGNORED.rawValue)))
        set(ccurl_set_text(raw, CURLOPT_PROXY, ""))
        set(ccurl_set_long(raw, CURLOPT_DISALLOW_USERNAME_IN_URL, 1))
        set(ccurl_set_long(raw, CURLOPT_PATH_AS_IS, 1))
        set(ccurl_set_long(raw, CURLOPT_NOSIGNAL, 1))
        // Without it, giving up a name look-up waits for the resolver's thread, and every other transfer with it.
        set(ccurl_set_long(raw, CURLOPT_QUICK_EXIT, 1))
        set(ccurl_set_long(raw, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2))
        set(ccurl_set_long(raw, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_2TLS))
        set(ccurl_set_long(raw, CURLOPT_TCP_KEEPALIVE, 1))
        set(ccurl_set_long(raw, CURLOPT_MAXLIFETIME_CONN, 600))
        set(ccurl_set_text(raw, CURLOPT_ACCEPT_ENCODING, "gzip"))
        set(ccurl_set_text(raw, CURLOPT_USERAGENT, settings.userAgent))
        if let authorities = settings.certificateAuthorities { set(ccurl_set_text(raw, CURLOPT_CAINFO, authorities)) }
    }

    private func setCallbacks(_ set: (CURLcode) -> Void) {
        let context = Unmanaged.passUnretained(self).toOpaque()
        set(ccurl_set_pointer(raw, CURLOPT_PRIVATE, context))
        set(ccurl_set_pointer(raw, CURLOPT_ERRORBUFFER, errorText))
        set(ccurl_set_pointer(raw, CURLOPT_WRITEDATA, context))
        set(ccurl_set_data_callback(raw, CURLOPT_WRITEFUNCTION, writeBody))
        set(ccurl_set_pointer(raw, CURLOPT_HEADERDATA, context))
        set(ccurl_set_data_callback(raw, CURLOPT_HEADERFUNCTION, writeHeader))
        set(ccurl_set_pointer(raw, CURLOPT_OPENSOCKETDATA, context))
        set(ccurl_set_socket_callback(raw, openSocket))
        set(ccurl_set_pointer(raw, CURLOPT_CLOSESOCKETDATA, Unmanaged.passUnretained(pool.sockets).toOpaque()))
        set(ccurl_set_close_callback(raw, closeSocket))
        set(ccurl_set_pointer(raw, CURLOPT_PREREQDATA, context))
        set(ccurl_set_prerequest_callback(raw, beforeRequest))
    }

    /// Whether the connection about to be used carries nothing that was not asked for. HTTP/1 is judged by its socket; over HTTP/2 bytes
    /// between two answers are ordinary. With TLS a word of the protocol itself may lie there too (a ticket, a new key, the end): then a
    /// connection more is made, and nothing is lost.
    fileprivate func isClean(_ ends: ConnectionEnds) -> Bool {
        guard let transfer else { return true }
        self.ends = ends
        switch pool.sockets.use(ends, isPlain: transfer.request.isPlain) {
        case .fresh, .quiet, .unknown: return true
        case .spoilt: return false
        }
    }

    private func setRequest(_ transfer: Transfer, _ set: (CURLcode) -> Void) {
        let call = transfer.call
        set(ccurl_set_text(raw, CURLOPT_URL, call.url))
        set(ccurl_set_list(raw, CURLOPT_HTTPHEADER, transfer.headers.raw))
        set(ccurl_set_long(raw, CURLOPT_FRESH_CONNECT, transfer.needsFreshConnection ? 1 : 0))
        if let body = call.body ?? (Self.expectsBody(call.method) ? [] : nil) {
            set(ccurl_set_long(raw, CURLOPT_POST, 1))
            set(ccurl_set_offset(raw, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(body.count)))
            set(body.isEmpty ? ccurl_set_text(raw, CURLOPT_COPYPOSTFIELDS, "") : copy(body))
        } else if call.method == "HEAD" {
            set(ccurl_set_long(raw, CURLOPT_NOBODY, 1))
        } else {
            set(ccurl_set_long(raw, CURLOPT_HTTPGET, 1))
        }
        set(ccurl_set_text(raw, CURLOPT_CUSTOMREQUEST, call.method))
    }

    private func copy(_ body: [UInt8]) -> CURLcode {
        body.withUnsafeBytes { ccurl_set_pointer(raw, CURLOPT_COPYPOSTFIELDS, UnsafeMutableRawPointer(mutating: $0.baseAddress)) }
    }

    /// These say `Content-Length: 0` when they carry nothing (RFC 9110, 8.6).
    private static func expectsBody(_ method: String) -> Bool { method == "POST" || method == "PUT" || method == "PATCH" }
}

// MARK: libcurl calls these on the transfer thread, with the handle as context

private func writeBody(_ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?) -> Int {
    guard let transfer = transfer(in: context), transfer.takeBody(UnsafeRawBufferPointer(start: bytes, count: size * count)) else {
        return refusedWrite
    }
    return size * count
}

private func writeHeader(_ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?) -> Int {
    guard let transfer = transfer(in: context), transfer.takeHeader(UnsafeRawBufferPointer(start: bytes, count: size * count)) else {
        return refusedWrite
    }
    return size * count
}

/// Any number but the bytes given aborts; zero would be success for an empty write.
private let refusedWrite = Int(UInt32.max)

private func openSocket(
    _ context: UnsafeMutableRawPointer?, _ purpose: curlsocktype, _ address: UnsafeMutablePointer<curl_sockaddr>?
) -> curl_socket_t {
    var bytes = [UInt8](repeating: 0, count: 16)
    var port: UInt16 = 0
    guard let transfer = transfer(in: context), let address, ccurl_read_address(address, &bytes, &port) == 1,
        transfer.mayConnect(to: IPAddress(bytes), port: Int(port))
    else { return -1 }
    let socket = ccurl_open_socket(address)
    if socket >= 0 { handle(in: context)?.pool.sockets.add(socket) }
    return socket
}

private func closeSocket(_ context: UnsafeMutableRawPointer?, _ socket: curl_socket_t) -> Int32 {
    if let context { Unmanaged<SocketTable>.fromOpaque(context).takeUnretainedValue().remove(socket) }
    return ccurl_close_socket(socket)
}

private func beforeRequest(
    _ context: UnsafeMutableRawPointer?, _ peer: UnsafeMutablePointer<CChar>?, _ local: UnsafeMutablePointer<CChar>?, _ peerPort: Int32,
    _ localPort: Int32
) -> Int32 {
    guard let handle = handle(in: context), let transfer = handle.transfer, let peer, let local else { return CURL_PREREQFUNC_ABORT }
    let ends = ConnectionEnds(local: String(cString: local), localPort: localPort, peer: String(cString: peer), peerPort: peerPort)
    return transfer.letThrough(peer: ends.peer, port: Int(peerPort), isClean: { handle.isClean(ends) })
        ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT
}

private func handle(in context: UnsafeMutableRawPointer?) -> EasyHandle? {
    context.map { Unmanaged<EasyHandle>.fromOpaque($0).takeUnretainedValue() }
}

private func transfer(in context: UnsafeMutableRawPointer?) -> Transfer? { handle(in: context)?.transfer }
