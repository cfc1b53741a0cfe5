import Conversation
import Signing
import TestKit
import Testing

struct JWTReaderTests {
    private static let secret = Secret(String(repeating: "s", count: 32))
    private let clock = ControlledClock()

    private func read(
        _ token: String, key: TokenRules.Key = .hs256(secret), audience: String = "salon-web", issuer: String? = nil
    ) async throws -> JSONValue {
        try await JWTReader(clock: clock).claims(of: token, rules: TokenRules(key: key, audience: audience, issuer: issuer))
    }

    /// Signs what it is told, right or wrong.
    private func token(_ claims: String, header: String = #"{"alg":"HS256","typ":"JWT"}"#, secret: Secret = secret) -> String {
        let signed = Base64.encodeURL(Array(header.utf8)) + "." + Base64.encodeURL(Array(claims.utf8))
        let code = OpenSSLAuthenticator().key(secret).authenticationCode(for: Array(signed.utf8))
        return signed + "." + Base64.encodeURL(code)
    }

    private static let now: Int64 = 1_800_000_000
    private static let good = #"{"aud":"salon-web","exp":1800000600,"sub":"c-1"}"#

    private func refuses(_ token: String, as error: TokenError, _ key: TokenRules.Key = .hs256(secret), _ comment: Comment? = nil) async {
        await #expect(throws: error, comment) { try await read(token, key: key) }
    }

    @Test func aGoodTokenGivesItsClaims() async throws {
        #expect(try await read(token(Self.good))["sub"] == "c-1")
        #expect(try await read(SignedTokens.rs256, key: .rs256(SignedTokens.rsaKey))["sub"] == "c-1")
        #expect(try await read(SignedTokens.es256, key: .es256(SignedTokens.ecKey))["sub"] == "c-1")
    }

