import COpenSSL
import Conversation
import Foundation

/// Digests and signatures that the stand-ins make and check, over libcrypto.
enum Signatures {
    static func sha256(_ bytes: [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 32)
        let done = EVP_Digest(bytes, bytes.count, &digest, nil, EVP_sha256(), nil)
        precondition(done == 1, "libcrypto has SHA-256")
        return digest
    }

    /// The key must not be empty.
    static func hmacSHA256(key: [UInt8], _ bytes: [UInt8]) -> [UInt8] {
        var code = [UInt8](repeating: 0, count: 32)
        var length = 0
        let made = EVP_Q_mac(nil, "HMAC", nil, "SHA256", nil, key, key.count, bytes, bytes.count, &code, code.count, &length)
        precondition(made != nil && length == 32, "libcrypto has HMAC with SHA-256")
        return code
    }

    static func areEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        left.count == right.count && CRYPTO_memcmp(left, right, left.count) == 0
    }

    /// The value of `X-Hub-Signature-256`. Meta: HMAC-SHA256 of the raw body with the app's secret, in hexadecimal.
    static func meta(body: [UInt8], secret: [UInt8]) -> String { "sha256=" + Hex.encode(hmacSHA256(key: secret, body)) }
}

/// Checks requests signed by the Standard Webhooks rules.
struct StandardWebhooksVerifier: Sendable {
    /// Older or newer signatures are refused, as the Standard Webhooks libraries do.
    static let tolerance: Duration = .seconds(300)

    private let secret: [UInt8]

    /// Nil when the text is not `whsec_` and base64.
    init?(secret text: String) {
        guard text.hasPrefix("whsec_"), let bytes = Data(base64Encoded: String(text.dropFirst(6))), !bytes.isEmpty else { return nil }
        secret = Array(bytes)
    }

    /// Why the signature does not hold; nil when it does.
    func refusal(of request: StandInRequest, now: Timestamp) -> String? {
        guard let id = request.headers["webhook-id"], !id.isEmpty else { return "The header webhook-id is missing." }
        guard let stamp = request.headers["webhook-timestamp"], let seconds = Int64(stamp) else {
            return "The header webhook-timestamp is missing or no whole number of seconds."
        }
        guard let signatures = request.headers["webhook-signature"] else { return "The header webhook-signature is missing." }
        guard abs(now.milliseconds / 1000 - seconds) <= Self.tolerance.components.seconds else {
            return "The webhook-timestamp is more than \(Self.tolerance.components.seconds) seconds away from now."
        }
        let expected = Signatures.hmacSHA256(key: secret, Array("\(id).\(stamp).".utf8) + request.body)
        let isSigned = signatures.split(separator: " ").contains { candidate in
            guard candidate.hasPrefix("v1,"), let bytes = Data(base64Encoded: String(candidate.dropFirst(3))) else { return false }
            return Signatures.areEqual(Array(bytes), expected)
        }
        return isSigned ? nil : "No signature in webhook-signature matches this body."
    }
}
