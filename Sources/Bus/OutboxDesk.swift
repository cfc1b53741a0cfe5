package import Conversation
package import Storage

/// What an operator can do with events that were published.
package struct OutboxDesk: Sendable {
    /// How far a replay has come.
    package struct Step: Sendable, Hashable {
        /// Events of this step.
        package var count: Int
        /// Where the next step begins; nil when this was the last.
        package var next: UniqueID?
    }

    private let store: Store

    /// Events in one transaction.
    private static let piece = 500
    /// Transactions in one step.
    private static let pieces = 20

    package init(store: Store) { self.store = store }

    /// Whether events are written at all: a bus that nobody listens to has none to publish again.
    package var hasListeners: Bool { store.eventsAreWanted() }

    /// Puts published events back into the outbox, oldest first, under the ids they had. Those that still wait are left as they are.
    package func publishAgain(_ brand: BrandID, after first: UniqueID, upTo last: UniqueID) async throws -> Step {
        var step = Step(count: 0, next: first)
        for _ in 0..<Self.pieces {
            guard let start = step.next else { break }
            let piece = try await store.brand(brand).write { try $0.publishAgain(after: start, upTo: last, limit: Self.piece) }
            step.count += piece?.count ?? 0
            step.next = piece.flatMap { $0.count == Self.piece ? $0.last : nil }
        }
        return step
    }

    /// How many events of the brand up to `last` are not published yet.
    package func waiting(_ brand: BrandID, upTo last: UniqueID) async throws -> Int {
        try await store.brand(brand).read { try $0.countWaitingEvents(upTo: last) }
    }
}
