internal import Brain
package import Conversation
internal import JSON
package import Storage
import Synchronization

/// Gets what a brand's API says about a customer: from the cache while it is fresh, else by a call; when the call fails, from the cache
/// however old, marked stale. That a customer is not known is asked anew each time, and stands in for an hour while the API is silent.
/// Calls for the same thing at the same time are made once.
package final class SchemaFetcher: Sendable {
    private struct Key: Hashable {
        let brand: BrandID
        let schema: String
        let subject: String
    }

    private enum Finding {
        case body(JSONValue)
        /// 404.
        case nothing
        /// An answer, and of no use.
        case unusable
        /// Not asked, not answered, or told to come again.
        case silence
    }

    /// How long a 404 stands in: for a customer who was asked to confirm. Much may have changed at the brand after a longer time.
    private static let absenceLasts = Duration.seconds(3600)

    private let store: Store
    private let http: any HTTPClient
    private let running = Mutex<[Key: Task<Finding, Never>]>([:])

    package init(store: Store, http: any HTTPClient) {
        self.store = store
        self.http = http
    }

    /// Never throws: a schema that cannot be had is a value too.
    package func fetch(_ need: SchemaNeed, user: User, brand: BrandRuntime) async -> SchemaState {
        let now = store.clock.now
        guard let schema = brand.configuration.schema(named: need.name), let target = SchemaRequests.target(for: schema, user: user) else {
            return SchemaState(name: need.name, source: .absent, fetchedAt: now)
        }
        let subject = schema.isPersonal ? user.id.description : ""
        let cached = try? await store.brand(brand.id).read { try $0.cachedSchema(schema.name, subject: subject) }
        if need.mayBeCached, let cached, let body = cached.body, !cached.isExpired, now - cached.fetchedAt < schema.ttl {
            return SchemaState(name: schema.name, source: .cached, body: body, fetchedAt: cached.fetchedAt)
        }
        let finding = await once(Key(brand: brand.id, schema: schema.name, subject: subject)) {
            let finding = await self.call(schema, target: target, subject: subject, brand: brand)
            await self.remember(finding, of: schema, subject: subject, brand: brand, over: cached)
            return finding
        }
        switch finding {
        case .body(let body): return SchemaState(name: schema.name, source: .fetched, body: body, fetchedAt: now)
        case .nothing: return SchemaState(name: schema.name, source: .absent, fetchedAt: now)
        case .unusable, .silence: break
        }
        if let cached, let body = cached.body {
            return SchemaState(name: schema.name, source: .stale, body: body, fetchedAt: cached.fetchedAt)
        }
        if case .silence = finding, let cached, isAbsent(cached, for: Self.absenceLasts) {
            return SchemaState(name: schema.name, source: .absent, fetchedAt: cached.fetchedAt)
        }
        return SchemaState(name: schema.name, source: .unavailable, fetchedAt: now)
    }

    /// Whether it says that there is nothing, and not for longer than that.
    private func isAbsent(_ cached: CachedSchema, for time: Duration) -> Bool {
        cached.body == nil && !cached.isExpired && store.clock.now - cached.fetchedAt < time
    }

    /// One call however many ask. The call is a task of its own, because it goes on when the first asker is cancelled.
    private func once(_ key: Key, _ work: @escaping @Sendable () async -> Finding) async -> Finding {
        let task = running.withLock { running in
            if let task = running[key] { return task }
            let task = Task { await work() }
            running[key] = task
            return task
        }
        let finding = await task.value
        running.withLock { running in if running[key] == task { running[key] = nil } }
        return finding
    }

    private func call(_ schema: SchemaDefinition, target: String, subject: String, brand: BrandRuntime) async -> Finding {
        let request = brand.call(
            method: schema.request.method, target: target, timeout: brand.configuration.api.timeout,
            subject: "\(schema.name) \(subject)")
        switch await http.call(request) {
        case .answer(let answer) where answer.status == 404: return .nothing
        case .answer(let answer) where (200..<300).contains(answer.status):
            return (try? JSONValue(parsing: answer.body)).map { .body($0) } ?? .unusable
        case .answer(let answer): return answer.status >= 500 || answer.status == 429 ? .silence : .unusable
        case .failed(let failure): return failure.kind == .tooLarge ? .unusable : .silence
        }
    }

    /// A cache that cannot be written costs a call next time; and a customer whom the brand does not know, a booking while it is away.
    private func remember(
        _ finding: Finding, of schema: SchemaDefinition, subject: String, brand: BrandRuntime, over cached: CachedSchema?
    ) async {
        let body: JSONValue?
        switch finding {
        case .body(let found): body = found
        case .nothing:
            // A proxy answers 404 as well: that never takes the place of what is known, nor says anything about what is everybody's.
            guard schema.isPersonal, cached?.body == nil else { return }
            // Again at half time, and not at each message of somebody who is not known.
            if let cached, isAbsent(cached, for: Self.absenceLasts / 2) { return }
            body = .none
        case .unusable, .silence: return
        }
        try? await store.brand(brand.id).write { try $0.cacheSchema(schema.name, subject: subject, body: body) }
    }
}
