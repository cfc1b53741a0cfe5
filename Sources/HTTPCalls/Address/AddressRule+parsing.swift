package import Conversation

/// Why a text is no address rule, in words for whoever wrote the configuration.
package struct AddressRuleError: Error, Sendable, Hashable, CustomStringConvertible {
    /// One sentence that names the text and, where there is one, the way out.
    package let description: String
}

extension AddressRule {
    /// Reads an IP or CIDR with an optional port: `127.0.0.1`, `10.0.0.0/8:8443`, `fd00::/8`, `[::1]:80`, `[fd00::/8]:443`. IPv6 with a
    /// port stands in brackets. Throws `AddressRuleError` for names, zones, bits set beyond the prefix and ports outside 1...65535.
    package init(parsing text: String) throws(AddressRuleError) {
        func wrong(_ reason: String) -> AddressRuleError { AddressRuleError(description: "\"\(text)\" is no address rule: \(reason)") }
        let (networkText, portText) = Self.split(text)
        let parts = networkText.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let addressText = parts.first, let address = IPAddress(String(addressText)) else {
            throw wrong("expected an IP such as 127.0.0.1 or [::1], or a network such as 10.0.0.0/8, optionally with :port")
        }
        let isDotted = !addressText.contains(":")
        let width = isDotted ? 32 : 128
        var prefix = width
        if parts.count == 2 {
            guard let number = Self.number(parts[1]), (0...width).contains(number) else { throw wrong("the prefix must be 0 to \(width)") }
            prefix = number
        }
        let whole = isDotted ? 96 + prefix : prefix
        let mask: UInt128 = whole == 0 ? 0 : UInt128.max << UInt128(128 - whole)
        let network = IPAddress(value: address.value & mask | (isDotted ? IPAddress.mapped(0) : 0))
        guard network == address else { throw wrong("bits are set beyond the prefix; did you mean \(network)/\(prefix)?") }
        var port: Int?
        if let portText {
            guard let number = Self.number(portText), (1...65_535).contains(number) else { throw wrong("the port must be 1 to 65535") }
            port = number
        }
        self.init(network: network.bytes, prefix: whole, port: port, description: text)
    }

    /// Network and port apart. More than one colon outside brackets is IPv6 without a port.
    private static func split(_ text: String) -> (network: String, port: Substring?) {
        if text.hasPrefix("["), let end = text.lastIndex(of: "]") {
            let inside = text[text.index(after: text.startIndex)..<end]
            let rest = text[text.index(after: end)...]
            guard let colon = rest.firstIndex(of: ":") else { return (String(inside + rest), nil) }
            return (String(inside + rest[..<colon]), rest[rest.index(after: colon)...])
        }
        let colons = text.count { $0 == ":" }
        guard colons == 1, let colon = text.firstIndex(of: ":") else { return (text, nil) }
        return (String(text[..<colon]), text[text.index(after: colon)...])
    }

    /// Decimal digits only: `Int.init` would take a sign.
    private static func number(_ text: Substring) -> Int? {
        text.utf8.allSatisfy { (48...57).contains($0) } ? Int(text) : nil
    }
}
