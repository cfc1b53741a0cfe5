package import Conversation

/// Signs requests as Standard Webhooks 1.0 describes, so that any of its libraries verifies us:
/// `v1,` and the Base64 HMAC-SHA256 over `id.timestamp.body`.
package struct StandardWebhooks: Sendable {
    package enum SecretError: Error, CustomStringConvertible {
        case notBase64
        /// The standard wants 24 to 64 bytes.
        case length(Int)

        package var description: String {
            switch self {
            case .notBase64: "a signing secret is whsec_ followed by Base64"
            case .length(let count): "a signing secret holds 24 to 64 bytes, this one \(count)"
            }
        }
    }

    private let keys: [HMACKey]

    /// Each secret adds a signature, so secrets can be rotated without a gap. Throws `SecretError`.
    package init(secrets: [Secret]) throws {
        keys = try secrets.map { HMACKey(try Self.bytes(of: $0)) }
    }

    /// The raw key inside a `whsec_…` secret. Throws `SecretError`.
    package static func bytes(of secret: Secret) throws -> [UInt8] {
        let text = secret.reveal()
        guard let bytes = Base64.decode(text.hasPrefix("whsec_") ? text.dropFirst(6) : text[...]) else { throw SecretError.notBase64 }
        guard (24...64).contains(bytes.count) else { throw SecretError.length(bytes.count) }
        return bytes
    }

    /// The three headers; `at` is rounded down to whole seconds. No signature header without a secret.
    package func headers(id: String, at: Timestamp, body: [UInt8]) -> [(name: String, value: String)] {
        let seconds = String(at.milliseconds / 1000)
        let content = Array("\(id).\(seconds).".utf8) + body
        let signatures = keys.map { "v1," + Base64.encode($0.authenticationCode(for: content)) }
        let common = [(name: "webhook-id", value: id), (name: "webhook-timestamp", value: seconds)]
        return signatures.isEmpty ? common : common + [(name: "webhook-signature", value: signatures.joined(separator: " "))]
    }

    /// Whether one of the signatures in the header is one of ours, and the timestamp within five minutes of `now`.
    package func verifies(id: String, timestamp: String, signature: String, body: [UInt8], now: Timestamp) -> Bool {
        guard let seconds = Int64(timestamp), abs(now.milliseconds / 1000 - seconds) <= 300 else { return false }
        let content = Array("\(id).\(timestamp).".utf8) + body
        return signature.split(separator: " ").contains { part in
            guard part.hasPrefix("v1,"), let given = Base64.decode(part.dropFirst(3)) else { return false }
            return keys.contains { Digest.equal($0.authenticationCode(for: content), given) }
        }
    }
}
