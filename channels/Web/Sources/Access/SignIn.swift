import Conversation
import Text

/// Signing in with a token that the brand made.
struct SignIn {
    let instance: InstanceConfiguration
    let tokens: any TokenReader

    /// Who the token names. Throws a 401, or a 503 when the configured key cannot be used.
    func sender(_ token: String) async throws(Refusal) -> Sender {
        let rules = try rules()
        let claims: JSONValue
        do {
            claims = try await tokens.claims(of: token, rules: rules)
        } catch TokenError.unusableKey {
            throw Self.unusable
        } catch {
            throw Self.refused(Self.reason(error))
        }
        guard let subject = claims["sub"]?.string, (1...255).contains(subject.utf8.count), !subject.contains(where: Self.isControl) else {
            throw Self.refused("sub is missing or too long")
        }
        let identifiers = [Identifier(kind: .brandUser, value: subject)] + Self.proved(claims)
        return Sender(identifiers: identifiers, profileName: Self.name(claims))
    }

    /// The algorithm is the configured one; what the token says of it decides nothing.
    private func rules() throws(Refusal) -> TokenRules {
        guard let settings = instance.settings.group("jwt") else { throw Self.refused("this instance signs nobody in") }
        let key: TokenRules.Key
        switch (settings.secret("hs256_secret"), settings.text("public_key"), settings.text("alg")) {
        case (let secret?, nil, nil), (let secret?, nil, "HS256"): key = .hs256(secret)
        case (nil, let pem?, "RS256"): key = .rs256(pem)
        case (nil, let pem?, "ES256"): key = .es256(pem)
        case (_, _, _): throw Self.unusable
        }
        return TokenRules(key: key, audience: instance.id.rawValue, issuer: settings.text("issuer"))
    }

    /// A phone or an e-mail counts only when the brand says that it verified it.
    private static func proved(_ claims: JSONValue) -> [Identifier] {
        var found: [Identifier] = []
        if claims["phone_verified"] == true, let phone = claims["phone_number"]?.string, phone.hasPrefix("+"),
            let number = PhoneNumbers.e164(phone)
        {
            found.append(Identifier(kind: .phone, value: number))
        }
        if claims["email_verified"] == true, let email = claims["email"]?.string.flatMap({ Identifier(email: $0) }) {
            found.append(email)
        }
        return found
    }

    private static func name(_ claims: JSONValue) -> String? {
        guard let name = claims["name"]?.string else { return nil }
        let line = TextSplitter.truncate(
            name.filter { !isControl($0) }.split(whereSeparator: \.isWhitespace).joined(separator: " "), limit: 128)
        return line.isEmpty || line.utf8.count > 2048 ? nil : line
    }

    private static func isControl(_ character: Character) -> Bool {
        character.unicodeScalars.contains { $0.properties.generalCategory == .control }
    }

    private static func reason(_ error: any Error) -> String {
        guard let error = error as? TokenError else { return "auth_token could not be read" }
        return switch error {
        case .malformed: "auth_token is no JSON Web Token"
        case .wrongSignature: "the signature of auth_token is wrong"
        case .wrongAlgorithm: "auth_token is not signed with the algorithm of this instance"
        case .expired: "auth_token has expired, or has no exp"
        case .notYetValid: "auth_token is not valid yet"
        case .wrongAudience: "aud of auth_token is not this instance"
        case .wrongIssuer: "iss of auth_token is not the issuer of this instance"
        case .unusableKey: "the key of this instance cannot be used"
        }
    }

    private static func refused(_ detail: String) -> Refusal {
        Refusal(401, "The visitor could not be signed in", detail: detail, headers: ["WWW-Authenticate": "Bearer"])
    }

    private static let unusable = Refusal(
        503, "Signing in is not set up correctly at this instance", detail: "jwt needs hs256_secret, or public_key with alg RS256 or ES256",
        headers: ["Retry-After": "60"])
}

/// The keys of native apps, which have no origin.
enum AppKeys {
    /// Looks at every key and every byte, whatever the first ones say: the time taken tells nothing but the length of what was offered.
    static func contain(_ offered: String, _ keys: [Secret]) -> Bool {
        var isKnown = false
        for key in keys where !key.isEmpty {
            if equal(Array(offered.utf8), Array(key.reveal().utf8)) { isKnown = true }
        }
        return isKnown
    }

    private static func equal(_ offered: [UInt8], _ key: [UInt8]) -> Bool {
        var difference = offered.count ^ key.count
        for (index, byte) in offered.enumerated() { difference |= Int(byte ^ key[index % key.count]) }
        return difference == 0
    }
}
