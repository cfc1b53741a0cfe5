import Conversation
import HTTPCalls

/// The reverse proxies whose word counts, and what follows from it: on whose behalf a request came.
struct TrustedProxies: Sendable {
    let rules: [AddressRule]

    /// The address that a request came from. `forwardedFor` holds every value of `X-Forwarded-For` in order; each proxy adds at the right
    /// whom it saw. Whoever is not ours may have written anything, so it is read from the right for as long as our own proxies are named.
    func origin(peer: String?, forwardedFor: [String]) -> String? {
        guard let peer, trusts(peer) else { return peer }
        var nearest = peer
        for entry in forwardedFor.joined(separator: ",").split(separator: ",", omittingEmptySubsequences: false).reversed() {
            // An entry that names no address was not written by a proxy of ours; what stands left of it is hearsay.
            guard let address = Self.address(entry) else { return nearest }
            nearest = address
            guard trusts(address) else { return address }
        }
        return nearest
    }

    private func trusts(_ address: String) -> Bool {
        guard !rules.isEmpty, let bytes = Self.bytes(address) else { return false }
        return rules.contains { Self.covers($0, bytes) }
    }

    /// Without the port that some proxies add and the brackets around it; nil for what is no address, such as `unknown`.
    private static func address(_ entry: Substring) -> String? {
        let text = entry.drop { $0 == " " || $0 == "\t" }
        guard let end = text.lastIndex(where: { $0 != " " && $0 != "\t" }) else { return nil }
        var address = text[...end]
        if address.hasPrefix("["), let close = address.firstIndex(of: "]") {
            address = address[address.index(after: address.startIndex)..<close]
        } else if address.count(where: { $0 == ":" }) == 1 {
            address = address.prefix { $0 != ":" }
        }
        return bytes(String(address)) == nil ? nil : String(address)
    }

    /// 16 bytes, IPv4 as IPv4-mapped; nil for what is no single address.
    private static func bytes(_ address: String) -> [UInt8]? {
        guard let rule = try? AddressRule(parsing: address), rule.prefix == 128, rule.port == nil, !address.contains("/") else {
            return nil
        }
        return rule.network
    }

    private static func covers(_ rule: AddressRule, _ address: [UInt8]) -> Bool {
        let (whole, rest) = rule.prefix.quotientAndRemainder(dividingBy: 8)
        guard rule.network.prefix(whole) == address.prefix(whole) else { return false }
        return rest == 0 || (rule.network[whole] ^ address[whole]) >> UInt8(8 - rest) == 0
    }
}
