package import Conversation
internal import Signing

/// Links to files of customers that only the brand's own key opens: `{public_url}/media/{token}`. A token names one message and an end, and is
/// signed with the brand's secret; it opens nothing else, for nobody else's brand, and nothing after its end.
package struct MediaLinks: Sendable {
    /// What a token opens.
    package struct Target: Sendable, Hashable {
        package var brand: BrandID
        package var session: SessionID
        package var message: MessageID
    }

    private static let purpose = Array("switchboard media link\n".utf8)

    private let brand: BrandID
    private let keys: [HMACKey]
    private let settings: HandoverConfiguration

    /// Signs with the brand's first signing secret, and believes all of them.
    package init(_ configuration: BrandConfiguration) {
        brand = configuration.id
        keys = configuration.api.signingSecrets.map { HMACKey(Array($0.reveal().utf8)) }
        settings = configuration.handover
    }

    /// Nil where the brand says no address of this gateway.
    func link(to message: MessageID, in session: SessionID, now: Timestamp) -> String? {
        guard let base = settings.publicURL, let key = keys.first else { return nil }
        let end = (now + settings.linksExpire).milliseconds / 1_000
        let body = "\(brand).\(Hex.encode(session.bytes)).\(Hex.encode(message.bytes)).\(end)"
        let code = Hex.encode(key.authenticationCode(for: Self.purpose + Array(body.utf8)))
        return "\(base.hasSuffix("/") ? String(base.dropLast()) : base)/media/\(body).\(code)"
    }

    /// The brand that a token says it is of; nothing of it is proven.
    package static func brand(of token: String) -> BrandID? {
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 5 && token.utf8.count <= 400 ? BrandID(rawValue: String(parts[0])) : nil
    }

    /// Nil for a token that this brand did not sign, and for one whose time is over.
    package func target(of token: String, now: Timestamp) -> Target? {
        let parts = token.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 5, parts[0] == brand.rawValue, let given = Hex.decode(parts[4].utf8) else { return nil }
        let signed = Self.purpose + Array(parts.dropLast().joined(separator: ".").utf8)
        guard keys.contains(where: { Digest.equal($0.authenticationCode(for: signed), given) }) else { return nil }
        guard let end = Int64(parts[3]), now.milliseconds / 1_000 < end,
            let session = Hex.decode(parts[1].utf8).flatMap({ SessionID(bytes: $0) }),
            let message = Hex.decode(parts[2].utf8).flatMap({ MessageID(bytes: $0) })
        else { return nil }
        return Target(brand: brand, session: session, message: message)
    }
}
