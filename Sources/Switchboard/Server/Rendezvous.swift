import Synchronization

/// Pieces on their way from who makes them to the one who writes them. Nothing is kept: who gives waits until the piece was taken.
final class Rendezvous: Sendable {
    private struct Offer {
        let piece: [UInt8]
        let giver: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var isClosed = false
        var offers: [Offer] = []
        /// Being written now.
        var current: Offer?
        var taker: CheckedContinuation<[UInt8]?, Never>?
    }

    private let state = Mutex(State())

    /// Returns when the piece was written. Throws `CancellationError` once it is closed.
    func give(_ piece: [UInt8]) async throws {
        try await withCheckedThrowingContinuation { giver in
            let offer = Offer(piece: piece, giver: giver)
            let (isRefused, taker) = state.withLock { state -> (Bool, CheckedContinuation<[UInt8]?, Never>?) in
                if state.isClosed { return (true, nil) }
                guard let taker = state.taker else {
                    state.offers.append(offer)
                    return (false, nil)
                }
                state.taker = nil
                state.current = offer
                return (false, taker)
            }
            if isRefused { giver.resume(throwing: CancellationError()) }
            taker?.resume(returning: piece)
        }
    }

    /// The next piece; nil once it is closed. Only one asks.
    func next() async -> [UInt8]? {
        await withCheckedContinuation { taker in
            let (piece, waits) = state.withLock { state -> ([UInt8]?, Bool) in
                if state.isClosed { return (nil, false) }
                if state.offers.isEmpty {
                    state.taker = taker
                    return (nil, true)
                }
                let offer = state.offers.removeFirst()
                state.current = offer
                return (offer.piece, false)
            }
            if !waits { taker.resume(returning: piece) }
        }
    }

    /// Lets the giver of the last piece go on.
    func taken() {
        let offer = state.withLock { state in
            defer { state.current = nil }
            return state.current
        }
        offer?.giver.resume()
    }

    /// Ends both sides. May be called again.
    func close() {
        let (givers, taker) = state.withLock { state -> ([Offer], CheckedContinuation<[UInt8]?, Never>?) in
            defer { (state.offers, state.current, state.taker) = ([], nil, nil) }
            state.isClosed = true
            return (state.offers + (state.current.map { [$0] } ?? []), state.taker)
        }
        for offer in givers { offer.giver.resume(throwing: CancellationError()) }
        taker?.resume(returning: nil)
    }
}
