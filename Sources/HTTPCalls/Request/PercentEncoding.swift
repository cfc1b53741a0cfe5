/// RFC 3986 percent-encoding that leaves only unreserved characters (letters, digits, `-._~`) as they are.
package enum PercentEncoding {
    /// One part of a path: what it holds cannot begin another part, a query or a fragment. The parts `.` and `..` keep their meaning in
    /// every spelling, so `CurlClient` refuses URLs that hold them.
    package static func pathPart(_ text: String) -> String { encode(text) }

    /// A name or a value of a query; a space becomes `%20`, never `+`.
    package static func queryComponent(_ text: String) -> String { encode(text) }

    /// `a=1&b=2` in the order given; empty for no items.
    package static func query(_ items: [(name: String, value: String)]) -> String {
        items.map { "\(queryComponent($0.name))=\(queryComponent($0.value))" }.joined(separator: "&")
    }

    private static let digits = Array("0123456789ABCDEF".utf8)

    private static func encode(_ text: String) -> String {
        var encoded: [UInt8] = []
        encoded.reserveCapacity(text.utf8.count)
        for byte in text.utf8 {
            if isUnreserved(byte) {
                encoded.append(byte)
            } else {
                encoded.append(UInt8(ascii: "%"))
                encoded.append(digits[Int(byte >> 4)])
                encoded.append(digits[Int(byte & 15)])
            }
        }
        return String(decoding: encoded, as: UTF8.self)
    }

    private static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"):
            true
        default: false
        }
    }
}
