package import Conversation
import Foundation
import JWTKit

/// Reads tokens (RFC 7519) that somebody else signed. The configured key says the one algorithm that is taken, so neither `none` nor a
/// public key used as a shared secret gets anywhere.
package struct JWTReader: TokenReader {
    /// Longer tokens are refused unread.
    package static let maxBytes = 8192

    private let clock: any WallClock
    private let leeway: Double

    /// `leeway`: how far the clocks of signer and reader may be apart, 30 s at most.
    package init(clock: any WallClock, leeway: Duration = .seconds(30)) {
        self.clock = clock
        self.leeway = min(max(leeway.seconds, 0), 30)
    }

    package func claims(of token: String, rules: TokenRules) async throws -> JSONValue {
        let parts = try Self.parts(of: token)
        let header = try StrictJSON.object(parts.header)
        guard header["alg"] == .string(rules.key.algorithm) else { throw TokenError.wrongAlgorithm }
        // Extensions that must be understood (RFC 7515, 4.1.11): we know none.
        guard header["crit"] == nil else { throw TokenError.malformed }
        try await Self.verify(parts, rules.key)
        let claims = try StrictJSON.object(parts.payload)
        try checkTimes(claims)
        guard Self.audiences(claims["aud"]).contains(rules.audience) else { throw TokenError.wrongAudience }
        if let issuer = rules.issuer, claims["iss"] != .string(issuer) { throw TokenError.wrongIssuer }
        return .object(claims)
    }

    private func checkTimes(_ claims: [String: JSONValue]) throws {
        let now = Double(clock.now.milliseconds) / 1000
        guard let expires = claims["exp"]?.double else { throw TokenError.malformed }
        guard now < expires + leeway else { throw TokenError.expired }
        guard let start = claims["nbf"] else { return }
        guard let begins = start.double else { throw TokenError.malformed }
        guard now >= begins - leeway else { throw TokenError.notYetValid }
    }

    /// One audience or a list of them.
    private static func audiences(_ claim: JSONValue?) -> [String] {
        if let one = claim?.string { return [one] }
        return (claim?.array ?? []).compactMap(\.string)
    }

    private struct Parts {
        var header: [UInt8]
        var payload: [UInt8]
        var signature: [UInt8]
        var signed: [UInt8]
    }

    private static func parts(of token: String) throws -> Parts {
        guard token.utf8.count <= maxBytes else { throw TokenError.malformed }
        let texts = token.split(separator: ".", omittingEmptySubsequences: false)
        guard texts.count == 3, texts.allSatisfy(isBase64URL), let header = Base64.decode(texts[0]), let payload = Base64.decode(texts[1]),
            let signature = Base64.decode(texts[2])
        else { throw TokenError.malformed }
        return Parts(header: header, payload: payload, signature: signature, signed: Array("\(texts[0]).\(texts[1])".utf8))
    }

    /// Not empty, no padding, no character of the other alphabet: one token has one spelling.
    private static func isBase64URL(_ text: Substring) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy {
                switch $0 {
                case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                    UInt8(ascii: "-"), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }

    private static func verify(_ parts: Parts, _ key: TokenRules.Key) async throws {
        let algorithm = try await algorithm(key)
        // A signature of a wrong length makes some algorithms throw, others say no.
        let isGood = (try? algorithm.verify(parts.signature, signs: parts.signed)) ?? false
        guard isGood else { throw TokenError.wrongSignature }
    }

    private static func algorithm(_ key: TokenRules.Key) async throws -> any JWTAlgorithm {
        let keys = JWTKeyCollection()
        switch key {
        case .hs256(let secret):
            let bytes = Array(secret.reveal().utf8)
            guard bytes.count >= 32 else { throw TokenError.unusableKey("a secret for HS256 holds at least 32 bytes") }
            await keys.add(hmac: JWTKit.HMACKey(from: bytes), digestAlgorithm: .sha256)
        case .rs256(let pem):
            guard let key = try? Insecure.RSA.PublicKey(pem: pem) else {
                throw TokenError.unusableKey("RS256 needs an RSA public key of at least 2048 bits as PEM")
            }
            await keys.add(rsa: key, digestAlgorithm: .sha256)
        case .es256(let pem):
            guard let key = try? ES256PublicKey(pem: pem) else {
                throw TokenError.unusableKey("ES256 needs a P-256 public key as PEM")
            }
            await keys.add(ecdsa: key)
        }
        return try await keys.getKey()
    }
}

extension TokenRules.Key {
    /// Its name in a token's header.
    var algorithm: String {
        switch self {
        case .hs256: "HS256"
        case .rs256: "RS256"
        case .es256: "ES256"
        }
    }
}

/// JSON objects of which no member stands twice: two readers could take different ones (RFC 7519, section 4).
enum StrictJSON {
    /// Throws `TokenError.malformed` for anything else.
    static func object(_ bytes: [UInt8]) throws -> [String: JSONValue] {
        guard let value = try? JSONDecoder().decode(JSONValue.self, from: Data(bytes)), case .object(let members) = value,
            keyCount(bytes) == members.count
        else { throw TokenError.malformed }
        return members
    }

    /// How many members the outermost object of a valid text has as written: its commas tell.
    private static func keyCount(_ bytes: [UInt8]) -> Int {
        var (depth, commas, inString, isEscaped, hasMember) = (0, 0, false, false, false)
        for byte in bytes {
            if inString {
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == UInt8(ascii: "\"") {
                    inString = false
                }
                continue
            }
            switch byte {
            case UInt8(ascii: "\""): (inString, hasMember) = (true, true)
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
            case UInt8(ascii: ","): if depth == 1 { commas += 1 }
            default: break
            }
        }
        return hasMember ? commas + 1 : 0
    }
}
