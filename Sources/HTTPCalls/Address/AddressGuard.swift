import Conversation

/// Decides from the resolved address, never from the name, whether a connection may be made: a private address has a dozen spellings and
/// any name can resolve to one.
enum AddressGuard {
    static func permits(_ address: IPAddress, port: Int, rules: [AddressRule]) -> Bool {
        isPublic(address) || rules.contains { $0.opens(address, port: port) }
    }

    /// IANA's special-purpose registries (RFC 6890 and its updates): what is not globally reachable is not public. IPv6 is read the other
    /// way round: only global unicast (2000::/3) is public at all, less the ranges that carry another address inside or are set aside.
    static func isPublic(_ address: IPAddress) -> Bool {
        if address.isIPv4 { return !closedIPv4.contains { address.isWithin($0.network, prefix: $0.prefix) } }
        return address.isWithin(0x2000 << 112, prefix: 3) && !closedIPv6.contains { address.isWithin($0.network, prefix: $0.prefix) }
    }

    private typealias Range = (network: UInt128, prefix: Int)

    private static let closedIPv4: [Range] = [
        four(0, 0, 0, 0, 8),  // this network, and 0.0.0.0 that connects to the machine itself
        four(10, 0, 0, 0, 8),  // private
        four(100, 64, 0, 0, 10),  // behind a provider's NAT
        four(127, 0, 0, 0, 8),  // loopback
        four(169, 254, 0, 0, 16),  // link-local, and the clouds' metadata services
        four(172, 16, 0, 0, 12),  // private
        four(192, 0, 0, 0, 24),  // protocol assignments
        four(192, 0, 2, 0, 24),  // documentation
        four(192, 88, 99, 0, 24),  // 6to4 relays
        four(192, 168, 0, 0, 16),  // private
        four(198, 18, 0, 0, 15),  // benchmarks
        four(198, 51, 100, 0, 24),  // documentation
        four(203, 0, 113, 0, 24),  // documentation
        four(224, 0, 0, 0, 4),  // multicast
        four(240, 0, 0, 0, 4),  // reserved, and broadcast
    ]

    private static let closedIPv6: [Range] = [
        six(0x2001, 0, 23),  // protocol assignments, Teredo among them
        six(0x2001, 0x0DB8, 32),  // documentation
        six(0x2002, 0, 16),  // 6to4: an IPv4 address inside
        six(0x3FFF, 0, 20),  // documentation
    ]

    private static func four(_ a: UInt32, _ b: UInt32, _ c: UInt32, _ d: UInt32, _ prefix: Int) -> Range {
        (IPAddress.mapped(a << 24 | b << 16 | c << 8 | d), 96 + prefix)
    }

    private static func six(_ first: UInt128, _ second: UInt128, _ prefix: Int) -> Range { (first << 112 | second << 96, prefix) }
}

extension AddressRule {
    func opens(_ address: IPAddress, port: Int) -> Bool {
        (self.port == nil || self.port == port) && address.isWithin(IPAddress(network).value, prefix: prefix)
    }
}
