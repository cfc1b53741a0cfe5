package import Conversation
internal import Signing
package import Storage

/// Lets visitors in. A guest is known again by the resume secret alone, somebody signed in by what the brand's token says.
package struct VisitorDesk: Visitors {
    /// How long a token is good.
    package static let tokenLife = Duration.seconds(12 * 3600)
    /// How long a resume secret is good after it was used last.
    package static let secretLife = Duration.seconds(30 * 24 * 3600)

    private let store: Store
    private let registry: Registry
    private let randomness: @Sendable () -> [UInt8]

    /// `randomness` makes 32 bytes that nobody can guess.
    package init(store: Store, registry: Registry, randomness: @escaping @Sendable () -> [UInt8] = { Self.systemRandomness() }) {
        self.store = store
        self.registry = registry
        self.randomness = randomness
    }

    package func open(_ request: VisitRequest, at instance: InstanceConfiguration) async throws -> Visit {
        let tiers = registry.tiers(of: instance.brand)
        let (token, secret) = (VisitSecret(randomness()), VisitSecret(randomness()))
        return try await store.brand(instance.brand).write { transaction in
            let admission = Admission(transaction: transaction, instance: instance, tiers: tiers)
            let entered = try admission.enter(request.proof, newSecret: secret)
            try transaction.note(locale: request.locale, timeZone: request.timeZone, of: entered.user)
            let expiresAt = transaction.now + Self.tokenLife
            try transaction.insertVisit(
                VisitRecord(instance: instance.id, user: entered.user, identifier: entered.identifier, expiresAt: expiresAt),
                tokenHash: token.hash)
            let session = try transaction.runningSession(instance: instance, user: entered.user)
            guard let user = try transaction.user(entered.user) else { throw StorageError.unreadable("a user who was there just now") }
            return Visit(token: token.text, resumeSecret: entered.resumeSecret, expiresAt: expiresAt, user: user, session: session)
        }
    }

    package func visitor(token: String, at instance: InstanceConfiguration) async throws -> Visitor? {
        guard let hash = VisitSecret.hash(of: token) else { return nil }
        guard let visit = try await store.brand(instance.brand).read({ try $0.visit(tokenHash: hash) }), visit.instance == instance.id
        else { return nil }
        return Visitor(brand: instance.brand, instance: visit.instance, user: visit.user, identifier: visit.identifier)
    }

    /// Whose token this is at any instance that keeps a feed; nil when there is none or it has expired. One look-up a brand.
    package func visitor(token: String) async throws -> Visitor? {
        guard let hash = VisitSecret.hash(of: token) else { return nil }
        for brand in registry.brands where brand.configuration.instances.contains(where: { registry.keepsFeed($0.id) }) {
            guard let visit = try await store.brand(brand.id).read({ try $0.visit(tokenHash: hash) }) else { continue }
            guard registry.keepsFeed(visit.instance), registry.instance(visit.instance)?.brand == brand.id else { return nil }
            return Visitor(brand: brand.id, instance: visit.instance, user: visit.user, identifier: visit.identifier)
        }
        return nil
    }

    /// 32 bytes of the system's own.
    package static func systemRandomness() -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<4).flatMap { _ in withUnsafeBytes(of: generator.next() as UInt64) { Array($0) } }
    }
}

/// Finds or makes the user behind a visit, inside its transaction.
private struct Admission {
    struct Entered {
        var user: UserID
        var identifier: Identifier
        var resumeSecret: String?
    }

    let transaction: BrandTransaction
    let instance: InstanceConfiguration
    let tiers: [String]

    func enter(_ proof: VisitRequest.Proof, newSecret: VisitSecret) throws -> Entered {
        switch proof {
        case .guest(let secret): try guest(secret, newSecret)
        case .signedIn(let sender): try signedIn(sender)
        }
    }

    /// A secret that opens nothing makes a new guest, silently: who guesses learns nothing.
    private func guest(_ secret: String?, _ newSecret: VisitSecret) throws -> Entered {
        let expiresAt = transaction.now + VisitorDesk.secretLife
        if let secret, let hash = VisitSecret.hash(of: secret),
            let user = try transaction.resume(secretHash: hash, instance: instance.id, expiresAt: expiresAt),
            try transaction.user(user) != nil
        {
            return Entered(user: user, identifier: Identifier(kind: .guest, value: user.description), resumeSecret: secret)
        }
        let user = try transaction.addGuest(channel: instance.channel, tier: tiers.first ?? "guest")
        try transaction.insertResumeSecret(hash: newSecret.hash, instance: instance.id, user: user, expiresAt: expiresAt)
        return Entered(user: user, identifier: Identifier(kind: .guest, value: user.description), resumeSecret: newSecret.text)
    }

    /// The brand's own id says who it is; a phone or an address that two customers share must not make one of them the other.
    private func signedIn(_ sender: Sender) throws -> Entered {
        guard let identity = sender.identifiers.first else {
            throw StageError(stage: .session, retryable: false, cause: "somebody signed in without an identifier")
        }
        let user = try transaction.resolveUser(
            channel: instance.channel, sender: Sender(identifiers: [identity], profileName: sender.profileName),
            tier: tiers.dropFirst().first ?? tiers.first ?? "guest", verified: true)
        for identifier in sender.identifiers.dropFirst() { try transaction.relink(identifier, channel: instance.channel, to: user) }
        return Entered(user: user, identifier: identity, resumeSecret: nil)
    }
}

/// A token or resume secret: 256 random bits as base64url, stored as its SHA-256.
struct VisitSecret: Sendable {
    let text: String
    let hash: [UInt8]

    init(_ bytes: [UInt8]) {
        precondition(bytes.count == 32, "a secret of visitors holds 256 bits")
        text = Base64.encodeURL(bytes)
        hash = Digest.sha256(Array(text.utf8))
    }

    /// Nil for what cannot be one of ours, so that it costs no look-up.
    static func hash(of text: String) -> [UInt8]? { text.utf8.count == 43 ? Digest.sha256(Array(text.utf8)) : nil }
}
