import Conversation
import Signing
import Testing

struct SigningTests {
    /// RFC 4231, test case 2.
    @Test func hmacMatchesThePublishedVector() {
        let code = HMACKey(Array("Jefe".utf8)).authenticationCode(for: Array("what do ya want for nothing?".utf8))
        #expect(Hex.encode(code) == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
    }

    @Test func emptyKeyAndEmptyMessageHaveTheKnownCode() {
        #expect(
            Hex.encode(HMACKey([]).authenticationCode(for: [])) == "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad")
    }

    @Test func sha256OfTheEmptyMessageIsKnown() {
        #expect(Hex.encode(Digest.sha256([])) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    }

    @Test func oneKeyServesManyThreadsAtOnce() async {
        let key = HMACKey(Array("shared".utf8))
        let expected = key.authenticationCode(for: [1, 2, 3])
        await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<64 { group.addTask { (0..<200).allSatisfy { _ in key.authenticationCode(for: [1, 2, 3]) == expected } } }
            for await same in group { #expect(same) }
        }
    }

    @Test func differentLengthsAreNeverEqual() {
        #expect(!Digest.equal([1, 2], [1, 2, 3]))
        #expect(Digest.equal([1, 2, 3], [1, 2, 3]))
        #expect(!Digest.equal([1, 2, 4], [1, 2, 3]))
    }

    @Test(arguments: [([UInt8](), ""), (Array("f".utf8), "Zg=="), (Array("foobar".utf8), "Zm9vYmFy"), ([0xFB, 0xFF], "+/8=")])
    func base64GoesBothWays(bytes: [UInt8], text: String) {
        #expect(Base64.encode(bytes) == text)
        #expect(Base64.decode(text) == bytes)
        #expect(Base64.decode(Base64.encodeURL(bytes)) == bytes)
    }

    @Test(arguments: ["A", "Zg=a", "Z!", "Zh=="]) func brokenBase64IsRefused(text: String) { #expect(Base64.decode(text) == nil) }

    @Test func everySecretAddsASignatureAndAnyOfThemVerifies() throws {
        let old = Secret("whsec_" + Base64.encode([UInt8](repeating: 7, count: 32)))
        let new = Secret("whsec_" + Base64.encode([UInt8](repeating: 9, count: 32)))
        let body = Array(#"{"a":1}"#.utf8)
        let now = Timestamp(seconds: 1_700_000_000)
        let headers = try StandardWebhooks(secrets: [new, old]).headers(id: "msg_1", at: now, body: body)
        let signature = try #require(headers.first { $0.name == "webhook-signature" }?.value)
        #expect(signature.split(separator: " ").count == 2)
        let verifier = try StandardWebhooks(secrets: [old])
        #expect(verifier.verifies(id: "msg_1", timestamp: "1700000000", signature: signature, body: body, now: now))
        #expect(!verifier.verifies(id: "msg_2", timestamp: "1700000000", signature: signature, body: body, now: now))
        #expect(!verifier.verifies(id: "msg_1", timestamp: "1700000000", signature: signature, body: body + [32], now: now))
        #expect(!verifier.verifies(id: "msg_1", timestamp: "1700000000", signature: signature, body: body, now: now + .seconds(301)))
    }

    @Test func aSecretOfTheWrongFormIsNamed() {
        #expect(throws: StandardWebhooks.SecretError.self) { try StandardWebhooks(secrets: [Secret("whsec_***")]) }
        #expect(throws: StandardWebhooks.SecretError.self) { try StandardWebhooks(secrets: [Secret("whsec_YWJj")]) }
    }

    @Test func keyDependsOnTheTaskAndFingerprintDoesNot() throws {
        let signer = try IdempotencySigner(secret: Secret("whsec_" + Base64.encode([UInt8](repeating: 1, count: 32))))
        let brand = BrandID(rawValue: "salon")
        let user = UserID(UniqueID(high: 1, low: 2))
        func key(_ low: UInt64, _ params: JSONValue) -> [UInt8] {
            signer.idempotencyKey(brand: brand, user: user, action: "book", params: params, taskID: UniqueID(high: 0, low: low))
        }
        #expect(key(1, ["a": 1, "b": "x"]) == key(1, ["b": "x", "a": 1]))
        #expect(key(1, ["a": 1]) != key(2, ["a": 1]))
        #expect(key(1, ["a": 1]) != key(1, ["a": 2]))
        let print = signer.fingerprint(brand: brand, user: user, action: "book", params: ["a": 1])
        #expect(print != key(1, ["a": 1]) && print.count == 32)
    }
}
