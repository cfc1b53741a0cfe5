package import Conversation
import ServiceLifecycle
import Synchronization

/// Shows a customer that the message was read and an answer is being written, when no reply has left within a second.
/// Best effort and outside the outbox: a crash loses it, and nobody minds.
package final class ReadingSignals: Service {
    private struct Waiting {
        var providerID: String
        var instance: InstanceConfiguration
        var channel: any Channel
    }

    private let clock: any WallClock
    private let waiting = Mutex<[Lane: Waiting]>([:])
    private let began: AsyncStream<Lane>
    private let beginning: AsyncStream<Lane>.Continuation

    package init(clock: any WallClock) {
        self.clock = clock
        // Dropping the oldest under a flood loses a typing mark, not a message.
        (began, beginning) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(4096))
    }

    func began(lane: Lane, providerID: String, instance: InstanceConfiguration, channel: any Channel) {
        waiting.withLock { $0[lane] = Waiting(providerID: providerID, instance: instance, channel: channel) }
        beginning.yield(lane)
    }

    /// A reply has left: nothing needs to be shown any more.
    func replied(lane: Lane) { _ = waiting.withLock { $0.removeValue(forKey: lane) } }

    package func run() async throws {
        await withGracefulShutdownHandler {
            await withDiscardingTaskGroup { group in
                for await lane in began { group.addTask { await self.show(lane) } }
            }
        } onGracefulShutdown: { [beginning] in
            beginning.finish()
        }
    }

    private func show(_ lane: Lane) async {
        do { try await clock.sleep(until: clock.now + .seconds(1)) } catch { return }
        guard let entry = waiting.withLock({ $0.removeValue(forKey: lane) }) else { return }
        await entry.channel.signalReading(providerMessageID: entry.providerID, instance: entry.instance)
    }
}
