package import Conversation
import Synchronization

/// The bus of a single process: subscribers are closures here. An event is published when every one of them took it.
package final class EmbeddedBus: EventBus {
    package typealias Subscriber = @Sendable (BusEvent) async throws -> Void

    private let subscribers = Mutex<[Subscriber]>([])

    package init() {}

    package func subscribe(_ subscriber: @escaping Subscriber) { subscribers.withLock { $0.append(subscriber) } }
    package var hasSubscribers: Bool { subscribers.withLock { !$0.isEmpty } }

    /// Throws what a subscriber throws; the event is then offered to all of them again.
    package func publish(_ event: BusEvent) async throws {
        for subscriber in subscribers.withLock({ $0 }) { try await subscriber(event) }
    }
}
