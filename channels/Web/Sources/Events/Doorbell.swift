import Synchronization

/// Wakes the one writer of a stream. Several rings before it looks are one, so a slow reader costs no memory.
final class Doorbell: Sendable {
    struct Ring: OptionSet, Sendable, Hashable {
        let rawValue: Int
        static let changed = Ring(rawValue: 1)
        static let typing = Ring(rawValue: 2)
        static let beat = Ring(rawValue: 4)
    }

    /// Why a stream ends from our side; told to the page.
    enum Closing: String, Sendable {
        /// The visitor opened more streams than it may have, and this was its oldest.
        case replaced = "too_many_streams"
        case expired = "token_expired"
    }

    private struct State {
        var rings: Ring = []
        var closing: Closing?
    }

    private let state = Mutex(State())
    /// Signals only that there is something to `take`; one waiting signal is enough.
    let pulses: AsyncStream<Void>
    private let pulse: AsyncStream<Void>.Continuation

    init() { (pulses, pulse) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1)) }

    /// Nil while the stream goes on.
    var closing: Closing? { state.withLock { $0.closing } }

    func ring(_ ring: Ring) {
        state.withLock { $0.rings.formUnion(ring) }
        pulse.yield()
    }

    func take() -> Ring {
        state.withLock { state in
            defer { state.rings = [] }
            return state.rings
        }
    }

    /// The first reason counts.
    func close(_ reason: Closing) {
        state.withLock { $0.closing = $0.closing ?? reason }
        pulse.finish()
    }
}
