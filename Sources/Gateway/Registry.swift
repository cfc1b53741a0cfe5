package import Brain
package import Conversation
import Synchronization

/// The brands that run now, looked up by id, by address and by key. Replaced as a whole when a configuration is loaded.
package final class Registry: Sendable {
    private struct Snapshot {
        var brands: [BrandID: BrandRuntime] = [:]
        /// Of its own, because every message asks for them and a brand's configuration is large to copy.
        var tiers: [BrandID: [String]] = [:]
        var instances: [InstanceID: InstanceConfiguration] = [:]
        var addresses: [InstanceAddress: InstanceConfiguration] = [:]
    }

    package let clock: any WallClock
    private let snapshot = Mutex(Snapshot())
    private let channels = Mutex<[ChannelName: any Channel]>([:])

    package init(clock: any WallClock) { self.clock = clock }

    /// Swaps everything at once: a message sees the old brands or the new ones, never a mixture.
    package func replace(brands: [BrandRuntime], descriptors: [ChannelDescriptor]) {
        var next = Snapshot()
        for brand in brands {
            next.brands[brand.id] = brand
            next.tiers[brand.id] = brand.configuration.tiers
            for instance in brand.configuration.instances {
                next.instances[instance.id] = instance
                let descriptor = descriptors.first { $0.name == instance.channel }
                if let address = descriptor?.address(instance) { next.addresses[address] = instance }
            }
        }
        let replacement = next
        snapshot.withLock { $0 = replacement }
    }

    package func add(channel: any Channel) { channels.withLock { $0[channel.descriptor.name] = channel } }

    package func channel(_ name: ChannelName) -> (any Channel)? { channels.withLock { $0[name] } }
    package var allChannels: [any Channel] { channels.withLock { Array($0.values) } }
    package func brand(_ id: BrandID) -> BrandRuntime? { snapshot.withLock { $0.brands[id] } }
    /// The brand's tiers, ascending.
    package func tiers(of brand: BrandID) -> [String] { snapshot.withLock { $0.tiers[brand] ?? [] } }
    package func instance(at address: InstanceAddress) -> InstanceConfiguration? { snapshot.withLock { $0.addresses[address] } }
    package func instance(_ id: InstanceID) -> InstanceConfiguration? { snapshot.withLock { $0.instances[id] } }
    /// Translates the updates of an instance whose conversations keep a feed; nil for all others.
    package func screen(of id: InstanceID) -> UpdateTranslator? {
        guard keepsFeed(id), let brand = instance(id)?.brand else { return nil }
        return UpdateTranslator(templates: snapshot.withLock { $0.brands[brand]?.configuration.templates ?? [:] })
    }
    /// Whether conversations at an instance keep a feed; false for an instance that does not run.
    package func keepsFeed(_ id: InstanceID) -> Bool {
        instance(id).flatMap { channel($0.channel) }?.capabilities.keepsFeed ?? false
    }
    package var brands: [BrandRuntime] { snapshot.withLock { $0.brands.values.sorted { $0.id < $1.id } } }
}
