/// Message authentication for channels, which do not link a crypto library themselves.
package protocol Authenticator: Sendable {
    /// Precomputes what HMAC-SHA256 with this secret needs.
    func key(_ secret: Secret) -> any AuthenticationKey
    /// Compares in constant time; false at once when the lengths differ.
    func equal(_ left: [UInt8], _ right: [UInt8]) -> Bool
}

package protocol AuthenticationKey: Sendable {
    /// 32 bytes.
    func authenticationCode(for bytes: [UInt8]) -> [UInt8]
}
