package import Conversation

/// Idempotency keys and fingerprints: HMAC-SHA256 over canonical JSON, keyed by the brand's first signing secret.
package struct IdempotencySigner: DecisionSigner {
    private let key: HMACKey

    /// Throws when the secret is no `whsec_…` secret.
    package init(secret: Secret) throws { key = HMACKey(try StandardWebhooks.bytes(of: secret)) }

    package func idempotencyKey(brand: BrandID, user: UserID, action: String, params: JSONValue, taskID: UniqueID) -> [UInt8] {
        sign(brand, user, action, params, ["task_id": .string(taskID.description)])
    }

    package func fingerprint(brand: BrandID, user: UserID, action: String, params: JSONValue) -> [UInt8] {
        sign(brand, user, action, params, [:])
    }

    private func sign(_ brand: BrandID, _ user: UserID, _ action: String, _ params: JSONValue, _ more: [String: JSONValue]) -> [UInt8] {
        let fields: [String: JSONValue] = [
            "v": 1, "brand": .string(brand.rawValue), "user": .string(user.description), "action": .string(action), "params": params,
        ]
        return key.authenticationCode(for: CanonicalJSON.bytes(.object(fields.merging(more) { $1 })))
    }
}