    @Test func theAlgorithmIsTheConfiguredOneAndNoOther() async {
        for name in ["none", "None", "nOnE", "", "HS384", "HS512", "RS256", "ES256", "PS256", "hs256"] {
            await refuses(token(Self.good, header: #"{"alg":"\#(name)"}"#), as: .wrongAlgorithm, .hs256(Self.secret), "\(name)")
        }
        await refuses(token(Self.good, header: #"{"alg":["HS256"]}"#), as: .wrongAlgorithm)
        await refuses(token(Self.good, header: #"{"typ":"JWT"}"#), as: .wrongAlgorithm)
        await refuses(SignedTokens.rs256, as: .wrongAlgorithm, .es256(SignedTokens.ecKey))
        await refuses(SignedTokens.es256, as: .wrongAlgorithm, .rs256(SignedTokens.rsaKey))
        await refuses(SignedTokens.rs256, as: .wrongAlgorithm, .hs256(Secret(SignedTokens.rsaKey)))
    }

    @Test func aTokenWithoutASignatureIsRefused() async {
        let head = Base64.encodeURL(Array(#"{"alg":"none"}"#.utf8)) + "." + Base64.encodeURL(Array(Self.good.utf8))
        await refuses(head + ".", as: .malformed)
        await refuses(head, as: .malformed)
        await refuses(head + ".AAAA", as: .wrongAlgorithm)
    }

    @Test func aPublicKeyIsNoSharedSecret() async {
        for (pem, key) in [
            (SignedTokens.rsaKey, TokenRules.Key.rs256(SignedTokens.rsaKey)), (SignedTokens.ecKey, .es256(SignedTokens.ecKey)),
        ] {
            await refuses(token(Self.good, secret: Secret(pem)), as: .wrongAlgorithm, key)
            for name in ["RS256", "ES256"] where key.isNamed(name) {
                await refuses(token(Self.good, header: #"{"alg":"\#(name)"}"#, secret: Secret(pem)), as: .wrongSignature, key)
            }
        }
    }

    @Test func everyChangedPartBreaksTheSignature() async {
        for (good, key) in [
            (token(Self.good), TokenRules.Key.hs256(Self.secret)), (SignedTokens.rs256, .rs256(SignedTokens.rsaKey)),
            (SignedTokens.es256, .es256(SignedTokens.ecKey)),
        ] {
            var parts = good.split(separator: ".").map(String.init)
            parts[1] = Base64.encodeURL(Array(#"{"aud":"salon-web","exp":1800000600,"sub":"c-2"}"#.utf8))
            await refuses(parts.joined(separator: "."), as: .wrongSignature, key)
            await refuses(good.split(separator: ".").dropLast().joined(separator: ".") + ".AAAA", as: .wrongSignature, key)
        }
        await refuses(token(Self.good, secret: Secret(String(repeating: "t", count: 32))), as: .wrongSignature)
        await refuses(SignedTokens.rs256 + "AA", as: .wrongSignature, .rs256(SignedTokens.rsaKey))
    }

    @Test func theEndIsRequiredAndMustBeANumber() async throws {
        for claims in [
            #"{"aud":"salon-web"}"#, #"{"aud":"salon-web","exp":"1800000600"}"#, #"{"aud":"salon-web","exp":null}"#,
            #"{"aud":"salon-web","exp":true}"#, #"{"aud":"salon-web","exp":[1800000600]}"#,
        ] { await refuses(token(claims), as: .malformed, .hs256(Self.secret), "\(claims)") }
        for past in ["1799999969", "0", "-1", "1.5", "-1e300"] {
            await refuses(token(#"{"aud":"salon-web","exp":\#(past)}"#), as: .expired, .hs256(Self.secret), "\(past)")
        }
        #expect(try await read(token(#"{"aud":"salon-web","exp":1800000000.5}"#))["exp"]?.double == 1_800_000_000.5)
    }

    @Test func clocksMayBeThirtySecondsApart() async throws {
        func claims(_ end: Int64, _ start: Int64) -> String { #"{"aud":"salon-web","exp":\#(end),"nbf":\#(start)}"# }
        #expect(try await read(token(claims(Self.now - 29, Self.now + 30)))["nbf"] != nil)
        await refuses(token(claims(Self.now - 30, Self.now)), as: .expired)
        await refuses(token(claims(Self.now + 60, Self.now + 31)), as: .notYetValid)
        await refuses(token(#"{"aud":"salon-web","exp":1800000600,"nbf":"0"}"#), as: .malformed)
        let generous = JWTReader(clock: clock, leeway: .seconds(3600))
        let rules = TokenRules(key: .hs256(Self.secret), audience: "salon-web")
        await #expect(throws: TokenError.expired) { try await generous.claims(of: token(claims(Self.now - 31, 0)), rules: rules) }
        clock.advance(by: .seconds(700))
        await refuses(token(Self.good), as: .expired)
    }

    @Test func theAudienceIsOneTextOrAList() async throws {
        func claims(_ audience: String) -> String { token(#"{"aud":\#(audience),"exp":1800000600}"#) }
        #expect(try await read(claims(#"["other","salon-web"]"#))["aud"] != nil)
        for wrong in [#""salon""#, #""salon-web ""#, #"["jobs-web"]"#, "[]", "null", "1", #"{"salon-web":1}"#, #"[["salon-web"]]"#] {
            await refuses(claims(wrong), as: .wrongAudience, .hs256(Self.secret), "\(wrong)")
        }
        await refuses(token(#"{"exp":1800000600}"#), as: .wrongAudience)
    }

    @Test func theIssuerCountsWhenItIsConfigured() async throws {
        let named = token(#"{"aud":"salon-web","exp":1800000600,"iss":"https://salon.example"}"#)
        #expect(try await read(named, issuer: "https://salon.example")["iss"] != nil)
        #expect(try await read(named)["iss"] != nil)
        await #expect(throws: TokenError.wrongIssuer) { try await read(named, issuer: "https://jobs.example") }
        await #expect(throws: TokenError.wrongIssuer) { try await read(token(Self.good), issuer: "https://salon.example") }
    }

    @Test(arguments: [
        #"{"aud":"salon-web","exp":1800000600,"sub":"a","sub":"b"}"#, #"{"aud":"salon-web","exp":0,"exp":1800000600}"#,
        #"{"aud":"salon-web","exp":1800000600,"sub":"a","\u0073ub":"b"}"#,
    ]) func aClaimThatStandsTwiceIsRefused(claims: String) async { await refuses(token(claims), as: .malformed) }

    @Test func aCommaInATextIsNoSecondClaim() async throws {
        let claims = #"{"aud":["salon-web","a,b"],"exp":1800000600,"name":"a \",\" b","more":{"x":1,"x":2},"n":[1,[2,3]]}"#
        #expect(try await read(token(claims))["name"] == #"a "," b"#)
    }

    @Test func aHeaderThatStandsTwiceOrAsksForMoreIsRefused() async {
        await refuses(token(Self.good, header: #"{"alg":"none","alg":"HS256"}"#), as: .malformed)
        await refuses(token(Self.good, header: #"{"alg":"HS256","crit":["b64"],"b64":false}"#), as: .malformed)
    }

    @Test(arguments: [
        "", ".", "..", "...", "a.b.c", "a.b.c.d", "ey.ey.ey", " ", "\u{0}", "e30.e30.e30=", "e30=.e30.e30", "e30.e30.+/+/", "ĀĀĀ.ĀĀĀ.ĀĀĀ",
        String(repeating: ".", count: 8192), "W10.W10.W10", "bnVsbA.bnVsbA.bnVsbA",
    ]) func whatIsNoTokenIsMalformed(text: String) async { await refuses(text, as: .malformed) }

    @Test func deepJSONAndBadUTF8AreMalformed() async {
        let deep = String(repeating: "[", count: 5000)
        await refuses(token(deep), as: .malformed)
        await refuses(token(Self.good, header: #"{"alg":"HS256","x":\#(String(repeating: "[", count: 2000))}"#), as: .malformed)
        let head = Base64.encodeURL(Array(#"{"alg":"HS256"}"#.utf8)) + "." + Base64.encodeURL([0x7B, 0x22, 0xFF, 0xFE, 0x22, 0x7D])
        let code = OpenSSLAuthenticator().key(Self.secret).authenticationCode(for: Array(head.utf8))
        await refuses(head + "." + Base64.encodeURL(code), as: .malformed)
    }

    @Test func longTokensAreRefusedUnread() async throws {
        func padded(_ count: Int) -> String {
            token(#"{"aud":"salon-web","exp":1800000600,"x":"\#(String(repeating: "x", count: count))"}"#)
        }
        #expect(padded(5900).utf8.count <= JWTReader.maxBytes)
        #expect(try await read(padded(5900))["aud"] != nil)
        #expect(padded(6200).utf8.count > JWTReader.maxBytes)
        await refuses(padded(6200), as: .malformed)
    }

    @Test func keysThatCannotBeUsedAreNamed() async {
        func unusable(_ token: String, _ key: TokenRules.Key) async {
            do {
                _ = try await read(token, key: key)
                Issue.record("the key was taken")
            } catch TokenError.unusableKey(let why) {
                #expect(!why.isEmpty)
            } catch {
                Issue.record("\(error)")
            }
        }
        await unusable(token(Self.good), .hs256(Secret("short")))
        await unusable(SignedTokens.rs256, .rs256("no key"))
        await unusable(SignedTokens.rs256, .rs256(SignedTokens.shortRSAKey))
        await unusable(SignedTokens.rs256, .rs256(SignedTokens.ecKey))
        await unusable(SignedTokens.es256, .es256(SignedTokens.rsaKey))
    }
}

extension TokenRules.Key {
    fileprivate func isNamed(_ name: String) -> Bool {
        switch self {
        case .hs256: name == "HS256"
        case .rs256: name == "RS256"
        case .es256: name == "ES256"
        }
    }
}
