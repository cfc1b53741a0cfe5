internal import COpenSSL
package import Conversation

/// An HMAC-SHA256 key whose inner and outer pads are computed once; each code then costs one copy of that state.
/// `@unchecked` because the OpenSSL context is only ever duplicated after `init`, which OpenSSL allows from many threads.
package final class HMACKey: AuthenticationKey, @unchecked Sendable {
    private let prepared: OpaquePointer

    /// Any length of key, the empty one included.
    package init(_ key: [UInt8]) {
        guard let algorithm = EVP_MAC_fetch(nil, "HMAC", nil), let context = EVP_MAC_CTX_new(algorithm) else {
            preconditionFailure("libcrypto offers no HMAC")
        }
        EVP_MAC_free(algorithm)
        var digest = Array("SHA256".utf8CString)
        let padded: [UInt8] = key.isEmpty ? [0] : key
        // The parameter keeps pointers to its name and value, so both live until the key is set.
        let ready = OSSL_MAC_PARAM_DIGEST.withCString { name in
            digest.withUnsafeMutableBufferPointer { value in
                var parameters = [OSSL_PARAM_construct_utf8_string(name, value.baseAddress, 0), OSSL_PARAM_construct_end()]
                return padded.withUnsafeBufferPointer { EVP_MAC_init(context, $0.baseAddress, $0.count, &parameters) }
            }
        }
        precondition(ready == 1, "libcrypto refused an HMAC-SHA256 key")
        prepared = context
    }

    deinit { EVP_MAC_CTX_free(prepared) }

    /// 32 bytes.
    package func authenticationCode(for bytes: [UInt8]) -> [UInt8] {
        guard let context = EVP_MAC_CTX_dup(prepared) else { preconditionFailure("libcrypto is out of memory") }
        defer { EVP_MAC_CTX_free(context) }
        var code = [UInt8](repeating: 0, count: 32)
        var length = 0
        let done =
            bytes.withUnsafeBufferPointer { EVP_MAC_update(context, $0.baseAddress, $0.count) } == 1
            && EVP_MAC_final(context, &code, &length, code.count) == 1
        precondition(done && length == 32, "libcrypto failed to compute an HMAC")
        return code
    }
}

/// Digests and comparisons over OpenSSL.
package enum Digest {
    /// 32 bytes.
    package static func sha256(_ bytes: [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 32)
        var length: UInt32 = 0
        let done = EVP_Digest(bytes, bytes.count, &digest, &length, EVP_sha256(), nil)
        precondition(done == 1 && length == 32, "libcrypto failed to compute SHA-256")
        return digest
    }

    /// Takes the same time wherever the first difference is; false at once when the lengths differ.
    package static func equal(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        left.count == right.count && CRYPTO_memcmp(left, right, left.count) == 0
    }
}

/// What channels get of this target.
package struct OpenSSLAuthenticator: Authenticator {
    package init() {}
    package func key(_ secret: Secret) -> any AuthenticationKey { HMACKey(Array(secret.reveal().utf8)) }
    package func equal(_ left: [UInt8], _ right: [UInt8]) -> Bool { Digest.equal(left, right) }
}
