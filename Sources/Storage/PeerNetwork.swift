package import Conversation

/// Tells the other nodes that there is something to look at. Losing a signal costs time, never work: everybody sweeps.
package protocol PeerNetwork: Sendable {
    /// Returns at once; what cannot be sent now is dropped.
    func send(_ signal: PeerSignal)
}

/// What a node tells the others. Ids only: whoever hears it reads the store.
package enum PeerSignal: Sendable, Hashable {
    /// A lane of this pool is ready, and nobody takes it on the node that made it so.
    case ready(BrandID, LanePool)
    /// The feed of a conversation has grown.
    case feed(BrandID, InstanceID, UserID)
    /// Somebody is typing an answer.
    case typing(BrandID, InstanceID, UserID)
    /// A brand's outbox holds events.
    case events(BrandID)

    /// Words with spaces between them; below 300 bytes.
    package var text: String {
        switch self {
        case .ready(let brand, let pool): "ready \(brand.rawValue) \(pool.rawValue)"
        case .feed(let brand, let instance, let user): "feed \(brand.rawValue) \(instance.rawValue) \(user)"
        case .typing(let brand, let instance, let user): "typing \(brand.rawValue) \(instance.rawValue) \(user)"
        case .events(let brand): "events \(brand.rawValue)"
        }
    }

    /// Nil for a text that no node of this version writes.
    package init?(text: String) {
        let words = text.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        guard let kind = words.first, words.count >= 2 else { return nil }
        let brand = BrandID(rawValue: words[1])
        switch (kind, words.count) {
        case ("ready", 3):
            guard let pool = LanePool(rawValue: words[2]) else { return nil }
            self = .ready(brand, pool)
        case ("feed", 4), ("typing", 4):
            guard let user = UniqueID(words[3]) else { return nil }
            let instance = InstanceID(rawValue: words[2])
            self = kind == "feed" ? .feed(brand, instance, UserID(user)) : .typing(brand, instance, UserID(user))
        case ("events", 2): self = .events(brand)
        default: return nil
        }
    }
}
