#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// An IPv4 or IPv6 address as one 128-bit number; IPv4 stands in it as IPv4-mapped (`::ffff:a.b.c.d`), so that both spellings are one
/// address.
struct IPAddress: Hashable, Sendable {
    let value: UInt128

    init(value: UInt128) { self.value = value }

    init(_ bytes: some Sequence<UInt8>) { value = bytes.reduce(0) { $0 << 8 | UInt128($1) } }

    /// Reads dotted decimal (exactly four numbers without leading zeros) or RFC 4291 text, without brackets or zone; else nil.
    init?(_ text: String) {
        var bytes = [UInt8](repeating: 0, count: 16)
        if inet_pton(AF_INET, text, &bytes) == 1 {
            self.init(value: Self.mapped(UInt32(bytes[0]) << 24 | UInt32(bytes[1]) << 16 | UInt32(bytes[2]) << 8 | UInt32(bytes[3])))
        } else if inet_pton(AF_INET6, text, &bytes) == 1 {
            self.init(bytes)
        } else {
            return nil
        }
    }

    static func mapped(_ four: UInt32) -> UInt128 { 0xFFFF << 32 | UInt128(four) }

    var isIPv4: Bool { value >> 32 == 0xFFFF }

    var bytes: [UInt8] { (0..<16).map { UInt8(truncatingIfNeeded: value >> (120 - 8 * $0)) } }

    func isWithin(_ network: UInt128, prefix: Int) -> Bool {
        prefix <= 0 || (value ^ network) >> (128 - min(prefix, 128)) == 0
    }
}

extension IPAddress: CustomStringConvertible {
    var description: String {
        let bytes = self.bytes
        if isIPv4 { return bytes[12...].map(String.init).joined(separator: ".") }
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        guard inet_ntop(AF_INET6, bytes, &text, socklen_t(text.count)) != nil else { return "?" }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
