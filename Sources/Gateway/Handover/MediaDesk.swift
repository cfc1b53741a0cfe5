package import Conversation
package import Storage

/// Hands out the files of customers to whoever has a link that is good.
package struct MediaDesk: Sendable {
    package enum Answer: Sendable {
        case file(FetchedMedia, name: String)
        /// No link of ours, one whose time is over, or a message without a file.
        case notFound
        case failed(MediaError)
    }

    /// Bytes of a file at the most.
    package static let limit = 16_777_216

    private let store: Store
    private let registry: Registry

    package init(store: Store, registry: Registry) {
        self.store = store
        self.registry = registry
    }

    /// Throws what the store throws.
    package func open(_ token: String) async throws -> Answer {
        guard let brand = MediaLinks.brand(of: token).flatMap({ registry.brand($0) }),
            let target = MediaLinks(brand.configuration).target(of: token, now: store.clock.now)
        else { return .notFound }
        let record = try await store.brand(target.brand).read { transaction in
            try transaction.message(target.message, session: target.session).map { record in
                (content: record.content, instance: try transaction.session(target.session)?.instance)
            }
        }
        guard let record, case .media(let media) = Content(json: record.content), let id = media.id,
            let instance = record.instance.flatMap({ brand.configuration.instance($0) }),
            let channel = registry.channel(instance.channel) as? any MediaFetching
        else { return .notFound }
        do throws(MediaError) {
            return .file(try await channel.fetch(id, of: instance, limit: Self.limit), name: media.filename ?? media.kind.rawValue)
        } catch {
            return .failed(error)
        }
    }
}
