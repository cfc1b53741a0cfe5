import Conversation
import Gateway
import Signing

/// Finds out who a bearer key belongs to. Keys are compared by their digests, in constant time and all of them.
struct KeyRing: Sendable {
    let registry: Registry
    private let visitors: VisitorDesk
    private let operatorDigest: [UInt8]

    init(registry: Registry, visitors: VisitorDesk, operatorKey: Secret) {
        self.registry = registry
        self.visitors = visitors
        operatorDigest = Digest.sha256(Array(operatorKey.reveal().utf8))
    }

    /// Nil for no key, a malformed header, or a key of nobody.
    func caller(_ authorization: [String]) -> Caller? {
        guard let bearer = Self.bearer(authorization) else { return nil }
        let digest = Digest.sha256(Array(bearer.utf8))
        if Digest.equal(digest, operatorDigest) { return .operatorKey }
        var found: Caller?
        for brand in registry.brands {
            for key in brand.configuration.keys where Digest.equal(Digest.sha256(Array(key.key.reveal().utf8)), digest) {
                found = .brand(brand.id, key.role)
            }
        }
        return found
    }

    private static func bearer(_ authorization: [String]) -> Substring? {
        guard authorization.count == 1, let header = authorization.first, header.lowercased().hasPrefix("bearer ") else { return nil }
        return header.dropFirst(7)
    }

    /// Throws 401 or 403 when the caller may not, and what the store throws when a visitor's token cannot be looked up.
    func admit(_ access: Access, authorization: [String]) async throws -> Caller {
        if case .brandOrVisitor = access, caller(authorization) == nil, let bearer = Self.bearer(authorization),
            let visitor = try await visitors.visitor(token: String(bearer))
        {
            return .visitor(visitor)
        }
        return try admitKey(access, authorization)
    }

    private func admitKey(_ access: Access, _ authorization: [String]) throws(APIError) -> Caller {
        switch access {
        case .anyone, .channel: return .anonymous
        case .operatorKey:
            switch caller(authorization) {
            case nil: throw APIError(401, "This needs the operator's key as a bearer token")
            case .operatorKey: return .operatorKey
            case .anonymous, .brand, .visitor: throw APIError(403, "This needs the operator's key")
            }
        case .brand(let role), .brandOrVisitor(let role):
            switch caller(authorization) {
            case nil: throw APIError(401, "This needs a brand's key as a bearer token")
            case .brand(let brand, let has):
                guard has >= role else { throw APIError(403, "This needs a key of role \(role.rawValue)") }
                return .brand(brand, has)
            case .anonymous, .operatorKey, .visitor: throw APIError(403, "This needs a brand's key")
            }
        }
    }
}
