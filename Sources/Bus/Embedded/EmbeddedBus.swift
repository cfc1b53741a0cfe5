package import Conversation
import Synchronization

/// The bus of a single process: subscribers are closures here. An event is published when every one of them took it.
package final class EmbeddedBus: EventBus {
    package typealias Subscriber = @Sendable (BusEvent) async throws -> Void

    private let subscribers = Mutex<[Subscriber]>([])

    package init() {}

    package func subscribe(_ subscriber: @escaping Subscriber) { subscribers.withLock { $0.append(subscriber) } }
    package var hasSubscribers: Bool { subscribers.withLock { !$0.isEmpty } }

    /// An event that a subscriber throws at is offered to all of them again.
    package func publish(_ events: [BusEvent]) async -> BusReceipt {
        var receipt = BusReceipt()
        for event in events {
            do {
                for subscriber in subscribers.withLock({ $0 }) { try await subscriber(event) }
            } catch {
                receipt.failure = .refused("\(error)")
                break
            }
            receipt.settled += 1
        }
        return receipt
    }
}
