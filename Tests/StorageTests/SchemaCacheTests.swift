import Conversation
import Storage
import TestKit
import Testing

/// What brands said of their customers.
struct SchemaCacheTests {
    private let brand = BrandID(rawValue: "salon")

    @Test func anAnswerThatThereIsNothingIsKeptApartFromNoAnswerAndFromNull() async throws {
        let clock = ControlledClock()
        try await TemporaryStore.with(clock: clock) { store in
            let asked = clock.now
            try await store.brand(brand).write { transaction in
                #expect(try transaction.cachedSchema("profile", subject: "one") == nil)
                try transaction.cacheSchema("profile", subject: "one", body: .none)
                try transaction.cacheSchema("profile", subject: "other", body: .null)
            }
            try await store.brand(brand).write { transaction in
                let nothing = try #require(try transaction.cachedSchema("profile", subject: "one"))
                #expect(nothing.body == nil && nothing.fetchedAt == asked)
                let null = try #require(try transaction.cachedSchema("profile", subject: "other"))
                #expect(null.body == .some(.null))
                try transaction.cacheSchema("profile", subject: "one", body: ["balance": 3])
                #expect(try transaction.cachedSchema("profile", subject: "one")?.body == ["balance": 3])
                #expect(try transaction.cachedSchema("profile", subject: "one")?.isExpired == false)
                for _ in 1...2 {
                    try transaction.expireSchemas(of: "one")
                    let expired = try #require(try transaction.cachedSchema("profile", subject: "one"))
                    #expect(expired.isExpired && expired.fetchedAt == asked && expired.body == ["balance": 3])
                }
                try transaction.cacheSchema("profile", subject: "one", body: ["balance": 0])
                #expect(try transaction.cachedSchema("profile", subject: "one")?.isExpired == false)
            }
        }
    }
}
