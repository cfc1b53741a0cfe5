import Conversation

/// A call whose method, URL and headers cannot become anything else on the wire: no character that ends a line, a header or a path part
/// early.
struct CheckedRequest: Sendable {
    let call: HTTPCall
    /// `https://api.example:443`: calls to one of these wait in one line.
    let host: String
    /// HTTP/1.1 without TLS.
    var isPlain: Bool { host.hasPrefix("http://") }
    /// As libcurl wants them: `Name: value`, or `Name;` for an empty value.
    let headerLines: [String]

    static let longestURL = 16_384

    init(_ call: HTTPCall) throws(HTTPFailure) {
        guard Self.isToken(call.method), call.method.utf8.count <= 32, call.method.uppercased() != "CONNECT" else {
            throw Self.invalid("the method is no HTTP token or is CONNECT")
        }
        self.call = call
        host = try Self.host(of: call.url)
        headerLines = try call.headers.map { header throws(HTTPFailure) in try Self.line(header.name, header.value) }
    }

    /// These frame the request or choose its receiver; only libcurl writes them.
    private static let reservedHeaders: Set<String> = [
        "host", "content-length", "transfer-encoding", "connection", "keep-alive", "proxy-connection", "proxy-authorization", "te",
        "trailer",
        "upgrade", "expect", "http2-settings",
    ]

    private static func line(_ name: String, _ value: String) throws(HTTPFailure) -> String {
        guard isToken(name) else { throw invalid("a header name is no HTTP token") }
        guard !reservedHeaders.contains(name.lowercased()) else { throw invalid("the header \(name) is not the caller's to set") }
        guard value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }) else {
            throw invalid("the value of header \(name) holds a control character")
        }
        return value.utf8.allSatisfy({ $0 == 0x20 || $0 == 0x09 }) ? "\(name);" : "\(name): \(value)"
    }

    static func invalid(_ detail: String) -> HTTPFailure { HTTPFailure(kind: .invalidRequest, mayHaveBeenSent: false, detail: detail) }

    /// RFC 9110, 5.6.2.
    private static func isToken(_ text: String) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                default: tokenMarks.contains(byte)
                }
            }
    }

    private static let tokenMarks = Array("!#$%&'*+-.^_`|~".utf8)
}

// MARK: URL

extension CheckedRequest {
    /// `scheme://host[:port]` of an absolute http(s) URL, in lower case and always with the port. Throws for anything that two parsers
    /// might read differently.
    private static func host(of url: String) throws(HTTPFailure) -> String {
        guard url.utf8.count <= longestURL else { throw invalid("the URL is longer than \(longestURL) bytes") }
        guard url.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && !urlStrangers.contains($0) }) else {
            throw invalid("the URL holds a character that must be percent-encoded")
        }
        let (scheme, defaultPort, rest) = try split(url)
        let end = rest.firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") } ?? rest.endIndex
        let (name, port) = try authority(rest[..<end])
        try checkPath(rest[end...])
        return "\(scheme)://\(name):\(port ?? defaultPort)"
    }

    /// What RFC 3986 allows nowhere, and `#`: a fragment never leaves the client, so whoever wrote one meant something else.
    private static let urlStrangers = Array("\"<>\\^`{|}#".utf8)

    private static func split(_ url: String) throws(HTTPFailure) -> (scheme: String, defaultPort: Int, rest: ArraySlice<UInt8>) {
        let bytes = Array(url.utf8)
        for (scheme, port) in [("http", 80), ("https", 443)] {
            let start = Array("\(scheme)://".utf8)
            if bytes.count > start.count, zip(bytes, start).allSatisfy({ $0 == $1 || $0 | 0x20 == $1 }) {
                return (scheme, port, bytes[start.count...])
            }
        }
        throw invalid("the URL is not absolute http or https")
    }

    private static func authority(_ bytes: ArraySlice<UInt8>) throws(HTTPFailure) -> (name: String, port: Int?) {
        guard !bytes.contains(UInt8(ascii: "@")) else { throw invalid("the URL holds a user name or a password") }
        var name = bytes
        var port: Int?
        let afterBracket = bytes.lastIndex(of: UInt8(ascii: "]")) ?? bytes.startIndex
        if let colon = bytes[afterBracket...].firstIndex(of: UInt8(ascii: ":")) {
            let digits = bytes[(colon + 1)...]
            guard digits.allSatisfy({ (48...57).contains($0) }), let number = Int(String(decoding: digits, as: UTF8.self)),
                (1...65_535).contains(number)
            else { throw invalid("the port of the URL is not 1 to 65535") }
            port = number
            name = bytes[..<colon]
        }
        let text = String(decoding: name, as: UTF8.self).lowercased()
        guard isHost(text) else { throw invalid("the host of the URL is no name and no address") }
        return (text, port)
    }

    private static func isHost(_ text: String) -> Bool {
        if text.hasPrefix("["), text.hasSuffix("]") {
            let inside = String(text.dropFirst().dropLast())
            return inside.contains(":") && IPAddress(inside) != nil
        }
        return !text.isEmpty && text.utf8.count <= 253
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
                    UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }

    /// A dot segment climbs out of the path it was put into, percent-encoded or not, and a broken escape is read differently by every
    /// server.
    private static func checkPath(_ bytes: ArraySlice<UInt8>) throws(HTTPFailure) {
        var index = bytes.startIndex
        while index < bytes.endIndex {
            if bytes[index] == UInt8(ascii: "%") {
                guard index + 2 < bytes.endIndex, Hex.value(of: bytes[index + 1]) != nil, Hex.value(of: bytes[index + 2]) != nil else {
                    throw invalid("the URL holds a broken percent-escape")
                }
                index += 2
            }
            index += 1
        }
        let path = bytes.prefix { $0 != UInt8(ascii: "?") }
        for part in path.split(separator: UInt8(ascii: "/")) {
            let plain = String(decoding: part, as: UTF8.self).lowercased().split(separator: "%2e", omittingEmptySubsequences: false).joined(
                separator: ".")
            guard plain != ".", plain != ".." else { throw invalid("the path of the URL holds a dot segment") }
        }
    }
}
