import Conversation
import Synchronization

/// Counts the open streams and keeps them below their limits.
final class StreamRegistry: Sendable {
    private struct Key: Hashable {
        var instance: InstanceID
        var user: UserID
    }

    private struct State {
        var seats: [Key: [(id: UInt64, bell: Doorbell)]] = [:]
        var count = 0
        var lastID: UInt64 = 0
    }

    private let limit: Int
    private let perVisitor: Int
    private let state = Mutex(State())

    init(limit: Int, perVisitor: Int) {
        precondition(limit > 0 && perVisitor > 0, "a stream needs room")
        self.limit = limit
        self.perVisitor = perVisitor
    }

    /// How many are open.
    var count: Int { state.withLock { $0.count } }

    /// A place for one more stream; closes the visitor's oldest when it has too many. Nil when all places are taken.
    func open(_ visitor: Visitor) -> StreamSeat? {
        let key = Key(instance: visitor.instance, user: visitor.user)
        let bell = Doorbell()
        let (id, replaced) = state.withLock { state -> (UInt64?, Doorbell?) in
            var seats = state.seats[key] ?? []
            let isFull = seats.count >= perVisitor
            guard isFull || state.count < limit else { return (nil, nil) }
            let oldest = isFull ? seats.removeFirst().bell : nil
            state.lastID += 1
            seats.append((state.lastID, bell))
            state.seats[key] = seats
            if oldest == nil { state.count += 1 }
            return (state.lastID, oldest)
        }
        replaced?.close(.replaced)
        return id.map { id in StreamSeat(bell: bell) { [weak self] in self?.release(id, key) } }
    }

    private func release(_ id: UInt64, _ key: Key) {
        state.withLock { state in
            guard var seats = state.seats[key], let index = seats.firstIndex(where: { $0.id == id }) else { return }
            seats.remove(at: index)
            state.seats[key] = seats.isEmpty ? nil : seats
            state.count -= 1
        }
    }
}

/// The place of one stream. It is given back with `release`, or when nobody holds it any more: an answer that the server never began to
/// write leaves no place taken.
final class StreamSeat: Sendable {
    let bell: Doorbell
    private let giveBack: @Sendable () -> Void

    init(bell: Doorbell, giveBack: @escaping @Sendable () -> Void) {
        self.bell = bell
        self.giveBack = giveBack
    }

    deinit { giveBack() }

    /// May be called more than once.
    func release() { giveBack() }
}
