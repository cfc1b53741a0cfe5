internal import Brain
package import Conversation
internal import JSON
package import Storage
import Synchronization

/// Gets what a brand's API says about a customer: from the cache while it is fresh, else by a call; when the call fails, from the cache
/// however old, marked stale. That a customer is not known is kept only for when the call fails: it may have changed a moment ago.
/// Calls for the same thing at the same time are made once.
package final class SchemaFetcher: Sendable {
    private struct Key: Hashable {
        let brand: BrandID
        let schema: String
        let subject: String
    }

    private let store: Store
    private let http: any HTTPClient
    private let running = Mutex<[Key: Task<SchemaState, Never>]>([:])

    package init(store: Store, http: any HTTPClient) {
        self.store = store
        self.http = http
    }

    /// Never throws: a schema that cannot be had is a value too.
    package func fetch(_ need: SchemaNeed, user: User, brand: BrandRuntime) async -> SchemaState {
        guard let schema = brand.configuration.schema(named: need.name), let target = SchemaRequests.target(for: schema, user: user) else {
            return SchemaState(name: need.name, source: .absent, fetchedAt: store.clock.now)
        }
        let subject = schema.isPersonal ? user.id.description : ""
        let cached = try? await store.brand(brand.id).read { try $0.cachedSchema(schema.name, subject: subject) }
        if need.mayBeCached, let cached, let body = cached.body, store.clock.now - cached.fetchedAt < schema.ttl {
            return SchemaState(name: schema.name, source: .cached, body: body, fetchedAt: cached.fetchedAt)
        }
        let fetched = await once(Key(brand: brand.id, schema: schema.name, subject: subject)) {
            await self.call(schema, target: target, subject: subject, brand: brand, wasAbsent: cached.map { $0.body == nil } ?? false)
        }
        guard fetched.source == .unavailable, let cached else { return fetched }
        guard let body = cached.body else { return SchemaState(name: schema.name, source: .absent, fetchedAt: cached.fetchedAt) }
        return SchemaState(name: schema.name, source: .stale, body: body, fetchedAt: cached.fetchedAt)
    }

    /// One call however many ask. The call is a task of its own, because it goes on when the first asker is cancelled.
    private func once(_ key: Key, _ work: @escaping @Sendable () async -> SchemaState) async -> SchemaState {
        let task = running.withLock { running in
            if let task = running[key] { return task }
            let task = Task { await work() }
            running[key] = task
            return task
        }
        let state = await task.value
        running.withLock { running in if running[key] == task { running[key] = nil } }
        return state
    }

    /// `wasAbsent`: the cache says already that there is nothing.
    private func call(
        _ schema: SchemaDefinition, target: String, subject: String, brand: BrandRuntime, wasAbsent: Bool
    ) async -> SchemaState {
        let request = brand.call(
            method: schema.request.method, target: target, timeout: brand.configuration.api.timeout,
            subject: "\(schema.name) \(subject)")
        let now = store.clock.now
        switch await http.call(request) {
        case .answer(let answer) where answer.status == 404:
            if !wasAbsent { await remember(.none, of: schema, subject: subject, brand: brand) }
            return SchemaState(name: schema.name, source: .absent, fetchedAt: now)
        case .answer(let answer) where (200..<300).contains(answer.status):
            guard let body = try? JSONValue(parsing: answer.body) else {
                return SchemaState(name: schema.name, source: .unavailable, fetchedAt: now)
            }
            await remember(body, of: schema, subject: subject, brand: brand)
            return SchemaState(name: schema.name, source: .fetched, body: body, fetchedAt: now)
        case .answer, .failed: return SchemaState(name: schema.name, source: .unavailable, fetchedAt: now)
        }
    }

    /// A cache that cannot be written costs a call next time, nothing else.
    private func remember(_ body: JSONValue?, of schema: SchemaDefinition, subject: String, brand: BrandRuntime) async {
        try? await store.brand(brand.id).write { try $0.cacheSchema(schema.name, subject: subject, body: body) }
    }
}
